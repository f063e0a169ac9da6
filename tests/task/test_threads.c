/* test_threads.c - tasks that are threads of their root: what ends them, and what does not. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "../prog/api.h"
#include "../prog/sig.h"
#include "root.h"

static const char *const programs[] = { PROG("threads"), PROG("threads-pip") };

static void thread_root(int n)
{
	int mode = 0;

	check_int(pip_init(NULL, &n, NULL, PIP_MODE_PTHREAD), 0);
	check_int(pip_get_mode(&mode), 0);
	check_int(mode, PIP_MODE_PTHREAD);
}

/* The end of a task that has threads, with a sibling that must not notice. */
static void ends(const char *program, const char *how, const char *code, int exits, int signaled)
{
	static struct sheet sheet;
	int sibling;

	thread_root(4);
	sibling = task_main(PROG("plain"), "pause", NULL);
	for (int round = 0; round < 4; round++) {
		int pipid = task_main(program, how, code, NULL);
		int status = task_collect(pipid);

		if (signaled ? !WIFSIGNALED(status) || WTERMSIG(status) != signaled
			     : !WIFEXITED(status) || WEXITSTATUS(status) != exits)
			check_failed(__FILE__, __LINE__, "%s %s %s: status 0x%x", program, how,
				     code, status);
		if (round == 1)
			sheet_take(&sheet);
	}
	sheet_same(&sheet);
	check_int(pip_trywait(sibling, NULL), ECHILD);
	check_int(pip_kill(sibling, 0), 0);
	check_int(pip_kill(sibling, SIGKILL), 0);
	task_signaled(sibling, SIGKILL);
	root_fin();
}

#define ENDS(name, how, code, exits, signaled)                                                     \
	static void name(void)                                                                     \
	{                                                                                          \
		ends(programs[0], how, code, exits, signaled);                                     \
	}                                                                                          \
	static void name##_linked(void)                                                            \
	{                                                                                          \
		ends(programs[1], how, code, exits, signaled);                                     \
	}

ENDS(thread_return, "return", "5", 5, 0)
ENDS(thread_exit, "exit", "300", 300 & 0xff, 0)
ENDS(thread__exit, "_exit", "7", 7, 0)
ENDS(thread_raise, "raise", "15", 0, SIGTERM)
ENDS(thread_kill, "kill", "10", 0, SIGUSR1)
ENDS(thread_kill_kill, "kill", "9", 0, SIGKILL)
ENDS(thread_raise_kill, "raise", "9", 0, SIGKILL)
ENDS(thread_realtime, "raise", "40", 0, 40)
ENDS(thread_abort, "abort", "0", 0, SIGABRT)
ENDS(thread_wild, "wild", "1", 0, SIGSEGV)
ENDS(thread_deep, "deep", "1", 0, SIGSEGV)

/* pthread_exit() on the main thread: the interface wants the task to end. */
static void main_pthread_exit(void)
{
	ends(programs[1], "pthread_exit", "9", 9, 0);
}

static void main_cancels_itself(void)
{
	thread_root(1);
	for (int i = 0; i < 20; i++)
		task_exits(task_main(programs[i % 2], "alone", "cancel", "0", NULL), 0);
	root_fin();
}

/* On one of its own threads. */
static void on_a_sub_thread(void)
{
	thread_root(2);
	for (int i = 0; i < 2; i++) {
		task_exits(task_main(programs[i], "sub", "exit", "6", NULL), 6);
		task_exits(task_main(programs[i], "sub", "_exit", "8", NULL), 8);
		task_signaled(task_main(programs[i], "sub", "wild", "0", NULL), SIGSEGV);
		task_signaled(task_main(programs[i], "sub", "abort", "0", NULL), SIGABRT);
		task_signaled(task_main(programs[i], "sub", "deep", "0", NULL), SIGSEGV);
		task_signaled(task_main(programs[i], "sub", "raise", "9", NULL), SIGKILL);
	}
	root_fin();
}

/* What is in the buffers of stdio comes out. */
static void buffers(void)
{
	const char *const how[] = { "return", "exit", "pthread_exit" };

	thread_root(2);
	for (int i = 0; i < LENGTH(how); i++) {
		struct capture c;
		char *text, *want;

		capture_begin(&c, STDOUT_FILENO);
		task_exits(task_main(programs[1], how[i], "3", NULL), 3);
		text = capture_end(&c);
		check(asprintf(&want, "said by %s", how[i]) > 0);
		check_str(text, want);
		free(text);
		free(want);
	}
	root_fin();
}

