/*
 * neighbours.c - every task reads a variable of every other task, through a plain pointer.
 *
 *     neighbours [N]                 starts N tasks of itself (default 4) and checks them
 *     pip-exec -n 4 ./neighbours     the same tasks, under somebody else's root
 *
 * All tasks run the same program, so all have a variable "mine".  But each has its own one, at an
 * address of its own, and all the addresses are valid in all the tasks: root() and task() are the
 * two sides of it.  The exit code is 0 only if every read gave what it had to give.
 */
#include <pthread.h>

#include "example.h"

/* What each task tells about itself. */
struct card {
	long value;
	pid_t pid;
};

static struct card mine;

/* What task "pipid" has put into its variable. */
static long expected(int pipid)
{
	return 111L * (pipid + 1);
}

/* Only task 0's instance of it is used: that is all it takes to share it. */
static pthread_barrier_t farewell;

static pthread_barrier_t *farewell_get(int pipid, int ntasks)
{
	void *theirs;

	if (pipid == 0) {
		check(pthread_barrier_init(&farewell, NULL, (unsigned)ntasks), "barrier");
		check(pip_named_export(&farewell, "farewell"), "pip_named_export");
		return &farewell;
	}
	check(pip_named_import(0, &theirs, "farewell"), "pip_named_import");
	return theirs;
}

static int task(int pipid, int ntasks)
{
	pthread_barrier_t *barrier = farewell_get(pipid, ntasks);
	int wrong = 0;

	setvbuf(stdout, NULL, _IOLBF, 0); /* whole lines, since several tasks write */

	mine.value = expected(pipid);
	mine.pid = getpid();
	check(pip_named_export(&mine, "mine"), "pip_named_export");

	for (int other = 0; other < ntasks; other++) {
		const struct card *theirs;
		void *exported;

		if (other == pipid)
			continue;
		/* This waits until the other task has exported its variable. */
		check(pip_named_import(other, &exported, "mine"), "pip_named_import");
		theirs = exported;
		printf("task %d (pid %d) reads task %d's variable at %p = %ld\n", pipid,
		       (int)mine.pid, other, exported, theirs->value);
		if (theirs == &mine || theirs->pid == mine.pid || theirs->value != expected(other))
			wrong++;
	}

	/*
	 * A task's memory may go once it has ended, so nobody leaves before all have read.  The
	 * barrier's owner leaves last: pthread_barrier_destroy() waits for those still inside it.
	 */
	pthread_barrier_wait(barrier);
	if (barrier == &farewell)
		pthread_barrier_destroy(&farewell);
	return wrong ? EXIT_FAILURE : EXIT_SUCCESS;
}

static int root(int ntasks, char **argv)
{
	const struct card **theirs = calloc((size_t)ntasks, sizeof(void *));
	int wrong = 0;

	check(theirs ? 0 : ENOMEM, "calloc");
	for (int i = 0; i < ntasks; i++) {
		int pipid = i;

		check(pip_spawn(argv[0], argv, NULL, PIP_CPUCORE_ASIS, &pipid, NULL, NULL, NULL),
		      "pip_spawn");
	}

	/* The root reads too.  Until it has waited for a task, that task's memory stays. */
	for (int i = 0; i < ntasks; i++) {
		void *exported;

		check(pip_named_import(i, &exported, "mine"), "pip_named_import");
		theirs[i] = exported;
		if (theirs[i] == &mine || theirs[i]->value != expected(i))
			wrong++;
		for (int k = 0; k < i; k++)
			if (theirs[i] == theirs[k] || theirs[i]->pid == theirs[k]->pid)
				wrong++;
	}
	free(theirs);
	wrong += collect(ntasks);

	/* The tasks have ended with 0: each has read what it had to read. */
	printf("root (pid %d): %d tasks, each with its own PID, in one address space; %d variables "
	       "called \"mine\", read %d times through pointers: ",
	       (int)getpid(), ntasks, ntasks, ntasks * ntasks);
	if (wrong)
		printf("%d wrong\n", wrong);
	else
		printf("all right\n");
	return wrong ? EXIT_FAILURE : EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	int pipid, ntasks = argc > 1 ? atoi(argv[1]) : 4;

	/* In the root, ntasks is a wish; in a task, which may call this too, it is the answer. */
	check(pip_init(&pipid, &ntasks, NULL, 0), "pip_init");
	return pipid == PIP_PIPID_ROOT ? root(ntasks, argv) : task(pipid, ntasks);
}
