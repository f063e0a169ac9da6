/* carrier.c - parked threads that lend their thread pointers.  Entry function: carrier_start(). */
#include "carrier.h"

#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#include "base/sys.h"

#define BROKEN 2

struct carrier {
	pthread_t thread;
	uintptr_t thread_pointer;
	_Atomic uint32_t ready, done;
};

static void *wait_here(void *arg)
{
	struct carrier *c = arg;

	c->thread_pointer = arch_thread_pointer();
	c->ready = 1;
	sys_futex_wake(&c->ready, 1);
	while (!c->done)
		sys_futex_wait(&c->done, 0, NULL); /* raw: its libc state is somebody else's now */
	/* A thread that ends gives its malloc() cache back, for which it would wait for a lock
	 * that nobody holds any more.  pthread_join() goes by the kernel's notice and takes its
	 * stack all the same. */
	if (c->done == BROKEN)
		for (;;)
			sys_call(SYS_exit, 0, 0, 0, 0, 0, 0);
	return NULL;
}

int carrier_start(struct carrier **cp, uintptr_t *thread_pointer)
{
	struct carrier *c = calloc(1, sizeof(*c));
	sigset_t all, before;
	pthread_attr_t attr;
	int rc;

	if (!c)
		return -ENOMEM;
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, (size_t)PTHREAD_STACK_MIN + 16384);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = pthread_create(&c->thread, &attr, wait_here, c);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attr);
	if (rc) {
		free(c);
		return -rc;
	}
	while (!c->ready)
		sys_futex_wait(&c->ready, 0, NULL);
	*thread_pointer = c->thread_pointer;
	*cp = c;
	return 0;
}

void carrier_stop(struct carrier *c, bool broken)
{
	if (!c)
		return;
	c->done = broken ? BROKEN : 1;
	sys_futex_wake(&c->done, 1);
	pthread_join(c->thread, NULL);
	free(c);
}
