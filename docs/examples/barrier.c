/*
 * barrier.c - tasks meet at a barrier that lies in the memory of one of them.
 *
 *     barrier [N]                 starts N tasks of itself (default 4)
 *     pip-exec -n 4 ./barrier     the same tasks, under somebody else's root
 *
 * The barrier is an ordinary pthread_barrier_t, not marked as shared between processes: there is
 * one address space, so a pointer to it is enough.  Between two meetings each task draws a number
 * with rand().  Had they one libc in common, every number would go to one of them only; but each
 * has its own, so all draw the same sequence.
 */
#include <pthread.h>

#include "example.h"

#define DRAWS 3

static pthread_barrier_t barrier; /* each task has one; they use that of task 0 */

static int task(int pipid, int ntasks)
{
	int drawn[DRAWS];
	void *meeting = &barrier;

	setvbuf(stdout, NULL, _IOLBF, 0); /* whole lines, since several tasks write */

	if (pipid == 0) {
		check(pthread_barrier_init(&barrier, NULL, (unsigned)ntasks), "barrier");
		check(pip_named_export(&barrier, "barrier"), "pip_named_export");
	} else {
		/* This waits until task 0 has exported it. */
		check(pip_named_import(0, &meeting, "barrier"), "pip_named_import");
	}
	printf("task %d (pid %d) arrives\n", pipid, (int)getpid());

	for (int i = 0; i < DRAWS; i++) {
		pthread_barrier_wait(meeting);
		drawn[i] = rand();
	}
	printf("task %d (pid %d) drew %d %d %d; its own barrier is at %p, they met at %p\n", pipid,
	       (int)getpid(), drawn[0], drawn[1], drawn[2], (void *)&barrier, meeting);

	/*
	 * Task 0's memory may go once it has ended.  pthread_barrier_destroy() returns when the
	 * last of the others has left the barrier.
	 */
	pthread_barrier_wait(meeting);
	if (meeting == &barrier)
		pthread_barrier_destroy(&barrier);
	return EXIT_SUCCESS;
}

static int root(int ntasks, char **argv)
{
	for (int i = 0; i < ntasks; i++) {
		int pipid = i;

		check(pip_spawn(argv[0], argv, NULL, PIP_CPUCORE_ASIS, &pipid, NULL, NULL, NULL),
		      "pip_spawn");
	}
	return collect(ntasks) ? EXIT_FAILURE : EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	int pipid, ntasks = argc > 1 ? atoi(argv[1]) : 4;

	/* In the root, ntasks is a wish; in a task, which may call this too, it is the answer. */
	check(pip_init(&pipid, &ntasks, NULL, 0), "pip_init");
	return pipid == PIP_PIPID_ROOT ? root(ntasks, argv) : task(pipid, ntasks);
}
