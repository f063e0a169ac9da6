/*
 * carrier.c - parked threads that lend their thread pointers, or become tasks themselves.
 * Entry function: carrier_start().
 */
#include "carrier.h"

#include <limits.h>
#include <linux/rseq.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>

#include "base/sys.h"
#include "embryo/embryo.h"
#include "interp.h"

#define STACK_USED 16384 /* below its frame, by its system calls and the frame of a signal */

enum carrier_done {
	WAITS,
	DONE,
	BROKEN,
	IS_TASK
};

struct carrier {
	pthread_t thread;
	uintptr_t thread_pointer, stack;
	int *tid;
	void *robust_list, *rseq;
	struct robust_list_head none;
	bool has_stack, is_task;
	struct launch *launch;
	_Atomic uint32_t ready, done;
};

/* What the kernel has been told of this thread's block is another thread's from now on. */
static void lend_block(struct carrier *c)
{
	intptr_t offset;
	size_t len;

	sys_call(SYS_get_robust_list, 0, &c->robust_list, &len, 0, 0, 0);
	c->none.list.next = &c->none.list;
	sys_call(SYS_set_robust_list, &c->none, sizeof(c->none), 0, 0, 0, 0);
	if (!interp_rseq(&offset))
		return;
	c->rseq = (char *)arch_thread_pointer() + offset;
	if (sys_call(SYS_rseq, c->rseq, EMBRYO_RSEQ_SIZE, RSEQ_FLAG_UNREGISTER, ARCH_RSEQ_SIG, 0,
		     0))
		c->rseq = NULL;
}

static void *wait_here(void *arg)
{
	struct carrier *c = arg;

	c->thread_pointer = arch_thread_pointer();
	if (c->has_stack) {
		c->stack = (uintptr_t)__builtin_frame_address(0) - STACK_USED;
		/* Where its TID is, which the kernel is to clear at its end (Linux 3.5). */
		sys_call(SYS_prctl, PR_GET_TID_ADDRESS, &c->tid, 0, 0, 0, 0);
		if (!c->is_task)
			lend_block(c);
	}
	c->ready = 1;
	sys_futex_wake(&c->ready, 1);
	while (c->done == WAITS)
		sys_futex_wait(&c->done, WAITS, NULL); /* raw: its libc state is another's now */
	if (c->done == IS_TASK)
		arch_call_on_stack((uintptr_t)c->launch, embryo_main, c->launch);
	/* A thread that ends gives its malloc() cache back, for which it would wait for a lock
	 * that nobody holds any more.  pthread_join() goes by the kernel's notice and takes its
	 * stack all the same. */
	if (c->done == BROKEN)
		for (;;)
			sys_call(SYS_exit, 0, 0, 0, 0, 0, 0);
	return NULL;
}

void carrier_facts(const struct carrier *c, struct namespace_start *s)
{
	s->stack = c->stack;
	s->handle = (uintptr_t)c->thread;
	s->tid = c->tid;
	s->robust_list = c->robust_list;
	s->rseq = c->rseq;
}

int32_t carrier_tid(const struct carrier *c)
{
	return *c->tid;
}

static void go_on(struct carrier *c, enum carrier_done how)
{
	c->done = how;
	sys_futex_wake(&c->done, 1);
}

void carrier_begin(struct carrier *c, struct launch *l)
{
	c->launch = l;
	go_on(c, IS_TASK);
}

int carrier_start(struct carrier **cp, uintptr_t *thread_pointer)
{
	return carrier_start_stack(cp, thread_pointer, 0, false);
}

int carrier_start_stack(struct carrier **cp, uintptr_t *thread_pointer, size_t stack, bool is_task)
{
	struct carrier *c = calloc(1, sizeof(*c));
	sigset_t all, before;
	pthread_attr_t attr;
	int rc;

	if (!c)
		return -ENOMEM;
	c->has_stack = stack != 0;
	c->is_task = is_task;
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, (size_t)PTHREAD_STACK_MIN + STACK_USED + stack);
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
	if (stack && (!c->tid || (!is_task && !c->robust_list))) {
		carrier_stop(c, false);
		return -ENOSYS;
	}
	*thread_pointer = c->thread_pointer;
	*cp = c;
	return 0;
}

void carrier_stop(struct carrier *c, bool broken)
{
	if (!c)
		return;
	if (c->done == WAITS)
		go_on(c, broken ? BROKEN : DONE);
	pthread_join(c->thread, NULL);
	free(c);
}
