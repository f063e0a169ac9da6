/* test_init.c - pip_init(), pip_fin(), pip_is_initialized(), in a root and in its tasks. */
#include <errno.h>
#include <sched.h>

#include "root.h"
#include "../prog/api.h"

static bool sigchld_blocked(void)
{
	sigset_t mask;

	check_int(sigprocmask(SIG_BLOCK, NULL, &mask), 0);
	return sigismember(&mask, SIGCHLD);
}

static void null_pointers(void)
{
	check_int(pip_is_initialized(), 0);
	check_int(pip_init(NULL, NULL, NULL, 0), 0);
	check_int(pip_is_initialized(), INITIALIZED);
	check_int(pip_isa_root(), 1);
	check_int(pip_isa_task(), 0);
	check_int(pip_fin(), 0);
	check_int(pip_is_initialized(), 0);
	check_int(pip_isa_root(), 0);
}

static void results(void)
{
	int pipid = 1234, ntasks = 5, n = 0;
	void *exp = &pipid;

	check_int(pip_init(&pipid, &ntasks, &exp, 0), 0);
	check_int(pipid, PIP_PIPID_ROOT);
	check_int(ntasks, 5);
	check_ptr(exp, &pipid);
	check_int(pip_get_ntasks(&n), 0);
	check_int(n, 5);
	root_fin();
}

static void default_ntasks(void)
{
	int n = 0;

	check_int(pip_init(NULL, NULL, NULL, 0), 0);
	check_int(pip_get_ntasks(&n), 0);
	check_int(n, PIP_NTASKS_MAX);
	root_fin();
}

static void most_ntasks(void)
{
	root_init(PIP_NTASKS_MAX);
	task_exits(task_main(PROG("plain"), "return", "3", NULL), 3);
	root_fin();
}

static void second_init(void)
{
	int ntasks = 0;

	root_init(2);
	check_int(pip_init(NULL, NULL, NULL, 0), EBUSY);
	/* It comes before every other check. */
	check_int(pip_init(NULL, &ntasks, NULL, 0), EBUSY);
	check_int(pip_init(NULL, NULL, NULL, PIP_MODE_PTHREAD | PIP_MODE_PROCESS), EBUSY);
	check_int(pip_is_initialized(), INITIALIZED);
	root_fin();
}

static void init_refused(int ntasks, int opts, int want)
{
	int pipid = 1234, n = ntasks;
	void *exp = &pipid;

	check_int(pip_init(&pipid, &n, &exp, opts), want);
	check_int(pip_is_initialized(), 0);
	check_int(pip_isa_root(), 0);
	check_int(pip_fin(), EPERM);
	check_int(sigchld_blocked(), false);
}

static void arguments(void)
{
	const int both = PIP_MODE_PTHREAD | PIP_MODE_PROCESS;

	init_refused(0, 0, EINVAL);
	init_refused(-1, 0, EINVAL);
	init_refused(PIP_NTASKS_MAX + 1, 0, EOVERFLOW);
	init_refused(1, both, EINVAL);
	/* The number of tasks is looked at first. */
	init_refused(0, both, EINVAL);
	init_refused(PIP_NTASKS_MAX + 1, both, EOVERFLOW);
	/* Nothing of that is in the way of a good call. */
	root_init(1);
	task_exits(task_main(PROG("plain"), "return", "3", NULL), 3);
	root_fin();
}

static void sigchld_refused_body(void *arg)
{
	sigset_t chld;

	(void)arg;
	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	check_int(sigprocmask(SIG_BLOCK, &chld, NULL), 0);
	check_int(pip_init(NULL, NULL, NULL, 0), EPERM);
	check_int(pip_is_initialized(), 0);
	check_int(pip_isa_root(), 0);
	check_int(pip_fin(), EPERM);
	check_int(sigchld_blocked(), true);
	check_int(sigprocmask(SIG_UNBLOCK, &chld, NULL), 0);
	root_init(1);
	root_fin();
}

static void sigchld_refused(void **state)
{
	struct outcome o;

	(void)state;
	scenario_run(&o, sigchld_refused_body, NULL);
	scenario_exited(&o, 0);
	scenario_said(&o, "^PiP-ERR.*SIG?CHLD is being masked \\(blocked\\)$");
	scenario_free(&o);
}

