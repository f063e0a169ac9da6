/* syscall.h (x86_64) - raw system calls and the thread pointer; no libc, no errno. */
#ifndef ARCH_SYSCALL_H
#define ARCH_SYSCALL_H

#include <asm/prctl.h>
#include <stdint.h>
#include <sys/syscall.h>

#define ARCH_ELF_MACHINE EM_X86_64
#define ARCH_R_COPY R_X86_64_COPY /* relocations, of <elf.h> */
#define ARCH_R_GLOB_DAT R_X86_64_GLOB_DAT
#define ARCH_R_ADDRESS R_X86_64_64
#define ARCH_CONTEXT_PC(uc) ((uc)->uc_mcontext.gregs[REG_RIP])

#define ARCH_RSEQ_SIG 0x53053053U /* what glibc registers its rseq areas with */

/* Where clone(2) has its last two arguments. */
#define ARCH_CLONE_CHILD_TID 3
#define ARCH_CLONE_TLS 4

#define ARCH_NEAR (1UL << 30) /* stubs may be so far from the code: a jump reaches 2 GiB */

/* Of struct arch_trap; see trap.S. */
#define ARCH_TRAP_KEEP 6
#define ARCH_TRAP_TAIL 1
#define ARCH_TRAP_ABOVE 136 /* the return address and the red zone */

#ifdef __clang_analyzer__
/* It does not see what inline assembly writes. */
long arch_syscall6(long nr, long a, long b, long c, long d, long e, long f);
#else
static inline long arch_syscall6(long nr, long a, long b, long c, long d, long e, long f)
{
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;
	long ret;

	__asm__ volatile("syscall"
			 : "=a"(ret)
			 : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return ret;
}
#endif

static inline uintptr_t arch_thread_pointer(void)
{
	uintptr_t tp;

	/* The ABI keeps the thread pointer's own address at offset 0 of the block it points to. */
	__asm__("mov %%fs:0, %0" : "=r"(tp));
	return tp;
}

static inline void arch_set_thread_pointer(uintptr_t tp)
{
	arch_syscall6(SYS_arch_prctl, ARCH_SET_FS, (long)tp, 0, 0, 0, 0);
}

static inline void arch_pause(void)
{
	__asm__ volatile("pause");
}

#endif