/* Threads of the root: its PID, TIDs of their own, and all statuses come in. */
static void are_threads(void)
{
	enum {
		TASKS = 8
	};
	struct gate gate = { 0 };
	int pipid, status;
	pip_id_t id[TASKS];

	thread_root(TASKS);
	for (int i = 0; i < TASKS; i++)
		check_int(task_func(PROG("api"), "api_wait_gate", &gate), i);
	for (int i = 0; i < TASKS; i++) {
		check_int(pip_get_system_id(i, &id[i]), 0);
		check(id[i] != (pip_id_t)pthread_self());
		for (int k = 0; k < i; k++)
			check(id[k] != id[i]);
	}
	check_int(children_count(), 0);
	gate.open = 1;
	for (int i = 0; i < TASKS; i++) {
		check_int(pip_wait_any(&pipid, &status), 0);
		check_int(status, 0);
	}
	check_int(pip_wait_any(&pipid, &status), ECHILD);
	root_fin();
}

/* A libc sees to it that all threads it knows change their user; not others'. */
static void users(void)
{
	thread_root(2);
	task_main(programs[0], "pause", "0", NULL);
	for (int i = 0; i < 3; i++) {
		task_exits(task_main(programs[i % 2], "setuid", "5", NULL), 5);
		check_int(setuid(getuid()), 0);
	}
	check_int(pip_trywait(0, NULL), ECHILD);
	check_int(pip_kill(0, SIGKILL), 0);
	task_signaled(0, SIGKILL);
	root_fin();
}

/* ---- Cancelled from outside ---- */

static void cancelled_body(void *arg)
{
	pip_id_t id = 0;
	int sibling, pipid;

	(void)arg;
	thread_root(2);
	sibling = task_main(PROG("plain"), "pause", NULL);
	for (int i = 0; i < 4; i++) {
		pipid = task_main(i % 2 ? PROG("threads") : PROG("plain"), "pause", "0", NULL);
		check_int(pip_get_system_id(pipid, &id), 0);
		check_int(pthread_cancel((pthread_t)id), 0);
		task_exits(pipid, ECANCELED);
	}
	check_int(pip_trywait(sibling, NULL), ECHILD);
	check_int(pip_kill(sibling, SIGKILL), 0);
	task_signaled(sibling, SIGKILL);
	root_fin();
}

static void cancelled(void **state)
{
	struct outcome o;

	(void)state;
	scenario_run(&o, cancelled_body, NULL);
	scenario_exited(&o, 0);
	scenario_said(&o, "^PiP-WARN.*PiP Task \\[1\\] is canceled$");
	scenario_free(&o);
}

/* ---- Other processes ---- */

/* The program that it executes runs as a child, in whose place the task waits and ends. */
static void executes(void)
{
	char *plain = PROG("plain");
	static struct sheet sheet;

	thread_root(2);
	for (int i = 0; i < 3; i++) {
		task_exits(task_main(plain, "exec", plain, "return", "7", NULL), 7);
		task_exits(task_main(plain, "exec", PROG("threads"), "exit", "8", NULL), 8);
		task_signaled(task_main(plain, "exec", plain, "raise", "15", NULL), SIGTERM);
		task_exits(task_main(plain, "exec", "/nonexistent/program", NULL), ENOENT);
		task_exits(task_main("/bin/sh", "-c", "exec /bin/sh -c 'exit 9'", NULL), 9);
		if (i == 1)
			sheet_take(&sheet);
	}
	sheet_same(&sheet);
	root_fin();
}

static void signals_reach_what_it_executes(void)
{
	const int signals[] = { SIGTERM, SIGKILL };
	char *plain = PROG("plain");

	thread_root(2);
	for (int i = 0; i < LENGTH(signals); i++) {
		int pipid = task_main(plain, "exec", plain, "pause", NULL);

		check(retry(children_count() == 1));
		check_int(pip_trywait(pipid, NULL), ECHILD);
		check_int(pip_kill(pipid, signals[i]), 0);
		task_signaled(pipid, signals[i]);
		check_int(children_count(), 0);
	}
	root_fin();
}

/* Others' handlers are not in its memory, and its own signals are as in any process. */
static void signals_of_a_forked_child(void)
{
	struct caught c = { 0 };

	thread_root(2);
	task_func(PROG("sig"), "sig_handler", &c);
	check(retry(c.here));
	task_exits(task_main("/bin/sh", "-c", "(kill -USR1 $(exec sh -c 'echo $PPID')); exit $?",
			     NULL),
		   128 + SIGUSR1);
	c.leave = 1;
	task_exits(0, 0);
	root_fin();
}

