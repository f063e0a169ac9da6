/* test_ending.c - how tasks and roots end, and what that does to the others. */
#include <errno.h>
#include <pthread.h>

#include "root.h"
#include "../prog/api.h"
#include "../prog/orphan.h"

/* ---- Tasks ---- */

/* A task that ends so, and whether its exit handlers run: with its PID, and stdio flushed. */
static void handlers_of(const char *path, const char *how, bool run)
{
	char *argv[] = { (char *)path, "handlers", (char *)how, "7", NULL }, *text, *want;
	struct capture c;
	int pipid = PIP_PIPID_ANY, status;
	pid_t pid;

	capture_begin(&c, STDOUT_FILENO);
	check_int(pip_spawn(argv[0], argv, NULL, PIP_CPUCORE_ASIS, &pipid, NULL, NULL, NULL), 0);
	pid = task_getpid(pipid);
	status = task_collect(pipid);
	text = capture_end(&c);
	check(WIFEXITED(status) && WEXITSTATUS(status) == 7);
	check(asprintf(&want,
		       "handlers main %d\nhandlers on_exit %d\nhandlers code 7\n"
		       "handlers atexit %d\nhandlers destructor %d\n",
		       pid, pid, pid, pid) > 0);
	check_str(text, run ? want : "");
	free(want);
	free(text);
}

static void exit_handlers(void)
{
	root_init(1);
	handlers_of(PROG("plain"), "return", true);
	handlers_of(PROG("plain"), "exit", true);
	handlers_of(PROG("plain-stripped"), "exit", true);
#ifdef HAVE_STATIC_PIE
	if (!harness_namespaces())
		handlers_of(PROG("plain-static"), "exit", true);
#endif
	handlers_of(PROG("plain"), "exit-thread", true);
	/* _exit() leaves everything out. */
	handlers_of(PROG("plain"), "_exit", false);
	root_fin();
}

/* The root's own handlers are not a task's. */
static atomic_int at_exits;

static void at_exit(void)
{
	at_exits++;
}

static void roots_handlers(void)
{
	atexit(at_exit);
	root_init(1);
	task_exits(task_main(PROG("plain"), "exit", "7", NULL), 7);
	task_exits(task_main(PROG("api"), "pip_exit", "7", NULL), 7);
	check_int(at_exits, 0);
	root_fin();
}

/* A task killed at any moment of its start is collected as such, and nothing stays of it. */
static void killed_at_any_moment(void)
{
	static struct sheet sheet;

	root_init(1);
	for (int i = 0; i < 150; i++) {
		struct timespec ts = { 0, (i % 50) * 20000L };

		task_main(PROG("plain"), "handlers", "pause", "0", NULL);
		nanosleep(&ts, NULL);
		check_int(pip_kill(0, SIGKILL), 0);
		task_signaled(0, SIGKILL);
		if (i == 20)
			sheet_take(&sheet);
	}
	sheet_same(&sheet);
	task_exits(task_main(PROG("plain"), "exit", "7", NULL), 7);
	root_fin();
}

/* ---- Kill-all ---- */

static void kill_all(void)
{
	static struct sheet sheet;
	struct proof proof;

	check_int(pip_kill_all_child_tasks(), EPERM);
	check_int(pip_kill_all_tasks(), EPERM);
	root_init(8);
	check_int(pip_kill_all_child_tasks(), 0);
	for (int round = 0; round < 4; round++) {
		proof_begin(&proof);
		for (int i = 0; i < 8; i++) {
			check_int(task_main(PROG("plain"), "pause", NULL), i);
			proof_task(&proof, task_pid(i));
		}
		check_int(round % 2 ? pip_kill_all_tasks() : pip_kill_all_child_tasks(), 0);
		for (int i = 0; i < 8; i++) {
			task_signaled(i, SIGKILL);
			proof_collected(&proof);
		}
		proof_end(&proof, 8);
		if (round == 0)
			sheet_take(&sheet);
	}
	sheet_same(&sheet);
	root_fin();
}

