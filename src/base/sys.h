/*
 * sys.h - system calls without libc: 0 or a value, or -errno; no TLS, so callable on any thread
 * pointer, between clone and a program's start, and on a stack of our own.
 */
#ifndef BASE_SYS_H
#define BASE_SYS_H

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <time.h>

#include "arch/arch.h"

/* May run while the thread pointer is another libc's: no stack guard read through it. */
#define BARE __attribute__((no_stack_protector))

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25 /* Linux 6.1; not in glibc 2.36 */
#endif

#ifndef SA_RESTORER
#define SA_RESTORER 0x04000000UL /* in the kernel's <asm/signal.h> only */
#endif

#define KERNEL_SIGSET_SIZE 8 /* _NSIG / 8: what the rt_ calls take on every supported CPU */
typedef uint64_t kernel_sigset_t;

/* What rt_sigaction(2) takes, on every supported CPU. */
struct kernel_sigaction {
	void *handler;
	unsigned long flags;
	void *restorer;
	kernel_sigset_t mask;
};

/* The size of a page, and the grain of all that is placed; see the limits in
 * docs/ARCHITECTURE.md. */
#define PAGE 4096UL

static inline uintptr_t page_down(uintptr_t v)
{
	return v & ~(PAGE - 1);
}

static inline uintptr_t page_up(uintptr_t v)
{
	return page_down(v + PAGE - 1);
}

#define sys_call(nr, a, b, c, d, e, f)                                                             \
	arch_syscall6((nr), (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))

static inline bool sys_failed(uintptr_t ret)
{
	return ret > (uintptr_t)-4096;
}

/* The address, or -errno as a pointer: test with sys_failed(). */
static inline uintptr_t sys_mmap(uintptr_t at, size_t len, int prot, int flags, int fd, off_t off)
{
	return (uintptr_t)sys_call(SYS_mmap, at, len, prot, flags, fd, off);
}

static inline int sys_munmap(uintptr_t at, size_t len)
{
	return (int)sys_call(SYS_munmap, at, len, 0, 0, 0, 0);
}

static inline int sys_madvise(uintptr_t at, size_t len, int advice)
{
	return (int)sys_call(SYS_madvise, at, len, advice, 0, 0, 0);
}

/* The calling process's soft limit on a resource of setrlimit(2). */
static inline uint64_t sys_limit(int resource)
{
	uint64_t limit[2] = { 0, 0 };

	sys_call(SYS_prlimit64, 0, resource, NULL, limit, 0, 0);
	return limit[0];
}

/* A trapped call, as it was made. */
static inline long sys_trapped(const struct arch_trap *tr)
{
	return sys_call(tr->nr, tr->arg[0], tr->arg[1], tr->arg[2], tr->arg[3], tr->arg[4],
			tr->arg[5]);
}

/* Can what p points to be read, or the part of its first word that is on the same page?  The kernel
 * copies the set before it sees that there is no such `how`. */
static inline bool sys_readable(const void *p)
{
	return (uintptr_t)p > 7 && sys_call(SYS_rt_sigprocmask, -1, (uintptr_t)p & ~7UL, NULL,
					    KERNEL_SIGSET_SIZE, 0, 0) != -EFAULT;
}

static inline int sys_open(const char *path, int flags)
{
	return (int)sys_call(SYS_openat, AT_FDCWD, path, flags, 0, 0, 0);
}

static inline int sys_close(int fd)
{
	return (int)sys_call(SYS_close, fd, 0, 0, 0, 0, 0);
}

static inline ssize_t sys_pread(int fd, void *buf, size_t len, off_t off)
{
	return sys_call(SYS_pread64, fd, buf, len, off, 0, 0);
}

static inline ssize_t sys_write(int fd, const void *buf, size_t len)
{
	return sys_call(SYS_write, fd, buf, len, 0, 0, 0);
}

static inline int sys_fstat(int fd, struct stat *st)
{
	return (int)sys_call(SYS_fstat, fd, st, 0, 0, 0, 0);
}

static inline ssize_t sys_readlink(const char *path, char *buf, size_t len)
{
	return sys_call(SYS_readlinkat, AT_FDCWD, path, buf, len, 0, 0);
}

/* Unpredictable bytes, at most 256.  0 or -EIO. */
static inline int sys_random(void *buf, size_t len)
{
	return sys_call(SYS_getrandom, buf, len, 0, 0, 0, 0) == (long)len ? 0 : -EIO;
}

static inline pid_t sys_gettid(void)
{
	return (pid_t)sys_call(SYS_gettid, 0, 0, 0, 0, 0, 0);
}

static inline pid_t sys_getpid(void)
{
	return (pid_t)sys_call(SYS_getpid, 0, 0, 0, 0, 0, 0);
}

static inline int sys_sigmask(int how, const kernel_sigset_t *set, kernel_sigset_t *old)
{
	return (int)sys_call(SYS_rt_sigprocmask, how, set, old, KERNEL_SIGSET_SIZE, 0, 0);
}

static inline int sys_sigaction(int sig, const struct kernel_sigaction *act,
				struct kernel_sigaction *old)
{
	return (int)sys_call(SYS_rt_sigaction, sig, act, old, KERNEL_SIGSET_SIZE, 0, 0);
}

static inline int sys_futex_wait(_Atomic uint32_t *word, uint32_t seen,
				 const struct timespec *limit)
{
	return (int)sys_call(SYS_futex, word, FUTEX_WAIT_PRIVATE, seen, limit, 0, 0);
}

static inline int sys_futex_wake(_Atomic uint32_t *word, int count)
{
	return (int)sys_call(SYS_futex, word, FUTEX_WAKE_PRIVATE, count, 0, 0, 0);
}

/* For a word in shared memory that other address spaces, or the kernel at the end of a process, use
 * as well (set_tid_address(2) wakes by the shared key). */
static inline int sys_futex_wait_shared(_Atomic uint32_t *word, uint32_t seen,
					const struct timespec *limit)
{
	return (int)sys_call(SYS_futex, word, FUTEX_WAIT, seen, limit, 0, 0);
}

static inline int sys_futex_wake_shared(_Atomic uint32_t *word, int count)
{
	return (int)sys_call(SYS_futex, word, FUTEX_WAKE, count, 0, 0, 0);
}

static inline _Noreturn void sys_exit_group(int status)
{
	for (;;)
		sys_call(SYS_exit_group, status, 0, 0, 0, 0, 0);
}

#endif
