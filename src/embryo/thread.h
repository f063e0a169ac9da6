/*
 * thread.h - a task that is a thread of its root (mode pthread).  Freestanding.
 *
 * Its C library believes to have a process of its own, so what would end that process, or give it
 * signal handlers, must be seen: thread_syscall() is asked by the traps of its libc and ld.so.  The
 * kernel knows nothing of such a task.  Which threads are its own shows in where they keep the list
 * of their robust mutexes (get_robust_list(2)), which C libraries have in their thread control
 * block: in a window of the task or, if it is loaded by dlmopen(), where the task's record says.
 */
#ifndef EMBRYO_THREAD_H
#define EMBRYO_THREAD_H

#include "space.h"

/* Handlers of the root's program, for signals that hit its own threads. */
struct thread_handlers {
	void (*exception)(int, siginfo_t *, void *);
	void (*abort)(int, siginfo_t *, void *);
	kernel_sigset_t ignored; /* exceptions that were ignored before them */
	/* Of its libc's two internal signals. */
	struct kernel_sigaction internal[THREAD_INTERNAL];
};

/* From here on signals lead to thread_on_signal().  me: a word with the root's record, which a
 * forked child finds empty. */
void thread_signals_take(struct task *const *me, const struct thread_handlers *own);
void thread_signals_give_back(void);

/* Called by arch_signal_entry with a caught signal, on whatever thread it has hit: which function
 * is to handle it, or NULL. */
void *thread_on_signal(int sig, const siginfo_t *info, const void *context);

/* Asks a thread of this task to leave, or all of the task to end as cancelled: signals that C
 * libraries keep for themselves, so programs never block them. */
#define THREAD_CANCEL 32
#define THREAD_LEAVE 33
void thread_queue(struct task *t, pid_t tid, int sig);

/* The first thread of a task in a namespace, which its libc's dynamic linker has not begun: its
 * pthread_t. */
void thread_begin(struct task *t, uintptr_t handle);

/* Whose thread this is: a task's, or NULL for one of the root's own program. */
struct task *thread_task(struct space *sp);

/* What a forked child needs to have its own signals: an ordinary process again. */
struct thread_signals {
	kernel_sigset_t reset; /* whose handlers lie in memory that it does not have; 0 = none */
	struct kernel_sigaction internal[THREAD_INTERNAL];
};
void thread_fork_begin(struct task *t, struct thread_signals *s);
void thread_fork_child(const struct thread_signals *s);

/* A system call of a task's libc or ld.so.  1: done, the result is in tr->nr; else 0. */
int thread_syscall(struct task *t, struct arch_trap *tr);

/* The same for an execve(2), in place of which the task goes on as a child of the root. */
int thread_exec(struct task *t, struct arch_trap *tr);

/* Ends the calling thread's task, all its threads with it; word as wait(2) would give it. */
_Noreturn void thread_end(struct task *t, int word);

/* Ends a task from outside. */
void thread_kill(struct task *t, int word);

#endif
