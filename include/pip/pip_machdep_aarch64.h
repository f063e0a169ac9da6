/*
 * pip_machdep_aarch64.h - the part of pip_machdep.h that is for 64-bit ARM.  Include that one.
 */
#ifndef PIP_PIP_MACHDEP_AARCH64_H
#define PIP_PIP_MACHDEP_AARCH64_H

/** Tell the CPU that this is a loop that waits. */
static inline void pip_pause(void)
{
	__asm__ __volatile__("yield" ::: "memory");
}

/** Order all stores before it against all stores that follow. */
static inline void pip_write_barrier(void)
{
	__asm__ __volatile__("dmb ishst" ::: "memory");
}

#endif
