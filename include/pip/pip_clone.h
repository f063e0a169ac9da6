/*
 * pip_clone.h - clone(2) flags that make a process-mode task out of those that make a thread.
 *
 * For programs that probe the kernel, or that stand between a thread library and clone(2).
 */
#ifndef PIP_PIP_CLONE_H
#define PIP_PIP_CLONE_H

#include <sched.h>
#include <signal.h>

#ifndef CLONE_VM /* <sched.h> has these for _GNU_SOURCE only */
#include <linux/sched.h>
#endif

/**
 * Turn clone(2) flags into those of a process that shares memory and nothing else.
 *
 * @param flags  clone(2) flags, with or without an exit signal
 * @return flags without what a PiP task does not share (file system information, descriptors,
 *   signal handlers, parent, thread group, I/O context) and without new namespaces; with shared
 *   memory, a thread pointer of its own, tracing kept and semaphore undo shared; the exit signal is
 *   SIGCHLD
 *
 * Callers: anybody.
 */
static inline int pip_clone_flags(int flags)
{
	unsigned int f = (unsigned int)flags;

	f &= ~((unsigned int)CSIGNAL | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_PARENT |
	       CLONE_THREAD | CLONE_IO | CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWUTS);
	f |= CLONE_VM | CLONE_SETTLS | CLONE_PTRACE | CLONE_SYSVSEM | SIGCHLD;
	return (int)f;
}

#endif
