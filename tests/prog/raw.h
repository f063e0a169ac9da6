/* raw.h - process_vm_readv(2) and its kin by an instruction of the program, which the runtime does
 * not see; for comparison with what libc's call does.  The result, or -errno. */
#ifndef RAW_H
#define RAW_H

#include <sys/syscall.h>
#include <sys/uio.h>

static inline long raw_copy(long nr, pid_t pid, const struct iovec *local, unsigned long nlocal,
			    const struct iovec *remote, unsigned long nremote, unsigned long flags)
{
#ifdef __x86_64__
	register const struct iovec *r10 __asm__("r10") = remote;
	register unsigned long r8 __asm__("r8") = nremote;
	register unsigned long r9 __asm__("r9") = flags;
	long ret;

	__asm__ volatile("syscall"
			 : "=a"(ret)
			 : "a"(nr), "D"((long)pid), "S"(local), "d"(nlocal), "r"(r10), "r"(r8),
			   "r"(r9)
			 : "rcx", "r11", "memory");
	return ret;
#else
	register long x8 __asm__("x8") = nr;
	register long x0 __asm__("x0") = pid;
	register const struct iovec *x1 __asm__("x1") = local;
	register unsigned long x2 __asm__("x2") = nlocal;
	register const struct iovec *x3 __asm__("x3") = remote;
	register unsigned long x4 __asm__("x4") = nremote;
	register unsigned long x5 __asm__("x5") = flags;

	__asm__ volatile("svc #0"
			 : "+r"(x0)
			 : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
			 : "memory");
	return x0;
#endif
}

#endif
