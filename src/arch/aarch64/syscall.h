/* syscall.h (aarch64) - raw system calls and the thread pointer; no libc, no errno. */
#ifndef ARCH_SYSCALL_H
#define ARCH_SYSCALL_H

#include <stdint.h>
#include <sys/syscall.h>

#define ARCH_ELF_MACHINE EM_AARCH64
#define ARCH_R_COPY R_AARCH64_COPY /* relocations, of <elf.h> */
#define ARCH_R_GLOB_DAT R_AARCH64_GLOB_DAT
#define ARCH_R_ADDRESS R_AARCH64_ABS64
#define ARCH_CONTEXT_PC(uc) ((uc)->uc_mcontext.pc)

#define ARCH_RSEQ_SIG 0xd428bc00U /* what glibc registers its rseq areas with */

/* Where clone(2) has its last two arguments. */
#define ARCH_CLONE_CHILD_TID 4
#define ARCH_CLONE_TLS 3

#define ARCH_NEAR (100UL << 20) /* stubs may be so far from the code: a branch reaches 128 MiB */

/* Of struct arch_trap; see trap.S. */
#define ARCH_TRAP_KEEP 24
#define ARCH_TRAP_TAIL 3
#define ARCH_TRAP_ABOVE 32 /* what the stub saved */

#ifdef __clang_analyzer__
/* It does not see what inline assembly writes. */
long arch_syscall6(long nr, long a, long b, long c, long d, long e, long f);
#else
static inline long arch_syscall6(long nr, long a, long b, long c, long d, long e, long f)
{
	register long x8 __asm__("x8") = nr;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;
	register long x3 __asm__("x3") = d;
	register long x4 __asm__("x4") = e;
	register long x5 __asm__("x5") = f;

	__asm__ volatile("svc #0"
			 : "+r"(x0)
			 : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
			 : "memory");
	return x0;
}
#endif

static inline uintptr_t arch_thread_pointer(void)
{
	uintptr_t tp;

	__asm__("mrs %0, tpidr_el0" : "=r"(tp));
	return tp;
}

static inline void arch_set_thread_pointer(uintptr_t tp)
{
	__asm__ volatile("msr tpidr_el0, %0" : : "r"(tp) : "memory");
}

static inline void arch_pause(void)
{
	__asm__ volatile("yield");
}

#endif
