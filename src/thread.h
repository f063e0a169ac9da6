/* thread.h - tasks that are threads of the root: their signals and their end. */
#ifndef THREAD_H
#define THREAD_H

#include "task.h"

typedef void thread_handler(int sig, siginfo_t *info, void *context);

/* In a root whose tasks are threads: gets its signals ready, the handlers being those given. */
void thread_take_signals(struct task *root, thread_handler *exception, thread_handler *abort,
			 kernel_sigset_t ignored);

/* pthread_cancel(3) of a task.  -ESRCH: that is nobody's main thread but the caller's own. */
int thread_cancel(const struct task *me, uintptr_t handle);

/* Has it ended?  1 with its wait(2) word, or 0; with `block`, waits until it has. */
int thread_ended(struct task *t, bool block, int *word);

/* The pthread_t of its main thread, 0 if it has ended without one. */
uintptr_t thread_handle(struct task *t);

/* How many of the root's tasks have ended; waits, not for ever, until that is not `seen`. */
uint32_t thread_ends(const struct task *root);
void thread_await_end(struct task *root, uint32_t seen);

#endif
