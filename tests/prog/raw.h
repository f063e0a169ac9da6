/* raw.h - system calls by an instruction of the program, which the runtime does not see, for
 * comparison with what libc's calls do: arch_syscall6().  The result, or -errno. */
#ifndef RAW_H
#define RAW_H

#include <sys/uio.h>

#ifdef __x86_64__
#include "../../src/arch/x86_64/syscall.h"
#else
#include "../../src/arch/aarch64/syscall.h"
#endif

/* process_vm_readv(2) and process_vm_writev(2). */
static inline long raw_copy(long nr, pid_t pid, const struct iovec *local, unsigned long nlocal,
			    const struct iovec *remote, unsigned long nremote, unsigned long flags)
{
	return arch_syscall6(nr, pid, (long)local, (long)nlocal, (long)remote, (long)nremote,
			     (long)flags);
}

#endif
