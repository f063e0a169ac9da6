/*
 * birth.h - the processes that a program launches: fork, vfork, posix_spawn.  Freestanding.
 *
 * A process cannot move into another address space, so a child that may become a task is born in
 * its parent's.  Every fork call of libc ends in a system call, which is trapped, so libc's own
 * part (its handlers, its locks) goes on as always:
 *
 * 	fork	an embryo is cloned into the space, and the embryo forks the stand-in, an ordinary
 * 		copy-on-write child in which the call returns 0.  They share descriptors and
 * 		directory.  The parent is told the embryo's PID.  See standin.h.
 * 	vfork	an embryo is cloned and goes on from the call, on the parent's stack, while the
 * 		parent waits on another; at its exec it takes a stack of its own.
 * 	clone with CLONE_VM and CLONE_VFORK (posix_spawn, system, popen)
 * 		the same, but on the stack that the caller gave.
 *
 * What becomes of it at an exec is up to exec.c.
 */
#ifndef EMBRYO_BIRTH_H
#define EMBRYO_BIRTH_H

#include "space.h"

/*
 * A fork call of a program of the space (head->task is its record), or of a forked child of one,
 * which becomes a root by it.  0: it is none of those above, or the child cannot be an embryo; then
 * the call should be made as it is.
 */
int birth_syscall(struct window_head *head, struct arch_trap *tr);

/* From now on the programs that those of this space launch may become tasks. */
void birth_intercept(struct space *sp);

/* A new embryo of a launcher: a record with a window, but without a process.  NULL = there is no
 * room for it. */
struct task *birth_claim(struct task *launcher);

/* A record for the next program of t's process.  Until birth_replace() makes it that process's, and
 * the other one the husk, it is given back if the process ends. */
struct task *birth_claim_husk(struct task *t);

/* In the child, before its record goes: waits until its parent looks at that no more. */
void birth_await_parent(struct task *t);

/* Gives back an embryo or a husk that has no process (any more). */
void birth_discard(struct task *t);

/*
 * Of an ended program, before its windows are closed.  Does a child of its vfork still run there?
 * Then its record stays as a husk that goes when the child has moved; its PIPID is free.
 */
bool birth_keep_memory(struct task *t);

/* Of an ended program: hands its children to its root. */
void birth_bereave(struct task *t);

/* Gives back what ended children of this launcher left.  To be called by its own process. */
void birth_collect(struct task *launcher);

/*
 * The kernel marks the memory of a program that changes its rights, so that no other of its user
 * looks into it (PR_SET_DUMPABLE in prctl(2)), and the memory is everybody's.  Takes that back once
 * no such program is in the space any more.  False if it is not what it was.
 */
bool birth_restore_dumpable(struct space *sp);

/* The record of a child of this launcher that is still an embryo, by its PID; NULL = none. */
struct task *birth_embryo(struct task *launcher, pid_t pid);

/*
 * The front of an embryo's window: what it shares with its stand-in, its own stack, and the one on
 * which its parent waits.
 */
#define BIRTH_STANDIN page_up(sizeof(struct standin))
#define BIRTH_STACK (192UL << 10)
#define BIRTH_WAIT (16UL << 10)
#define BIRTH_FRONT (BIRTH_STANDIN + BIRTH_STACK + BIRTH_WAIT)

/* The top of the former stack, below what a vfork's parent reads when it wakes, be that after the
 * program's end. */
static inline uintptr_t birth_stack(const struct task *t)
{
	return t->room + BIRTH_STACK - PAGE;
}

/* What an embryo shares with its stand-in, and with no other process; NULL = no memory. */
struct standin *birth_map_standin(struct task *t);

/* A program that takes over its record's PID and pipid: by exec in a task. */
void birth_replace(struct task *old, struct task *new);

/* Does this launcher watch the system calls of what it starts?  Then its children are ordinary
 * processes. */
bool birth_is_ordinary(const struct task *launcher);

#endif
