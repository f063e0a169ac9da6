/* test_wait.c - the four functions that wait for tasks: errors, statuses, whose turn it is. */
#include <errno.h>
#include <stdatomic.h>
#include <sys/resource.h>

#include "root.h"
#include "../prog/api.h"

#define MANY 32

/* All four forms refuse an id, or their having any. */
static void refused(int pipid, int want)
{
	int status = 1234;

	check_int(pip_wait(pipid, &status), want);
	check_int(pip_trywait(pipid, &status), want);
	check_int(pip_wait(pipid, NULL), want);
	check_int(pip_trywait(pipid, NULL), want);
	check_int(status, 1234);
}

static void refused_any(int want)
{
	int pipid = 1234, status = 1234;

	check_int(pip_wait_any(&pipid, &status), want);
	check_int(pip_trywait_any(&pipid, &status), want);
	check_int(pip_wait_any(NULL, NULL), want);
	check_int(pip_trywait_any(NULL, NULL), want);
	check_int(pipid, 1234);
	check_int(status, 1234);
}

static void not_initialized(void)
{
	for (int i = 0; i < 2; i++) {
		refused(0, EPERM);
		refused(-123, EPERM);
		refused(PIP_PIPID_ROOT, EPERM);
		refused(PIP_PIPID_ANY, EPERM);
		refused_any(EPERM);
		root_init(1);
		root_fin();
	}
}

static void in_a_task(void)
{
	root_init(1);
	task_exits(task_func(PROG("api"), "api_root_only", NULL), 0);
	root_fin();
}

static void bad_pipid(void)
{
	root_init(4);
	refused(PIP_PIPID_ROOT, EDEADLK);
	refused(PIP_PIPID_MYSELF, EDEADLK);
	refused(PIP_PIPID_ANY, EINVAL);
	refused(PIP_PIPID_NULL, EINVAL);
	refused(-1, ERANGE);
	refused(-123, ERANGE);
	refused(PIP_MAGIC_NUM, ERANGE);
	refused(4, ERANGE);
	refused(100000, ERANGE);
	root_fin();
}

static void no_such_task(void)
{
	root_init(4);
	refused(0, ECHILD);
	refused(3, ECHILD);
	refused_any(ECHILD);
	task_exits(task_main(PROG("plain"), "return", "5", NULL), 5);
	/* Each end is reported once. */
	refused(0, ECHILD);
	refused_any(ECHILD);
	root_fin();
}

