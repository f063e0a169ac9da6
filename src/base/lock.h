/*
 * lock.h - a lock shared by all programs of a space, which survives the death of its holder.
 *
 * Each task has its own libc, so no pthread object can be shared safely by all of them; and a task
 * can be killed at any instant, so a plain lock word could stay taken for ever.  The kernel's
 * priority-inheritance futex (futex(2), FUTEX_LOCK_PI) knows the owner by its TID and reports its
 * death even while it is a zombie: -ESRCH to a later comer, FUTEX_OWNER_DIED to a waiter.
 *
 * What such a lock guards must be consistent after every single store, since the next holder may
 * find any prefix of a critical section carried out.
 */
#ifndef BASE_LOCK_H
#define BASE_LOCK_H

#include <stdatomic.h>

#include "base/sys.h"

struct lock {
	_Atomic uint32_t word; /* 0, or the owner's TID with the kernel's FUTEX_WAITERS bit */
};

/* Takes the lock with every signal blocked, so that no handler can wait for its own thread. */
static inline kernel_sigset_t lock_acquire(struct lock *l)
{
	kernel_sigset_t all = ~(kernel_sigset_t)0, before = 0;
	uint32_t tid = (uint32_t)sys_gettid(), seen = 0;

	sys_sigmask(SIG_BLOCK, &all, &before);
	while (!atomic_compare_exchange_strong(&l->word, &seen, tid)) {
		long rc = sys_call(SYS_futex, &l->word, FUTEX_LOCK_PI_PRIVATE, 0, 0, 0, 0);

		/* EDEADLK: a dead owner's TID is this thread's by now.  No thread takes a lock
		 * twice. */
		if (rc == 0 || (rc == -EDEADLK && (atomic_load(&l->word) & FUTEX_TID_MASK) == tid))
			break;
		/* The owner is gone and nobody waited: take its word over as it stands. */
		if (rc == -ESRCH && seen != 0 &&
		    atomic_compare_exchange_strong(&l->word, &seen, tid))
			break;
		seen = 0;
	}
	return before;
}

/* The same without waiting: false if another has it, a dead one perhaps. */
static inline bool lock_try(struct lock *l, kernel_sigset_t *before)
{
	kernel_sigset_t all = ~(kernel_sigset_t)0;
	uint32_t tid = (uint32_t)sys_gettid(), nobody = 0;

	sys_sigmask(SIG_BLOCK, &all, before);
	if (atomic_compare_exchange_strong(&l->word, &nobody, tid))
		return true;
	sys_sigmask(SIG_SETMASK, before, NULL);
	return false;
}

/* Gives it back, and the signal mask that lock_acquire() returned. */
static inline void lock_release(struct lock *l, kernel_sigset_t before)
{
	uint32_t tid = (uint32_t)sys_gettid();

	if (!atomic_compare_exchange_strong(&l->word, &tid, 0))
		sys_call(SYS_futex, &l->word, FUTEX_UNLOCK_PI_PRIVATE, 0, 0, 0, 0);
	sys_sigmask(SIG_SETMASK, &before, NULL);
}

/*
 * If its owner is dead, frees it, before another process of this machine gets the same TID: for
 * that one's end everybody would wait then.
 */
static inline void lock_recover(struct lock *l)
{
	uint32_t tid = (uint32_t)sys_gettid(), seen = atomic_load(&l->word);
	kernel_sigset_t mask = 0;
	long rc;

	if (seen == 0 || (seen & FUTEX_TID_MASK) == tid)
		return;
	rc = sys_call(SYS_futex, &l->word, FUTEX_TRYLOCK_PI_PRIVATE, 0, 0, 0, 0);
	if (rc && !(rc == -ESRCH && atomic_compare_exchange_strong(&l->word, &seen, tid)))
		return;
	sys_sigmask(SIG_BLOCK, NULL, &mask);
	lock_release(l, mask);
}

/* Does the calling thread hold it? */
static inline bool lock_is_mine(struct lock *l)
{
	return (atomic_load(&l->word) & FUTEX_TID_MASK) == (uint32_t)sys_gettid();
}

#endif
