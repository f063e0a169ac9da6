/*
 * pip_machdep.h - atomic operations, memory barriers and a spin lock on plain words.
 *
 * All of it is inline and needs no library, so root and tasks may share these objects whatever libc
 * each of them has.  pip.h does not include this header.  What differs by CPU is in
 * pip_machdep_x86_64.h and pip_machdep_aarch64.h: pip_pause() and pip_write_barrier().
 *
 * Callers: anybody.
 */
#ifndef PIP_PIP_MACHDEP_H
#define PIP_PIP_MACHDEP_H

#include <stdint.h>

#if defined(__x86_64__)
#include <pip/pip_machdep_x86_64.h>
#elif defined(__aarch64__)
#include <pip/pip_machdep_aarch64.h>
#else
#error "Process-in-Process knows x86_64 and aarch64 only"
#endif

/** A spin lock: 0 if free. */
typedef volatile uint32_t pip_spinlock_t;

/** A word for the atomic operations, as wide as a pointer. */
typedef volatile intptr_t pip_atomic_t;

/** Order all loads and stores before it against all that follow. */
static inline void pip_memory_barrier(void)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

/**
 * Replace a 32-bit word if it has the expected value.  A full memory barrier.
 *
 * @param ptr     the word
 * @param oldval  the value it must have
 * @param newval  the value to give it
 * @return non-zero if it was replaced
 */
static inline int pip_comp_and_swap(pip_spinlock_t *ptr, uint32_t oldval, uint32_t newval)
{
	return __atomic_compare_exchange_n(ptr, &oldval, newval, 0, __ATOMIC_SEQ_CST,
					   __ATOMIC_SEQ_CST);
}

/**
 * Replace a word as wide as a pointer if it has the expected value.  A full memory barrier.
 *
 * @param ptr     the word
 * @param oldval  the value it must have
 * @param newval  the value to give it
 * @return non-zero if it was replaced
 */
static inline int pip_comp2_and_swap(pip_atomic_t *ptr, intptr_t oldval, intptr_t newval)
{
	return __atomic_compare_exchange_n(ptr, &oldval, newval, 0, __ATOMIC_SEQ_CST,
					   __ATOMIC_SEQ_CST);
}

/**
 * Add to a word.  A full memory barrier.
 *
 * @param ptr  the word
 * @param val  what to add
 * @return the value before
 */
static inline intptr_t pip_atomic_fetch_and_add(pip_atomic_t *ptr, intptr_t val)
{
	return __atomic_fetch_add(ptr, val, __ATOMIC_SEQ_CST);
}

/**
 * Subtract from a word.  A full memory barrier.
 *
 * @param ptr  the word
 * @param val  what to subtract
 * @return the value after
 */
static inline intptr_t pip_atomic_sub_and_fetch(pip_atomic_t *ptr, intptr_t val)
{
	return __atomic_sub_fetch(ptr, val, __ATOMIC_SEQ_CST);
}

/**
 * Prepare a spin lock: free.
 *
 * @return 0
 */
static inline int pip_spin_init(pip_spinlock_t *lock)
{
	__atomic_store_n(lock, 0, __ATOMIC_RELEASE);
	return 0;
}

/**
 * Take a spin lock if it is free.
 *
 * @return non-zero if it was taken
 */
static inline int pip_spin_trylock(pip_spinlock_t *lock)
{
	uint32_t unlocked = 0;

	return __atomic_compare_exchange_n(lock, &unlocked, 1, 0, __ATOMIC_ACQUIRE,
					   __ATOMIC_RELAXED);
}

/**
 * Take a spin lock, burning CPU time until it is free.  For sections of a few instructions: nobody
 * frees the lock of a holder that the kernel does not run, or that has been killed.
 */
static inline void pip_spin_lock(pip_spinlock_t *lock)
{
	while (!pip_spin_trylock(lock)) {
		/* Only read while it is taken, so that the waiters do not fight for the line. */
		while (__atomic_load_n(lock, __ATOMIC_RELAXED))
			pip_pause();
	}
}

/** Give a spin lock back. */
static inline void pip_spin_unlock(pip_spinlock_t *lock)
{
	__atomic_store_n(lock, 0, __ATOMIC_RELEASE);
}

/**
 * Finish with a spin lock.
 *
 * @return 0
 */
static inline int pip_spin_destroy(pip_spinlock_t *lock)
{
	return pip_spin_init(lock);
}

#endif