static void still_running(void)
{
	struct gate gate = { 0 };
	int pipid = 1234, status = 1234;

	root_init(4);
	task_func(PROG("api"), "api_wait_gate", &gate);
	check(retry(gate.here));
	for (int i = 0; i < 10; i++) {
		check_int(pip_trywait(0, &status), ECHILD);
		check_int(pip_trywait_any(&pipid, &status), ECHILD);
	}
	check_int(pipid, 1234);
	check_int(status, 1234);
	/* The others are not there at all. */
	refused(1, ECHILD);
	gate.open = 1;
	check(retry(pip_trywait(0, &status) == 0));
	check(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	refused(0, ECHILD);
	root_fin();
}

static void null_status(void)
{
	root_init(4);
	for (int i = 0; i < 4; i++)
		task_main(PROG("plain"), "return", "5", NULL);
	check_int(pip_wait(0, NULL), 0);
	check(retry(pip_trywait(1, NULL) == 0));
	check_int(pip_wait_any(NULL, NULL), 0);
	check(retry(pip_trywait_any(NULL, NULL) == 0));
	refused_any(ECHILD);
	root_fin();
}

/* ---- What is reported ---- */

static const struct {
	const char *prog, *how, *number;
	int code, signum; /* signum, if not 0 */
} ends[] = {
	{ PROG("plain"), "return", "0", 0, 0 },
	{ PROG("plain"), "return", "1", 1, 0 },
	{ PROG("plain"), "return", "127", 127, 0 },
	{ PROG("plain"), "return", "128", 128, 0 },
	{ PROG("plain"), "return", "255", 255, 0 },
	{ PROG("plain"), "return", "256", 0, 0 },
	{ PROG("plain"), "return", "-1", 255, 0 },
	{ PROG("plain"), "return", "1000", 1000 & 0xff, 0 },
	{ PROG("plain"), "exit", "0", 0, 0 },
	{ PROG("plain"), "exit", "15", 15, 0 },
	{ PROG("plain"), "exit", "256", 0, 0 },
	{ PROG("plain"), "exit-thread", "7", 7, 0 },
	{ PROG("plain"), "pthread_exit-thread", "8", 8, 0 },
	{ PROG("plain"), "quick_exit", "9", 9, 0 },
	{ PROG("plain-stripped"), "exit", "44", 44, 0 },
	{ PROG("api"), "pip_exit", "0", 0, 0 },
	{ PROG("api"), "pip_exit", "33", 33, 0 },
	{ PROG("api"), "pip_exit", "257", 1, 0 },
	{ PROG("api"), "fin", "0", 0, 0 },
	{ PROG("api"), "fin", "34", 34, 0 },
	{ PROG("api"), "fin-pip_exit", "35", 35, 0 },
	{ PROG("plain-pip"), "pthread_exit", "0", 0, 0 },
	{ PROG("plain-pip"), "pthread_exit", "77", 77, 0 },
	{ PROG("plain-pip"), "pthread_exit", "300", 300 & 0xff, 0 },
	{ PROG("plain"), "_exit", "0", 0, 0 },
	{ PROG("plain"), "_exit", "1", 1, 0 },
	{ PROG("plain"), "_exit", "9", 9, 0 },
	{ PROG("plain"), "_exit", "15", 15, 0 },
	{ PROG("plain"), "_exit", "127", 127, 0 },
	{ PROG("plain"), "_exit", "128", 128, 0 },
	{ PROG("plain"), "_exit", "255", 255, 0 },
	{ PROG("plain"), "raise", "0", 113, 0 },
	{ PROG("plain"), "raise", "9", 0, SIGKILL },
	{ PROG("plain"), "raise", "1", 0, SIGHUP },
	{ PROG("plain"), "raise", "2", 0, SIGINT },
	{ PROG("plain"), "raise", "3", 0, SIGQUIT },
	{ PROG("plain"), "raise", "10", 0, SIGUSR1 },
	{ PROG("plain"), "raise", "13", 0, SIGPIPE },
	{ PROG("plain"), "raise", "14", 0, SIGALRM },
	{ PROG("plain"), "raise", "15", 0, SIGTERM },
	{ PROG("plain"), "segv", "", 0, SIGSEGV },
	{ PROG("plain"), "segv-thread", "", 0, SIGSEGV },
	{ PROG("plain"), "fpe", "", 0, SIGFPE },
	{ PROG("plain"), "ill", "", 0, SIGILL },
	{ PROG("plain"), "abort", "", 0, SIGABRT },
	{ PROG("plain"), "overflow", "", 0, SIGSEGV },
	{ PROG("plain-pip"), "return", "256", 0, 0 },
	{ PROG("plain-pip"), "exit", "15", 15, 0 },
	{ PROG("plain-pip"), "exit-thread", "7", 7, 0 },
	{ PROG("plain-pip"), "pthread_exit-thread", "8", 8, 0 },
	{ PROG("plain-pip"), "quick_exit", "9", 9, 0 },
	{ PROG("plain-pip"), "_exit", "15", 15, 0 },
	{ PROG("plain-pip"), "_exit", "128", 128, 0 },
	{ PROG("plain-pip"), "raise", "9", 0, SIGKILL },
	{ PROG("plain-pip"), "raise", "15", 0, SIGTERM },
	{ PROG("plain-pip"), "segv", "", 0, SIGSEGV },
	{ PROG("plain-pip"), "segv-thread", "", 0, SIGSEGV },
	{ PROG("plain-pip"), "fpe", "", 0, SIGFPE },
	{ PROG("plain-pip"), "ill", "", 0, SIGILL },
	{ PROG("plain-pip"), "abort", "", 0, SIGABRT },
	{ PROG("plain-pip"), "overflow", "", 0, SIGSEGV },
#ifdef HAVE_STATIC_PIE
	{ PROG("plain-static"), "return", "5", 5, 0 },
	{ PROG("plain-static"), "exit", "6", 6, 0 },
	{ PROG("plain-static"), "_exit", "7", 7, 0 },
	{ PROG("plain-static"), "raise", "9", 0, SIGKILL },
	{ PROG("plain-static"), "raise", "15", 0, SIGTERM },
	{ PROG("plain-static"), "segv", "", 0, SIGSEGV },
#endif
};

static void judge(int i, int status)
{
	bool right = ends[i].signum ? WIFSIGNALED(status) && WTERMSIG(status) == ends[i].signum
				    : WIFEXITED(status) && WEXITSTATUS(status) == ends[i].code;

	if (!right)
		check_failed(__FILE__, __LINE__, "%s %s %s: status 0x%x", ends[i].prog, ends[i].how,
			     ends[i].number, status);
}

static void spawn_end(int i, int pipid)
{
	char *argv[] = { (char *)ends[i].prog, (char *)ends[i].how, (char *)ends[i].number, NULL };

	check_int(pip_spawn(argv[0], argv, NULL, PIP_CPUCORE_ASIS, &pipid, NULL, NULL, NULL), 0);
}

static void statuses(void)
{
	static struct sheet sheet;

	root_init(1);
	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < LENGTH(ends); i++) {
			if (harness_namespaces() && strcmp(ends[i].prog, PROG("plain-static")) == 0)
				continue;
			spawn_end(i, 0);
			judge(i, task_collect(0));
		}
		if (round == 0)
			sheet_take(&sheet);
	}
	sheet_same(&sheet);
	root_fin();
}