/* Descriptors, working directory and umask. */
static void shared_with_the_root(void)
{
	char *dir = temp_dir(), *real = realpath(dir, NULL), *text;
	char *argv[] = { PROG("plain"), "cwd", dir, NULL };

	thread_root(1);
	umask(027);
	text = task_output(argv, NULL);
	text[strcspn(text, "\n")] = '\0';
	check_str(text, real);
	free(text);
	text = getcwd(NULL, 0);
	check_str(text, real);
	free(text);
	check_int(umask(0), 0);
	check_int(fcntl(9, F_GETFD), -1);
	task_exits(task_main("/bin/sh", "-c", "exec 9>file", NULL), 0);
	check_int(fcntl(9, F_GETFD), 0);
	check_int(close(9), 0);
	check_int(chdir("/"), 0);
	root_fin();
	free(real);
	free(dir);
}

/* A missing library is an error of the call, and of nobody else. */
static void not_loadable(void)
{
	char *dir = temp_dir(), *path = path_in(dir, "needs-gone"), *argv[] = { path, NULL };

	file_copy(PROG("needs-gone"), path, 0755);
	thread_root(2);
	check_int(pip_spawn(path, argv, NULL, PIP_CPUCORE_ASIS, NULL, NULL, NULL, NULL), ELIBEXEC);
	task_exits(task_main(PROG("plain"), "return", "5", NULL), 5);
	root_fin();
	free(path);
	free(dir);
}

/* All that are left are ended; what they had is given back. */
static void kill_all(void)
{
	static struct sheet sheet;

	thread_root(3);
	for (int round = 0; round < 5; round++) {
		for (int i = 0; i < 3; i++)
			check_int(task_main(PROG("plain"), "pause", NULL), i);
		check_int(pip_kill_all_child_tasks(), 0);
		for (int i = 0; i < 3; i++)
			task_signaled(i, SIGKILL);
		if (round == 1)
			sheet_take(&sheet);
	}
	sheet_same(&sheet);
	root_fin();
}

static void exit_leaves_a_task_body(void *arg)
{
	(void)arg;
	thread_root(1);
	task_main(PROG("plain"), "pause", NULL);
	exit(3);
}

static void exit_leaves_a_task(void **state)
{
	struct outcome o;

	(void)state;
	scenario_run(&o, exit_leaves_a_task_body, NULL);
	scenario_exited(&o, 3);
	scenario_said(&o, "^PiP-INFO.*PiP task 0 is still running and killed$");
	scenario_left_nothing(&o);
	scenario_free(&o);
}

static void not_stopped_body(void *arg)
{
	(void)arg;
	setenv("PIP_STOP_ON_START", "@", 1);
	thread_root(1);
	task_exits(task_main(PROG("plain"), "return", "5", NULL), 5);
	root_fin();
}

static void not_stopped(void **state)
{
	struct outcome o;

	(void)state;
	scenario_run(&o, not_stopped_body, NULL);
	scenario_exited(&o, 0);
	scenario_said(&o,
		      "^PiP-WARN.*PIP_STOP_ON_START.* is NOT effective with \\(p\\)thread mode");
	scenario_free(&o);
}

static const struct CMUnitTest tests[] = {
	CASE(thread_return),
	CASE(thread_return_linked),
	CASE(thread_exit),
	CASE(thread_exit_linked),
	CASE(thread__exit),
	CASE(thread__exit_linked),
	CASE(thread_raise),
	CASE(thread_raise_linked),
	CASE(thread_kill),
	CASE(thread_kill_linked),
	CASE(thread_kill_kill),
	CASE(thread_kill_kill_linked),
	CASE(thread_raise_kill),
	CASE(thread_raise_kill_linked),
	CASE(thread_realtime),
	CASE(thread_realtime_linked),
	CASE(thread_abort),
	CASE(thread_abort_linked),
	CASE(thread_wild),
	CASE(thread_wild_linked),
	CASE(thread_deep),
	CASE(thread_deep_linked),
	CASE(main_pthread_exit),
	CASE(main_cancels_itself),
	CASE(on_a_sub_thread),
	CASE(buffers),
	CASE(are_threads),
	CASE(users),
	CASE_PRIVATE(not_loadable),
	CASE(kill_all),
	cmocka_unit_test(cancelled),
	CASE(executes),
	CASE(signals_reach_what_it_executes),
	CASE(signals_of_a_forked_child),
	CASE(shared_with_the_root),
	cmocka_unit_test(exit_leaves_a_task),
	cmocka_unit_test(not_stopped),
};

TEST_MAIN(tests)
