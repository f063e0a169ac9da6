/*
 * spawn.c - what it costs to start a task, beside what the same program costs as a process.
 *
 * main() runs two measurements and prints a line for each claim, a ratio and what it comes from:
 * rounds_measure(), a program that does nothing from its start until it has been collected, by
 * every way to run it (peers[]) in turn; ladder_measure(), the start of the 1,000th live task
 * beside that of the 10th.  Nothing is judged here: the exit code only says that all could be run.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <pip/pip.h>

#include "measure.h"

#define WARM_UPS 5
#define READY_LIMIT_MS 10000

/* Ways to start a program, for both measurements. */

static int task_start(char **argv)
{
	int pipid = PIP_PIPID_ANY;
	int err = pip_spawn(argv[0], argv, NULL, PIP_CPUCORE_ASIS, &pipid, NULL, NULL, NULL);

	if (err)
		fail("pip_spawn", err);
	return pipid;
}

static void task_collect(int pipid)
{
	int status, err = pip_wait(pipid, &status);

	if (err || status)
		fail("pip_wait", err);
}

static pid_t process_start(char **argv)
{
	pid_t pid;
	int err = posix_spawn(&pid, argv[0], NULL, NULL, argv, environ);

	if (err)
		fail("posix_spawn", err);
	return pid;
}

static void process_collect(pid_t pid)
{
	int status;

	if (waitpid(pid, &status, 0) != pid)
		fail("waitpid", errno);
	if (status)
		fail("process", 0);
}

/* First measurement: one run of bench/prog/nothing, start to end. */

static char *nothing, *nothing_so;

static void run_task(void)
{
	task_collect(task_start((char *[]){ nothing, NULL }));
}

static void run_posix_spawn(void)
{
	process_collect(process_start((char *[]){ nothing, NULL }));
}

static void run_fork_exec(void)
{
	pid_t pid = fork();

	if (pid < 0)
		fail("fork", errno);
	if (pid == 0) {
		execve(nothing, (char *[]){ nothing, NULL }, environ);
		_exit(127);
	}
	process_collect(pid);
}

/* A namespace is no process and has no PID: this is only what loading the program privately
 * costs. */
static void run_dlmopen(void)
{
	void *handle = dlmopen(LM_ID_NEWLM, nothing_so, RTLD_NOW);
	int (*start)(void);

	if (!handle) {
		fprintf(stderr, "spawn: %s\n", dlerror());
		fail("dlmopen", 0);
	}
	start = (int (*)(void))dlsym(handle, "main");
	if (!start || start() || dlclose(handle))
		fail("namespace", 0);
}

/* The first is what the others are compared with. */
static const struct peer {
	const char *name;
	void (*run)(void);
} peers[] = {
	{ "pip_spawn", run_task },
	{ "posix_spawn", run_posix_spawn },
	{ "fork+exec", run_fork_exec },
	{ "dlmopen", run_dlmopen },
};
#define NPEERS (int)(sizeof(peers) / sizeof(peers[0]))

static void rounds_measure(int rounds, int runs)
{
	double *samples[NPEERS], *medians[NPEERS], *ratios[NPEERS];

	for (int p = 0; p < NPEERS; p++) {
		samples[p] = allocate((size_t)runs, sizeof(double));
		medians[p] = allocate((size_t)rounds, sizeof(double));
		ratios[p] = allocate((size_t)rounds, sizeof(double));
		for (int i = 0; i < WARM_UPS; i++)
			peers[p].run();
	}

	for (int round = 0; round < rounds; round++) {
		for (int i = 0; i < runs; i++) {
			for (int p = 0; p < NPEERS; p++) {
				double before = now_us();

				peers[p].run();
				samples[p][i] = now_us() - before;
			}
		}
		for (int p = 0; p < NPEERS; p++) {
			medians[p][round] = median(samples[p], runs);
			ratios[p][round] = medians[0][round] / medians[p][round];
		}
	}

	printf("# start, run and collect a program that does nothing: %d rounds of %d runs of each "
	       "peer in turn\n",
	       rounds, runs);
	for (int p = 0; p < NPEERS; p++) {
		double middle = median(medians[p], rounds);

		printf("cost %s %.1f us (min %.1f, max %.1f)\n", peers[p].name, middle,
		       medians[p][0], medians[p][rounds - 1]);
	}
	for (int p = 1; p < NPEERS; p++) {
		double middle = median(ratios[p], rounds);

		printf("claim %s/%s ratio %.3f (min %.3f, max %.3f)\n", peers[0].name,
		       peers[p].name, middle, ratios[p][0], ratios[p][rounds - 1]);
	}

	for (int p = 0; p < NPEERS; p++) {
		free(samples[p]);
		free(medians[p]);
		free(ratios[p]);
	}
}