/* In a program without libpip, pthread_exit() in the main thread is what it is in any process. */
static void pthread_exit_of_plain_program(void)
{
	root_init(1);
	task_exits(task_main(PROG("plain"), "pthread_exit", "0", NULL), 0);
	task_exits(task_main(PROG("plain"), "pthread_exit", "77", NULL), 0);
	root_fin();
}

/* The same by the other forms, all tasks at a time. */
static void statuses_trywait(void)
{
	root_init(LENGTH(ends));
	for (int i = 0; i < LENGTH(ends); i++)
		spawn_end(i, i);
	for (int i = LENGTH(ends) - 1; i >= 0; i--) {
		int status = 0;

		check(retry(pip_trywait(i, &status) == 0));
		judge(i, status);
	}
	refused_any(ECHILD);
	root_fin();
}

static void statuses_any(bool block)
{
	bool seen[LENGTH(ends)] = { 0 };

	root_init(LENGTH(ends));
	for (int i = 0; i < LENGTH(ends); i++)
		spawn_end(i, i);
	for (int i = 0; i < LENGTH(ends); i++) {
		int pipid = -1, status = 0;

		if (block)
			check_int(pip_wait_any(&pipid, &status), 0);
		else
			check(retry(pip_trywait_any(&pipid, &status) == 0));
		check(pipid >= 0 && pipid < LENGTH(ends));
		check(!seen[pipid]);
		seen[pipid] = true;
		judge(pipid, status);
	}
	refused_any(ECHILD);
	root_fin();
}

static void statuses_wait_any(void)
{
	statuses_any(true);
}

static void statuses_trywait_any(void)
{
	statuses_any(false);
}

/* ---- Who is reported ---- */

/* Waiting for one does not take the others' ends. */
static void in_reverse(void)
{
	root_init(MANY);
	for (int i = 0; i < MANY; i++) {
		char number[8];

		snprintf(number, sizeof(number), "%d", i);
		check_int(task_main(PROG("plain"), "return", number, NULL), i);
	}
	for (int i = MANY - 1; i >= 0; i--)
		task_exits(i, i);
	root_fin();
}

static int all_ended(void)
{
	for (int i = 0; i < MANY; i++)
		if (!task_has_ended(i))
			return 0;
	return 1;
}

/* When all have ended, over time each gets its turn, though new ones end meanwhile. */
static void any_is_fair(void)
{
	int turns[MANY] = { 0 };

	root_init(MANY);
	for (int i = 0; i < MANY; i++)
		task_main(PROG("plain"), "return", "5", NULL);
	check(retry(all_ended()));
	for (int i = 0; i < 2 * MANY; i++) {
		int pipid;

		check_int(pip_wait_any(&pipid, NULL), 0);
		turns[pipid]++;
		if (i < MANY) {
			char *argv[] = { PROG("plain"), "return", "5", NULL };

			check_int(pip_spawn(argv[0], argv, NULL, PIP_CPUCORE_ASIS, &pipid, NULL,
					    NULL, NULL),
				  0);
		}
	}
	for (int i = 0; i < MANY; i++)
		check_int(turns[i], 2);
	refused_any(ECHILD);
	root_fin();
}

/* pip_wait() really waits, without burning CPU time. */
static void blocks(void)
{
	struct rusage before, after;
	double start = now_seconds(), spent;

	root_init(1);
	task_main("/bin/sleep", "0.5", NULL);
	check_int(getrusage(RUSAGE_SELF, &before), 0);
	task_exits(0, 0);
	check_int(getrusage(RUSAGE_SELF, &after), 0);
	check(now_seconds() - start > 0.45);
	spent = (double)(after.ru_utime.tv_sec - before.ru_utime.tv_sec) +
		(double)(after.ru_stime.tv_sec - before.ru_stime.tv_sec) +
		(double)(after.ru_utime.tv_usec - before.ru_utime.tv_usec) / 1e6 +
		(double)(after.ru_stime.tv_usec - before.ru_stime.tv_usec) / 1e6;
	check(spent < 0.2);
	root_fin();
}

