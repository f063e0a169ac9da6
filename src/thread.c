/*
 * thread.c - tasks that are threads of the root: their signals and their end, as programs see it.
 * Entry functions: thread_take_signals(), thread_ended().  The other half, which runs on any thread
 * pointer, is embryo/thread.c.
 */
#include "thread.h"

#include <limits.h>
#include <pthread.h>
#include <unistd.h>

#include "embryo/thread.h"
#include "self.h"

static void *wait_for_cancel(void *arg)
{
	for (;;)
		pause();
	return arg;
}

/*
 * glibc sets the handler of its cancellation signal at the first pthread_cancel().  Ours comes in
 * its place, so that has to be over.
 */
static void cancel_once(void)
{
	pthread_attr_t attr;
	pthread_t thread;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, (size_t)PTHREAD_STACK_MIN + 65536);
	if (pthread_create(&thread, &attr, wait_for_cancel, NULL) == 0) {
		pthread_cancel(thread);
		pthread_join(thread, NULL);
	}
	pthread_attr_destroy(&attr);
}

void thread_take_signals(struct task *root, thread_handler *exception, thread_handler *abort,
			 kernel_sigset_t ignored)
{
	struct thread_handlers own = { .exception = exception, .abort = abort, .ignored = ignored };

	cancel_once();
	root->thread.handle = (uintptr_t)pthread_self();
	root->thread.named = 1;
	thread_signals_take(&self->task, &own);
}

int thread_cancel(const struct task *me, uintptr_t handle)
{
	struct task *t = NULL;

	for (uint32_t i = 0; i < atomic_load(&me->space->nslots) && !t; i++) {
		t = &me->space->task[i];
		if (atomic_load(&t->state) != TASK_LIVE || t == me || !t->thread.on ||
		    atomic_load(&t->thread.handle) != handle)
			t = NULL;
	}
	if (!t)
		return -ESRCH;
	if (atomic_load(&t->thread.child)) {
		t->thread.cancelled = 1;
		kill(atomic_load(&t->thread.child), SIGKILL);
	} else if (!atomic_load(&t->thread.ended)) {
		thread_queue(t, atomic_load(&t->pid), THREAD_CANCEL);
	}
	return 0;
}

int thread_ended(struct task *t, bool block, int *word)
{
	if (!block && !atomic_load(&t->thread.ended))
		return 0;
	/* The kernel's wake-up is not that of the private kind, and is for one alone. */
	while (atomic_load(&t->thread.alive))
		sys_futex_wait_shared(&t->thread.alive, 1, NULL);
	sys_futex_wake_shared(&t->thread.alive, INT_MAX);
	*word = t->thread.word;
	return 1;
}

uintptr_t thread_handle(struct task *t)
{
	const struct timespec limit = { 0, 50000000 }; /* another one may collect it meanwhile */

	while (atomic_load(&t->state) == TASK_LIVE && !atomic_load(&t->thread.named))
		sys_futex_wait(&t->thread.named, 0, &limit);
	return atomic_load(&t->thread.handle);
}

uint32_t thread_ends(const struct task *root)
{
	return atomic_load(&root->thread.ends);
}

void thread_await_end(struct task *root, uint32_t seen)
{
	struct timespec limit = { 0, 50000000 };

	sys_futex_wait(&root->thread.ends, seen, &limit);
}