static void sigchld_blocked_meanwhile(void)
{
	check_int(sigchld_blocked(), false);
	root_init(1);
	check_int(sigchld_blocked(), true);
	root_fin();
	check_int(sigchld_blocked(), false);
}

static void fin_without_init(void)
{
	check_int(pip_fin(), EPERM);
	root_init(1);
	root_fin();
	check_int(pip_fin(), EPERM);
	check_int(pip_fin(), EPERM);
}

/* That a task has ended is not enough: it must have been waited for. */
static void fin_with_tasks(void)
{
	struct gate gate = { 0 };
	int pipid;

	root_init(4);
	pipid = task_func(PROG("api"), "api_wait_gate", &gate);
	check_int(pip_fin(), EBUSY);
	gate.open = 1;
	task_await_end(pipid);
	check_int(pip_fin(), EBUSY);
	check_int(pip_is_initialized(), INITIALIZED);
	task_exits(pipid, 0);
	root_fin();
}

static void init_again(void)
{
	static struct sheet sheet;

	for (int round = 0; round < 5; round++) {
		int ntasks = 2 + round, n;

		root_init(ntasks);
		check_int(pip_get_ntasks(&n), 0);
		check_int(n, ntasks);
		for (int i = 0; i < ntasks; i++)
			check_int(task_main(PROG("plain"), "return", "7", NULL), i);
		for (int i = 0; i < ntasks; i++)
			task_exits(i, 7);
		root_fin();
		if (round == 0)
			sheet_take(&sheet);
		else
			sheet_same(&sheet);
	}
}

/* Without a task, too. */
static void init_fin_balance(void)
{
	static struct sheet sheet;

	root_init(2);
	root_fin();
	sheet_take(&sheet);
	for (int round = 0; round < 20; round++) {
		root_init(2);
		root_fin();
	}
	sheet_same(&sheet);
}

static void surroundings_untouched(void)
{
	cpu_set_t before, after;
	int n = 0;

	check_int(sched_getaffinity(0, sizeof(before), &before), 0);
	for (char **env = environ; *env; env++)
		n++;
	root_init(2);
	check_int(sched_getaffinity(0, sizeof(after), &after), 0);
	check(CPU_EQUAL(&before, &after));
	for (char **env = environ; *env; env++)
		n--;
	check_int(n, 0);
	root_fin();
}

/* root_exp and all else that pip_init() tells a task. */
static void init_in_task(void)
{
	int value, pipid = PIP_PIPID_ANY, ntasks = 7;
	struct view view = { .ntasks = ntasks };
	void *exps[] = { &value, NULL };

	for (int i = 0; i < LENGTH(exps); i++) {
		void *exp = exps[i];

		check_int(pip_init(NULL, &ntasks, &exp, 0), 0);
		view.root_exp = exps[i];
		for (view.pipid = 0; view.pipid < 3; view.pipid++) {
			pipid = task_func(PROG("api"), "api_init", &view);
			check_int(pipid, view.pipid);
			task_exits(pipid, 0);
		}
		root_fin();
	}
}

static void init_in_task_without_root_exp(void)
{
	struct view view = { .ntasks = 3 };

	root_init(3);
	task_exits(task_func(PROG("api"), "api_init", &view), 0);
	root_fin();
}

static void constructors_run_before(void)
{
	root_init(1);
	task_exits(task_func(PROG("api"), "api_constructor", NULL), 0);
	root_fin();
}

static const struct CMUnitTest tests[] = {
	CASE(null_pointers),
	CASE(results),
	CASE(default_ntasks),
	CASE(most_ntasks),
	CASE(second_init),
	CASE(arguments),
	cmocka_unit_test(sigchld_refused),
	CASE(sigchld_blocked_meanwhile),
	CASE(fin_without_init),
	CASE(fin_with_tasks),
	CASE(init_again),
	CASE(init_fin_balance),
	CASE(surroundings_untouched),
	CASE(init_in_task),
	CASE(init_in_task_without_root_exp),
	CASE(constructors_run_before),
};

TEST_MAIN(tests)
