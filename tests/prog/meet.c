/* meet.c - tasks that meet at barriers and locks; meet.h has their arguments. */
#include <errno.h>

#include <pip/pip_machdep.h>

#include "meet.h"
#include "prog.h"

START(meet_barrier)
{
	meet_rounds(arg);
	return 0;
}

/* The same, at a barrier in the memory of task 0. */
START(meet_at_tasks)
{
	static pip_barrier_t barrier;
	struct meet *m = arg;
	void *exported;
	int me;

	EXPECT_INT(pip_get_pipid(&me), 0);
	if (me == 0) {
		EXPECT_INT(pip_barrier_init(&barrier, m->tasks), 0);
		EXPECT_INT(pip_named_export(&barrier, "barrier"), 0);
	}
	EXPECT_INT(pip_named_import(0, &exported, "barrier"), 0);
	for (int i = 0; i < m->rounds; i++)
		EXPECT_INT(pip_barrier_wait(exported), 0);
	/* Nobody is there any more when its owner goes. */
	if (me) {
		m->next++;
	} else {
		WAIT_FOR(m->next == m->tasks - 1);
		EXPECT_INT(pip_barrier_fin(&barrier), 0);
	}
	return 0;
}

START(meet_errors)
{
	pip_barrier_t barrier;

	(void)arg;
	EXPECT_INT(pip_barrier_init(&barrier, 0), EINVAL);
	EXPECT_INT(pip_barrier_init(&barrier, -1), EINVAL);
	EXPECT_INT(pip_barrier_init(&barrier, 1), 0);
	for (int i = 0; i < 10; i++)
		EXPECT_INT(pip_barrier_wait(&barrier), 0);
	EXPECT_INT(pip_barrier_fin(&barrier), 0);
	return 0;
}

/* pthread objects with default attributes, in memory of the root's. */
START(meet_pthread)
{
	struct meet *m = arg;

	for (int i = 0; i < m->rounds; i++) {
		int rc = pthread_barrier_wait(&m->pthread_barrier);

		EXPECT(rc == 0 || rc == PTHREAD_BARRIER_SERIAL_THREAD);
		EXPECT_INT(pthread_mutex_lock(&m->mutex), 0);
		m->counter++;
		EXPECT_INT(pthread_mutex_unlock(&m->mutex), 0);
	}
	return 0;
}

START(meet_cond)
{
	struct meet *m = arg;

	EXPECT_INT(pthread_mutex_lock(&m->mutex), 0);
	m->next++;
	while (!m->late)
		EXPECT_INT(pthread_cond_wait(&m->cond, &m->mutex), 0);
	m->counter++;
	EXPECT_INT(pthread_mutex_unlock(&m->mutex), 0);
	EXPECT_INT(sem_post(&m->semaphore), 0);
	return 0;
}

/* The library's own locks; the first one may be taken again by its holder. */
START(meet_locks)
{
	struct meet *m = arg;

	for (int i = 0; i < m->rounds; i++) {
		pip_libc_lock();
		pip_glibc_lock();
		m->counter++;
		pip_glibc_unlock();
		pip_libc_unlock();
		pip_universal_lock();
		m->late++;
		pip_universal_unlock();
	}
	return 0;
}

/* Takes both locks and waits for its end. */
START(meet_hold_locks)
{
	struct meet *m = arg;

	pip_libc_lock();
	pip_libc_lock();
	pip_universal_lock();
	m->next++;
	for (;;)
		pause();
}

/* pip_machdep.h, on words that all use at a time. */
START(meet_spin)
{
	struct meet *m = arg;
	pip_spinlock_t *lock = (pip_spinlock_t *)&m->own;
	pip_atomic_t *words = (pip_atomic_t *)&m->counter;

	for (int i = 0; i < m->rounds; i++) {
		intptr_t seen;

		pip_spin_lock(lock);
		m->late++;
		pip_spin_unlock(lock);
		do
			seen = *words;
		while (!pip_comp2_and_swap(words, seen, seen + 1));
		pip_atomic_fetch_and_add(words, 2);
		pip_atomic_sub_and_fetch(words, 1);
	}
	return 0;
}

int main(void)
{
	return EXPECT_FAILED;
}
