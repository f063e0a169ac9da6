/* meet.h - what meet.c, the tasks that meet at barriers and locks, and their tests share. */
#ifndef MEET_H
#define MEET_H

#include <pthread.h>
#include <stdatomic.h>

#include <pip/pip.h>

#define MEET_MAX 16

struct meet {
	pip_barrier_t *barrier, *second;
	int tasks; /* how many take part, the root included if it does */
	int rounds;
	atomic_int next;            /* number of the next participant to come */
	atomic_int round[MEET_MAX]; /* each participant's */
	atomic_int wrong;

	pthread_mutex_t mutex;
	pthread_barrier_t pthread_barrier;
	pthread_cond_t cond;
	sem_t semaphore;
	long counter, late;

	pip_barrier_t own; /* what barrier may point to */
};

/* What each participant does, root or task. */
static inline void meet_rounds(struct meet *m)
{
	int me = atomic_fetch_add(&m->next, 1);

	for (int i = 1; i <= m->rounds; i++) {
		m->round[me] = i;
		if (pip_barrier_wait(m->barrier))
			m->wrong++;
		/* All have come to this round, nobody has come to the next one and got on. */
		for (int j = 0; j < m->tasks; j++)
			if (m->round[j] < i || m->round[j] > i + 1)
				m->wrong++;
		if (m->second && pip_barrier_wait(m->second))
			m->wrong++;
		/* With a second barrier nobody can be ahead. */
		for (int j = 0; m->second && j < m->tasks; j++)
			if (m->round[j] < i)
				m->wrong++;
	}
}

#endif