static void any_blocks(void)
{
	struct gate gate = { 0 };
	double start;
	int pipid;

	root_init(2);
	task_func(PROG("api"), "api_wait_gate", &gate);
	start = now_seconds();
	task_main("/bin/sleep", "0.3", NULL);
	check_int(pip_wait_any(&pipid, NULL), 0);
	check_int(pipid, 1);
	check(now_seconds() - start > 0.25);
	gate.open = 1;
	check_int(pip_wait_any(&pipid, NULL), 0);
	check_int(pipid, 0);
	root_fin();
}

/* Children that the root made itself are its own business. */
static void other_children(void)
{
	pid_t child;
	int status;

	root_init(2);
	child = fork();
	if (child == 0)
		_exit(3);
	check(retry(process_state(child) == 'Z'));
	refused_any(ECHILD);
	refused(0, ECHILD);
	check_int(task_main(PROG("plain"), "return", "5", NULL), 0);
	check_int(task_main(PROG("plain"), "return", "6", NULL), 1);
	task_exits(0, 5);
	check_int(pip_wait_any(NULL, &status), 0);
	check_int(WEXITSTATUS(status), 6);
	check_int(waitpid(child, &status, 0), child);
	check_int(WEXITSTATUS(status), 3);
	root_fin();
}

/* An ordinary child's SIGCHLD comes while the root waits for a task, and one after that. */
static void other_sigchld(void)
{
	pid_t children[2];

	root_init(1);
	for (int i = 0; i < 2; i++) {
		children[i] = fork();
		if (children[i] == 0) {
			sleep_ms(100 * i);
			_exit(0);
		}
	}
	task_main("/bin/sleep", "0.3", NULL);
	task_exits(0, 0);
	for (int i = 0; i < 2; i++)
		check_int(waitpid(children[i], NULL, 0), children[i]);
	root_fin();
}

/* A task that is stopped and continued has not ended. */
static void stopped(void)
{
	struct gate gate = { 0 };
	int pipid;

	root_init(1);
	pipid = task_func(PROG("api"), "api_wait_gate", &gate);
	check(retry(gate.here));
	check_int(pip_kill(pipid, SIGSTOP), 0);
	check(retry(process_state(task_pid(pipid)) == 'T'));
	check_int(pip_trywait(pipid, NULL), ECHILD);
	check_int(pip_trywait_any(NULL, NULL), ECHILD);
	check_int(pip_kill(pipid, SIGCONT), 0);
	check(retry(process_state(task_pid(pipid)) != 'T'));
	check_int(pip_trywait(pipid, NULL), ECHILD);
	gate.open = 1;
	task_exits(pipid, 0);
	root_fin();
}

/* wait(2) works on tasks, and steals their status; what matters is that nothing hangs then. */
static void stolen(void)
{
	int status, rc;
	pid_t pid;

	root_init(2);
	task_main(PROG("plain"), "return", "5", NULL);
	task_main(PROG("plain"), "return", "6", NULL);
	pid = task_pid(0);
	check_int(waitpid(pid, &status, 0), pid);
	check(WIFEXITED(status) && WEXITSTATUS(status) == 5);
	rc = pip_wait(0, NULL);
	check(rc == 0 || rc == ECHILD);
	task_exits(1, 6);
	refused(0, ECHILD);
	refused_any(ECHILD);
	root_fin();
}

/* Exits that pile up while nobody waits are all there later. */
static void late(void)
{
	struct proof proof;

	root_init(MANY);
	proof_begin(&proof);
	for (int i = 0; i < MANY; i++) {
		task_main(PROG("plain"), "pause", NULL);
		proof_task(&proof, task_pid(i));
	}
	for (int i = 0; i < MANY; i++)
		check_int(pip_kill(i, SIGTERM), 0);
	check(retry(all_ended()));
	for (int i = 0; i < MANY; i++) {
		int pipid, status;

		check_int(pip_wait_any(&pipid, &status), 0);
		check(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
		proof_collected(&proof);
	}
	proof_end(&proof, MANY);
	root_fin();
}

static const struct CMUnitTest tests[] = {
	CASE(not_initialized),
	CASE(in_a_task),
	CASE(bad_pipid),
	CASE(no_such_task),
	CASE(still_running),
	CASE(null_status),
	CASE(statuses),
	CASE(pthread_exit_of_plain_program),
	CASE_PRIVATE(statuses_trywait),
	CASE_PRIVATE(statuses_wait_any),
	CASE_PRIVATE(statuses_trywait_any),
	CASE_PRIVATE(in_reverse),
	CASE_PRIVATE(any_is_fair),
	CASE(blocks),
	CASE(any_blocks),
	CASE(other_children),
	CASE(other_sigchld),
	CASE_PROCESS(stopped),
	CASE_PROCESS(stolen),
	CASE_PRIVATE(late),
};

TEST_MAIN(tests)
