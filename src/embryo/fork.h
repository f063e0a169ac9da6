/*
 * fork.h - what of the space's memory a fork copies.  Freestanding.
 *
 * A fork of a program copies that program's memory and no other's: all others' windows are left out
 * (MADV_DONTFORK), its own are put back for as long as the fork takes.
 */
#ifndef EMBRYO_FORK_H
#define EMBRYO_FORK_H

#include "space.h"

struct fork_state {
	kernel_sigset_t mask;
	bool left_out;
};

/* Around a fork of this program, with every signal blocked in between. */
void fork_prepare(struct task *t, struct fork_state *state);
void fork_done(struct task *t, struct fork_state *state);

/* In the child: it is no task any more, but what the kernel says of its program and its break is
 * wrong for it as well.  It finds its window's head empty, and gets those parts back. */
void fork_in_child(struct window_head *head, const struct window_head *before);

/* clone(2) on the present stack, whose child is to have a copy of it. */
long fork_raw(uint64_t flags, uintptr_t parent_tid);

/* From now on a fork of this program may be missed, so its memory is left in everybody's. */
void fork_keep(struct task *t);

/* A fork call of a task, or of a forked child, in which nothing else happens.  0 = it is none. */
int fork_syscall(struct window_head *head, struct arch_trap *tr);

#endif
