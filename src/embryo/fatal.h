/*
 * fatal.h - what a program says when a signal ends it.  Freestanding.
 *
 * Every task gets a handler for the signals that tell of a mistake, and an alternate stack for its
 * main thread, so that an overflow of the stack can be reported too.  The program sees neither:
 * rt_sigaction(2) and sigaltstack(2) are trapped and answer as if they were not there, and it ends
 * by the very same signal, in the same place, with the same wait status and core file.
 */
#ifndef EMBRYO_FATAL_H
#define EMBRYO_FATAL_H

#include "space.h"

/* For a task whose program is about to begin, if the two calls of its libc are trapped. */
void fatal_install(struct task *t);

/* The alternate stack alone, for the calling thread: its address or 0. */
uintptr_t fatal_stack_begin(struct task *t);
void fatal_stack_end(struct task *t);

/*
 * What a program's environment says about signals that end it.  To be read when it begins, since
 * it may be anything when it ends.  True if it asks for a report: under a launcher that knows
 * nothing of tasks there is none without being asked for.
 */
bool fatal_settings(struct trouble *tr, const char *const *envv);

/* PIP_GDB_SIGNALS: a bit for each signal that it names; unknown() is called for each other name if
 * it is not NULL. */
uint64_t fatal_parse_signals(const char *value, void (*unknown)(const char *name, size_t len));

/* Is it one of those that tell of a mistake in the program? */
bool fatal_is(int sig);

/*
 * Says that this task or root, the calling process, was hit by a signal, and does what the
 * environment asks for then; see struct trouble.  Several threads at once take turns.
 */
void fatal_report(struct task *t, int sig, const siginfo_t *info, const void *context);

/* rt_sigaction(2) and sigaltstack(2) of the program; as trap_syscall(). */
int fatal_sigaction(struct window_head *head, struct arch_trap *tr);
int fatal_sigaltstack(struct window_head *head, struct arch_trap *tr);

#endif
