/*
 * pip_machdep_x86_64.h - the part of pip_machdep.h that is for x86-64.  Include that one.
 */
#ifndef PIP_PIP_MACHDEP_X86_64_H
#define PIP_PIP_MACHDEP_X86_64_H

/** Tell the CPU that this is a loop that waits. */
static inline void pip_pause(void)
{
	__asm__ __volatile__("pause" ::: "memory");
}

/** Order all stores before it, non-temporal ones too, against all stores that follow. */
static inline void pip_write_barrier(void)
{
	__asm__ __volatile__("sfence" ::: "memory");
}

#endif