/* Those that had ended before are reported as they ended. */
static void kill_all_after_end(void)
{
	root_init(3);
	task_main(PROG("plain"), "return", "5", NULL);
	task_main(PROG("plain"), "return", "0", NULL);
	task_main(PROG("plain"), "pause", NULL);
	for (int i = 0; i < 2; i++)
		task_await_end(i);
	check_int(pip_kill_all_child_tasks(), 0);
	task_exits(0, 5);
	task_exits(1, 0);
	task_signaled(2, SIGKILL);
	root_fin();
}

/* ---- The root ---- */

struct departure {
	void (*leave)(int);
	bool fin;
	int tasks;
};

static void say_at_exit(void)
{
	check_int(write(STDOUT_FILENO, "atexit\n", 7), 7);
}

static void depart(void *arg)
{
	const struct departure *d = arg;

	atexit(say_at_exit);
	root_init(4);
	for (int i = 0; i < d->tasks; i++)
		task_main(PROG("plain"), "pause", NULL);
	if (d->fin)
		root_fin();
	d->leave(33);
}

/* exit() and pip_exit() in the root take the tasks with them, and say so. */
static void exit_kills_tasks(void **state)
{
	static const struct departure d[] = { { exit, false, 3 }, { pip_exit, false, 3 } };

	(void)state;
	for (int i = 0; i < LENGTH(d); i++) {
		struct outcome o;

		scenario_run(&o, depart, (void *)&d[i]);
		scenario_exited(&o, 33);
		scenario_left_nothing(&o);
		for (int n = 0; n < 3; n++) {
			char said[100];

			snprintf(said, sizeof(said),
				 "^PiP-INFO\\[[0-9]+\\(R\\):R\\] PiP task %d is still running and "
				 "killed$",
				 n);
			scenario_said(&o, said);
		}
		assert_string_equal(o.out, "atexit\n");
		scenario_free(&o);
	}
}

static void exit_without_tasks(void **state)
{
	static const struct departure d[] = {
		{ exit, false, 0 }, { pip_exit, false, 0 }, { exit, true, 0 }, { pip_exit, true, 0 }
	};

	(void)state;
	for (int i = 0; i < LENGTH(d); i++) {
		struct outcome o;

		scenario_run(&o, depart, (void *)&d[i]);
		scenario_exited(&o, 33);
		scenario_left_nothing(&o);
		assert_string_equal(o.out, "atexit\n");
		assert_string_equal(o.err, "");
		scenario_free(&o);
	}
}

static void pip_exit_uninitialized_body(void *arg)
{
	(void)arg;
	atexit(say_at_exit);
	printf("buffered\n");
	pip_exit(33);
}

static void pip_exit_uninitialized(void **state)
{
	struct outcome o;

	(void)state;
	scenario_run(&o, pip_exit_uninitialized_body, NULL);
	scenario_exited(&o, 33);
	assert_string_equal(o.out, "atexit\nbuffered\n");
	scenario_free(&o);
}

/* _exit() does not kill them. */
static void _exit_leaves_tasks(void **state)
{
	static const struct departure d = { _exit, .tasks = 2 };
	struct outcome o;

	(void)state;
	scenario_run(&o, depart, (void *)&d);
	scenario_exited(&o, 33);
	if (o.survivors != (harness_threads() ? 0 : 2))
		scenario_fail(&o, "the tasks should go on, unless they are threads");
	assert_string_equal(o.out, "");
	scenario_said_not(&o, "PiP");
	scenario_free(&o);
}

/* ---- Whole programs ---- */

static void exec_program(char **argv)
{
	execv(argv[0], argv);
	check_failed(__FILE__, __LINE__, "execv(%s): errno %d", argv[0], errno);
}

static char *const hows[] = { "return", "exit", "pip_exit", "_exit" }, *const fins[] = { "0", "1" };

