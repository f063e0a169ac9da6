/*
 * standin.h - an embryo and its stand-in: two processes that are one to everybody else.
 * Freestanding.
 *
 * The embryo has the PID that fork() returned, and lives in the space; the stand-in has a copy of
 * the launcher's memory, as any forked child, and runs its code.  They share descriptors, working
 * directory, root and umask (CLONE_FILES, CLONE_FS), so what the stand-in does to these is done for
 * both.  What else it does to itself it asks the embryo to do as well (setpgid, setsid, the
 * controlling terminal), or the embryo takes over at the exec (struct standin_attributes).  The
 * stand-in's libc answers with the embryo's PID.
 *
 * As long as the stand-in runs, the embryo stands for it: signals that reach the embryo are passed
 * on, and it stops, goes on and ends as the stand-in does.
 */
#ifndef EMBRYO_STANDIN_H
#define EMBRYO_STANDIN_H

#include "space.h"

#define STANDIN_LIMITS 16           /* RLIM_NLIMITS */
#define STANDIN_CPUS 1024           /* as in LAUNCH_CPUS */
#define STANDIN_STRINGS (8UL << 20) /* more than the 6 MiB that execve takes at most */
#define STANDIN_FEW (64UL << 10)    /* bytes of them */

enum standin_request {
	STANDIN_NOTHING,
	STANDIN_SETPGID, /* arg[0] */
	STANDIN_SETSID,
	STANDIN_IOCTL,      /* arg[0..2], on the controlling terminal */
	STANDIN_EXEC,       /* arg[0]: the thread's TID */
	STANDIN_RIGHTS,     /* it may have others from now on; attributes: what it has until now */
	STANDIN_SECUREBITS, /* arg[0]: those that it is about to have */
	STANDIN_LEAVES,     /* it may leave what the programs of a space have in common */
	STANDIN_DEATH,      /* arg[0]: the signal for its parent's end */
	STANDIN_PEER,       /* arg[0]: a PID; the process that it means */
};

/* What exec hands over and the kernel keeps in the process. */
struct standin_attributes {
	kernel_sigset_t mask, ignored, pending;
	struct {
		long interval[2], value[2];
	} timer[3];
	uint64_t limit[STANDIN_LIMITS][2];
	uint8_t scheduling[56]; /* struct sched_attr */
	uint64_t cpus[STANDIN_CPUS / 64];
	int32_t ioprio, policy, no_new_privs, subreaper, timer_slack, personality;
	uint64_t nodes[16];              /* of the memory policy */
	uint64_t oom_score, core_filter; /* the texts in /proc */
	int32_t no_huge_pages;
};

/* Mapped in both of them. */
struct standin {
	int32_t embryo, pid, parent;
	int32_t parent_process;   /* which that may stand for */
	struct lock asks;         /* held while one of the stand-in's threads has a request */
	_Atomic uint32_t request; /* enum standin_request; a futex word */
	int64_t arg[3], result;
	uint32_t own_session, left_world, sets_death_signal;
	uint32_t changes_rights, changes_memory; /* it has made a call that may do so */
	uint32_t opens_procfs;                   /* or may have opened files about itself */
	int32_t death_signal;
	intptr_t rseq_offset;
	uint32_t rseq_len, rseq_sig;
	uint32_t alone;                             /* the embryo has given up what they shared */
	int32_t number;                             /* an ioctl's */
	int32_t messenger;                          /* a process whose end calls the embryo */
	struct standin_attributes born, attributes; /* first of all, and at the exec */
	const char *path; /* of the exec; all three point into strings.  NULL: it is not known */
	char **argv, **envv;
	int32_t fd;    /* of the file, whose path is in /proc then; -1 = none */
	uint32_t gone; /* the stand-in has ended, and the embryo knows */
	size_t length; /* of the strings */
	char strings[STANDIN_STRINGS];
};

/* In the stand-in, first of all. */
void standin_begin(struct window_head *head, struct standin *s);

/* What the calling process, if it is a stand-in, shares with its embryo, or NULL.  Its children
 * find the pointer in their memory, too, but nothing there. */
struct standin *standin_of(const struct window_head *head);

/* A system call of the stand-in.  0 = the call should be made as it is. */
int standin_syscall(struct window_head *head, struct arch_trap *tr);

/* Has the embryo do something; blocks all signals meanwhile.  Its result. */
long standin_ask(struct standin *s, enum standin_request request, long a, long b, long c);

/* Notes what an exec of the calling stand-in hands over; mask: its signal mask. */
void standin_read(struct standin *s, kernel_sigset_t mask);

/* Its end, after an exec: the embryo is the program from now on. */
_Noreturn void standin_end(struct standin *s);

/* In the embryo: serves the stand-in to its end, or until a program takes its place. */
_Noreturn void standin_serve(struct task *t);

/* In the embryo, at an exec: takes over what the stand-in has noted.  -EPERM if not all of it
 * can be had. */
int standin_take_over(struct standin *s);

/* Answers what the stand-in waits for. */
void standin_answer(struct standin *s, long result);

/* Waits for the stand-in's end, which is near. */
void standin_await_end(struct task *t);

/* May this call change the rights of the process?  Or what exec hands over of its memory's
 * settings, which are in /proc? */
bool standin_changes_rights(const struct arch_trap *tr);
bool standin_changes_memory(const struct arch_trap *tr);

/* Does it put system calls of the process under a filter? */
bool standin_sets_filter(const struct arch_trap *tr);

/* Does it leave what the programs of a space have in common, or may it?  A filter does, too. */
bool standin_leaves_world(const struct arch_trap *tr);

#endif