/* Second measurement: many live tasks, and as many live processes as their control. */

static int ready[2], hold[2]; /* what bench/prog/waits writes to, and what it reads from */

static void ready_wait(void)
{
	struct pollfd fd = { .fd = ready[0], .events = POLLIN };
	char byte;

	if (poll(&fd, 1, READY_LIMIT_MS) != 1 || read(ready[0], &byte, 1) != 1)
		fail("no sign of life from a program", 0);
}

/* The first steps are those of tasks 5 to 15, the last ones those of tasks 990 to 1,000. */
#define STEPS_FIRST (5 - 1)
#define STEPS 11
#define LADDER_MIN (STEPS_FIRST + 2 * STEPS)

static void ladder_print(const char *name, double *times, int live)
{
	double first = median(times + STEPS_FIRST, STEPS);
	double last = median(times + live - STEPS, STEPS);

	printf("claim %s-%d/%s-10 ratio %.3f (%.1f us, %.1f us)\n", name, live, name, last / first,
	       last, first);
}

static void ladder_measure(int live)
{
	double *task_times = allocate((size_t)live, sizeof(double));
	double *process_times = allocate((size_t)live, sizeof(double));
	int *pipids = allocate((size_t)live, sizeof(int));
	pid_t *pids = allocate((size_t)live, sizeof(pid_t));
	char *argv[] = { program("waits"), NULL, NULL, NULL };

	/* Each program inherits its own ends of the pipes; ours must not keep the others alive. */
	if (pipe(ready) || pipe(hold))
		fail("pipe", errno);
	if (fcntl(ready[0], F_SETFD, FD_CLOEXEC) || fcntl(hold[1], F_SETFD, FD_CLOEXEC))
		fail("fcntl", errno);
	argv[1] = text("%d", ready[1]);
	argv[2] = text("%d", hold[0]);

	for (int i = 0; i < live; i++) {
		double before = now_us();

		pipids[i] = task_start(argv);
		ready_wait();
		task_times[i] = now_us() - before;

		before = now_us();
		pids[i] = process_start(argv);
		ready_wait();
		process_times[i] = now_us() - before;
	}

	close(hold[1]);
	for (int i = 0; i < live; i++) {
		task_collect(pipids[i]);
		process_collect(pids[i]);
	}
	close(hold[0]);
	close(ready[0]);
	close(ready[1]);

	printf("# start a program until its main runs, with %d alive at last: medians of tasks "
	       "%d-%d and %d-%d\n",
	       live, STEPS_FIRST + 1, STEPS_FIRST + STEPS, live - STEPS + 1, live);
	ladder_print("task", task_times, live);
	ladder_print("process", process_times, live);

	for (int i = 0; argv[i]; i++)
		free(argv[i]);
	free(task_times);
	free(process_times);
	free(pipids);
	free(pids);
}

static _Noreturn void usage(void)
{
	fprintf(stderr,
		"Usage: spawn [-r ROUNDS] [-b RUNS] [-n LIVE]\n"
		"  -r ROUNDS  rounds of the first measurement (default 21)\n"
		"  -b RUNS    runs of each peer in a round (default 20)\n"
		"  -n LIVE    live tasks of the second part, %d to %d; 0: none (default 1000)\n",
		LADDER_MIN, PIP_NTASKS_MAX);
	exit(2);
}

int main(int argc, char **argv)
{
	int rounds = 21, runs = 20, live = 1000, ntasks, option, err;

	while ((option = getopt(argc, argv, "r:b:n:h")) != -1) {
		switch (option) {
		case 'r':
			rounds = number(usage, optarg, 1, 100000);
			break;
		case 'b':
			runs = number(usage, optarg, 1, 100000);
			break;
		case 'n':
			live = number(usage, optarg, 0, PIP_NTASKS_MAX);
			if (live && live < LADDER_MIN)
				usage();
			break;
		default:
			usage();
		}
	}
	if (optind != argc)
		usage();

	nothing = program("nothing");
	nothing_so = program("nothing.so");

	ntasks = live ? live : 1;
	err = pip_init(NULL, &ntasks, NULL, 0);
	if (err)
		fail("pip_init", err);
	setvbuf(stdout, NULL, _IOLBF, 0);
	rounds_measure(rounds, runs);
	if (live)
		ladder_measure(live);
	err = pip_fin();
	if (err)
		fail("pip_fin", err);
	free(nothing);
	free(nothing_so);
	return EXIT_SUCCESS;
}