static void combination_body(void *arg)
{
	int i = (int)(intptr_t)arg;
	char *argv[] = { PROG("ending"),   hows[i & 3],      fins[i >> 2 & 1],
			 hows[i >> 3 & 3], fins[i >> 5 & 1], NULL };

	exec_program(argv);
}

/* Root and task may end in any way, after pip_fin() or without it: the codes are always right. */
static void combinations(void **state)
{
	(void)state;
	for (int i = 0; i < 64; i++) {
		struct outcome o;

		scenario_run(&o, combination_body, (void *)(intptr_t)i);
		if (!WIFEXITED(o.status) || WEXITSTATUS(o.status) != 21)
			scenario_fail(&o, "root %s fin %s, task %s fin %s", hows[i & 3],
				      fins[i >> 2 & 1], hows[i >> 3 & 3], fins[i >> 5 & 1]);
		scenario_left_nothing(&o);
		assert_string_equal(o.err, "");
		scenario_free(&o);
	}
}

static void leaving_body(void *how)
{
	char *argv[] = { PROG("ending"), "leave", how, NULL };

	exec_program(argv);
}

/* The same with a live task: return and _exit() let it live. */
static void leaving_a_task(void **state)
{
	static const struct {
		char *how;
		int survivors;
	} ways[] = { { "exit", 0 }, { "pip_exit", 0 }, { "_exit", 1 }, { "return", 1 } };

	(void)state;
	for (int i = 0; i < LENGTH(ways); i++) {
		struct outcome o;

		scenario_run(&o, leaving_body, ways[i].how);
		scenario_exited(&o, 21);
		if (o.survivors != (harness_threads() ? 0 : ways[i].survivors))
			scenario_fail(&o, "%s: %d tasks should live", ways[i].how,
				      ways[i].survivors);
		scenario_free(&o);
	}
}

/* ---- Life without the root ---- */

static void orphan_body(void *arg)
{
	struct orphan *o = calloc(1, sizeof(*o));

	(void)arg;
	root_init(1);
	task_func(PROG("orphan"), "orphan_main", o);
	check(retry(o->here));
	_exit(0);
}

/* A task whose root has gone goes on, and gets EACCES when it asks for it. */
static void orphan(void **state)
{
	struct outcome o;

	(void)state;
	scenario_run(&o, orphan_body, NULL);
	scenario_exited(&o, 0);
	scenario_left_nothing(&o);
	if (strcmp(o.out, "orphan done\n") != 0)
		scenario_fail(&o, "the task should have come to its end");
	scenario_free(&o);
}

static void *end_in_thread(void *arg)
{
	(void)arg;
	exit(33);
}

/* The root ends in another of its threads. */
static void exit_in_thread_body(void *arg)
{
	pthread_t thread;

	(void)arg;
	root_init(2);
	task_main(PROG("plain"), "pause", NULL);
	check_int(pthread_create(&thread, NULL, end_in_thread, NULL), 0);
	pthread_join(thread, NULL);
}

static void exit_in_thread(void **state)
{
	struct outcome o;

	(void)state;
	scenario_run(&o, exit_in_thread_body, NULL);
	scenario_exited(&o, 33);
	scenario_left_nothing(&o);
	scenario_free(&o);
}

static const struct CMUnitTest tests[] = {
	CASE(exit_handlers),
	CASE(roots_handlers),
	CASE_PRIVATE(killed_at_any_moment),
	CASE(kill_all),
	CASE(kill_all_after_end),
	cmocka_unit_test(exit_kills_tasks),
	cmocka_unit_test(exit_without_tasks),
	cmocka_unit_test(pip_exit_uninitialized),
	cmocka_unit_test(_exit_leaves_tasks),
	cmocka_unit_test(combinations),
	cmocka_unit_test(leaving_a_task),
	TEST_PROCESS(orphan),
	cmocka_unit_test(exit_in_thread),
};

TEST_MAIN(tests)
