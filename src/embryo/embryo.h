/*
 * embryo.h - a task's process from clone to its program's first instruction.  Freestanding.
 *
 * Stage contract: until the program's ld.so has set a thread pointer of its own, the register still
 * holds the spawning thread's.  Allowed: sys_*() and the launch record.  Forbidden: errno, stdio,
 * malloc, anything of libc, any lock of the space.
 */
#ifndef EMBRYO_EMBRYO_H
#define EMBRYO_EMBRYO_H

#include "loader/loader.h"
#include "space.h"

#define LAUNCH_CPUS 1024
#define EMBRYO_FDS 64
#define EMBRYO_RSEQ_SIZE 32 /* of glibc's area: the first, which every kernel takes */

/* Of a task in a namespace of the root's dynamic linker; see namespace.c. */
struct namespace_start {
	void (*enter)(struct task *t, struct namespace_start *s); /* in its own libpip */
	uintptr_t base, entry;                                    /* the program's */
	int (*function)(void *);
	uintptr_t *block;    /* what the kernel would put on the stack, without auxiliary vector */
	char **argv, **envp; /* in there */
	struct namespace_fini {
		void (**array)(void);
		size_t n;
	} * fini; /* destructors, in this order */
	size_t nfini;
	const struct interp_facts *facts; /* the root's */
	/* Of the thread that lends it these, or becomes the task: */
	uintptr_t thread_pointer, handle, stack;
	int *tid; /* where its libc keeps its TID */
	void *robust_list;
	void *rseq; /* NULL = not registered */
};

/* What the new process needs; lies on its own stack. */
struct launch {
	struct task *task;
	struct namespace_start *start; /* NULL = the private loader's */
	struct load load;
	struct cpu_table cpu;
	uintptr_t sp;
	kernel_sigset_t mask;    /* to begin with */
	kernel_sigset_t ignored; /* signals to ignore, beside those that are */
	bool clear_handlers;     /* the kernel has not done it (CLONE_CLEAR_SIGHAND) */
	bool bind;               /* to cpus */
	unsigned long cpus[LAUNCH_CPUS / 8 / sizeof(unsigned long)];
	char comm[16];
};

_Noreturn void embryo_main(void *launch);

/*
 * The program's dynamic linker has done its work and every library is initialised: called in place
 * of the program's entry, whose address it returns.  sp: the stack as the kernel would give it.
 *
 * Tells the root, stops if wanted, runs the before-hook on a thread pointer of the root's, closes
 * what is marked close-on-exec.  Allowed: sys_*(), *the task's record.
 */
uintptr_t embryo_start(uintptr_t *sp);

/* What execve does to handlers: caught signals get their default action, ignored ones stay so. */
void embryo_clear_handlers(void);

/* Closes what is marked close-on-exec, but for one descriptor (-1 = none): the kernel does it only
 * in execve, so they must be looked for. */
void embryo_close_on_exec(int but);

/* Puts the caller's LD_PRELOAD back once ld.so has read ours. */
void embryo_restore_environment(struct task *t);

/* The calling process's close-on-exec descriptors: how many, the first `max` in fds; or -errno. */
int embryo_list_close_on_exec(int *fds, int max);

#endif
