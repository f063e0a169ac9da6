/*
 * barrier.c - pip_barrier_t: blocks without spinning; works between programs with different C
 * libraries, so only the memory and the kernel's futex are used.  Entry function: barrier_wait().
 *
 * count counts the arrivals of the present round; gsense is the number of finished rounds and the
 * futex that the others sleep on.  The semaphores of the structure are not used.
 */
#include "barrier.h"

#include <limits.h>

#include "base/sys.h"

void barrier_init(pip_barrier_t *b, int n)
{
	b->count_init = n;
	b->gsense = 0;
	__atomic_store_n(&b->count, 0, __ATOMIC_RELEASE);
}

void barrier_wait(pip_barrier_t *b)
{
	int round = __atomic_load_n(&b->gsense, __ATOMIC_ACQUIRE);

	if (__atomic_add_fetch(&b->count, 1, __ATOMIC_ACQ_REL) == (uint32_t)b->count_init) {
		__atomic_store_n(&b->count, 0, __ATOMIC_RELAXED);
		__atomic_add_fetch(&b->gsense, 1, __ATOMIC_RELEASE);
		sys_futex_wake((_Atomic uint32_t *)&b->gsense, INT_MAX);
		return;
	}
	while (__atomic_load_n(&b->gsense, __ATOMIC_ACQUIRE) == round)
		sys_futex_wait((_Atomic uint32_t *)&b->gsense, (uint32_t)round, NULL);
}

int barrier_fin(const pip_barrier_t *b)
{
	return __atomic_load_n(&b->count, __ATOMIC_ACQUIRE) ? -EBUSY : 0;
}
