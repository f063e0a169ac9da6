/* share.c - start functions of tasks that share something; share.h has their arguments. */
#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "../../prog/prog.h"
#include "share.h"

/* Lives, and uses all that tasks share, between one meeting and the next. */
START(share_meet)
{
	struct meeting *m = arg;
	int me = -1;

	EXPECT_INT(pip_get_pipid(&me), 0);
	for (long turn = 0;; turn++) {
		void *got = NULL;
		char *own = malloc(100);

		EXPECT(own != NULL);
		EXPECT_INT(pip_named_export(own, "turn %ld", turn), 0);
		EXPECT_INT(pip_named_import(me, &got, "turn %ld", turn), 0);
		EXPECT(got == own);
		EXPECT_INT(pip_named_import(PIP_PIPID_ROOT, &got, "turn %ld", turn), 0);
		EXPECT(got == m);
		EXPECT_INT(pip_named_import((me + 1) % m->siblings, &got, "turn %ld", turn), 0);
		EXPECT(got != NULL);
		pip_libc_lock();
		pip_libc_unlock();
		pip_universal_lock();
		pip_universal_unlock();
		pip_barrier_wait(&m->barrier);
		if (m->last == turn)
			return 0;
	}
}

/* Takes the lock of all names as often as it can. */
START(share_names)
{
	void *got;

	(void)arg;
	for (long n = 0;; n++) {
		EXPECT_INT(pip_named_export(&got, "name %ld", n % 5000), n < 5000 ? 0 : EBUSY);
		EXPECT_INT(pip_named_import(PIP_PIPID_MYSELF, &got, "name %ld", n % 5000), 0);
		pip_named_tryimport(PIP_PIPID_ROOT, &got, "nothing");
	}
}

/* Holds the two public locks most of the time. */
START(share_locks)
{
	(void)arg;
	for (;;) {
		pip_libc_lock();
		pip_libc_lock();
		pip_universal_lock();
		pip_universal_unlock();
		pip_libc_unlock();
		pip_libc_unlock();
	}
}

static void *hold(void *arg)
{
	struct locks *l = arg;

	pip_libc_lock();
	pip_libc_lock();
	pip_universal_lock();
	l->held = 1;
	return NULL;
}

/* Never gives them back. */
START(share_hold)
{
	hold(arg);
	for (;;)
		pause();
}

/* The thread that has them ends, the task does not. */
START(share_hold_in_thread)
{
	pthread_t thread;

	EXPECT_INT(pthread_create(&thread, NULL, hold, arg), 0);
	EXPECT_INT(pthread_join(thread, NULL), 0);
	for (;;)
		pause();
}

START(share_want)
{
	struct locks *l = arg;

	WAIT_FOR(l->held);
	atomic_fetch_add(&l->wanted, 1);
	pip_universal_lock();
	pip_universal_unlock();
	pip_libc_lock();
	pip_libc_unlock();
	atomic_fetch_add(&l->got, 1);
	return 0;
}

/* Waits for a name that nobody exports. */
START(share_import)
{
	void *got;

	(void)arg;
	pip_named_import(PIP_PIPID_ROOT, &got, "never");
	return 1;
}

/* The task of the PIPID at arg gets SIGKILL, whoever that is by then. */
START(share_kill)
{
	for (;;)
		pip_kill(*(volatile int *)arg, SIGKILL);
}

static struct block *new_block(int owner, unsigned n)
{
	uint32_t size = n % 64 ? n % 1500 : n % 300000;
	struct block *b = malloc(sizeof(*b) + size);

	EXPECT(b != NULL);
	b->owner = owner;
	b->size = size;
	memset(b->data, owner & 0xff, size);
	return b;
}

/* Puts own blocks in the place of others', which it frees. */
START(share_swap)
{
	struct swap *s = arg;
	unsigned n = (unsigned)getpid();
	int me;

	EXPECT_INT(pip_get_pipid(&me), 0);
	while (!s->ends) {
		struct block *b;

		n = n * 1664525 + 1013904223;
		b = atomic_exchange(&s->slot[n >> 8 & (SWAP_SLOTS - 1)], new_block(me, n >> 8));
		if (b) {
			if (b->size)
				EXPECT_INT(b->data[b->size - 1], b->owner & 0xff);
			if (n & 1 << 20) {
				struct block *bigger = realloc(b, sizeof(*b) + b->size + 100);

				EXPECT(bigger != NULL);
				b = bigger;
			}
			free(b);
		}
		atomic_fetch_add(&s->pauses[me], 1);
	}
	return 0;
}

int main(void)
{
	return 0;
}
