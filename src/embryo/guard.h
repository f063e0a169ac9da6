/*
 * guard.h - copies that end at a fault instead of ending the program.  Freestanding.
 *
 * The guard is a handler for SIGSEGV and SIGBUS, one for each process, that the program does not
 * see: rt_sigaction(2) is trapped and answers as if it were not there, and any other such signal
 * gets to the program as it would have without it.
 */
#ifndef EMBRYO_GUARD_H
#define EMBRYO_GUARD_H

#include "space.h"

/* How the copies of one call are guarded. */
struct guard {
	bool by_kernel; /* no handler would be called: the kernel makes them, through a pipe */
	int pipe[2];
};

/* Puts the guard in place if this is the process's first use.  0 or -errno: copies cannot be
 * guarded now. */
int guard_open(struct guard *g, struct window_head *head);
void guard_close(struct guard *g);

/* Copies up to the first address that cannot be read or written; returns how many bytes are
 * left.  With by_kernel it may stop earlier in the same page.  After a copy that left something
 * the guard is good for guard_close() only: the pipe may hold a rest. */
size_t guard_copy(const struct guard *g, uintptr_t to, uintptr_t from, size_t n);

/* rt_sigaction(2) of the program; as trap_syscall(). */
int guard_sigaction(struct window_head *head, struct arch_trap *tr);

#endif
