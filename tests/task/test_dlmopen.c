/* test_dlmopen.c - tasks in namespaces of the root's dynamic linker: PIP_LOADER=dlmopen. */
#include <errno.h>

#include "../prog/api.h"
#include "root.h"

static void dlmopen_root(int n)
{
	setenv("PIP_LOADER", "dlmopen", 1);
	root_init(n);
}

/* However it ends, and whether or not its symbols are there. */
static void dlmopen_ends(void)
{
	const char *const programs[] = { PROG("plain"), PROG("plain-stripped"), PROG("plain-pip") };

	dlmopen_root(2);
	for (int i = 0; i < LENGTH(programs); i++) {
		task_exits(task_main(programs[i], "return", "5", NULL), 5);
		task_exits(task_main(programs[i], "exit", "6", NULL), 6);
		task_exits(task_main(programs[i], "_exit", "7", NULL), 7);
	}
	task_exits(task_main(PROG("plain-pip"), "pthread_exit", "8", NULL), 8);
	task_main(PROG("plain"), "pause", NULL);
	check_int(pip_kill_all_child_tasks(), 0);
	check_int(pip_wait_any(NULL, NULL), 0);
	root_fin();
}

/* Processes of their own, started at a function that no symbol of the dynamic table names. */
static void dlmopen_processes(void)
{
	enum {
		TASKS = 8
	};
	struct gate gate = { 0 };
	struct proof proof;

	dlmopen_root(TASKS);
	proof_begin(&proof);
	for (int i = 0; i < TASKS; i++) {
		check_int(task_func(PROG("api"), "api_wait_gate", &gate), i);
		proof_task(&proof, task_pid(i));
	}
	gate.open = 1;
	for (int i = 0; i < TASKS; i++) {
		task_exits(i, 0);
		proof_collected(&proof);
	}
	proof_end(&proof, TASKS);
	root_fin();
}

static void dlmopen_arguments(void)
{
	char *argv[] = { "/usr/bin/env", NULL, NULL };
	char *envv[] = { "A=1", "B=two words", NULL };
	char *text;

	dlmopen_root(1);
	text = task_output(argv, envv);
	check_match(text, "^A=1$");
	check_match(text, "^B=two words$");
	check(!text_matches(text, "^PATH="));
	free(text);
	root_fin();
}

/* A namespace that has been given back is used again. */
static void dlmopen_again_and_again(void)
{
	dlmopen_root(1);
	for (int i = 0; i < 100; i++)
		task_exits(task_main(PROG("plain"), "return", "5", NULL), 5);
	root_fin();
}

/* So is that of one that was killed. */
static void dlmopen_killed(void)
{
	dlmopen_root(1);
	for (int i = 0; i < 30; i++) {
		int pipid = task_main(PROG("plain"), "pause", NULL);

		check_int(pip_kill(pipid, i % 2 ? SIGKILL : SIGSEGV), 0);
		task_signaled(pipid, i % 2 ? SIGKILL : SIGSEGV);
	}
	root_fin();
}

/* Options are read by the C library with variables of the program (optind). */
static void dlmopen_variables(void)
{
	char *argv[] = { "/bin/ls", "-d", "-1", "/", "/proc", NULL }, *text;

	dlmopen_root(1);
	text = task_output(argv, NULL);
	check_str(text, "/\n/proc\n");
	free(text);
	root_fin();
}

static void dlmopen_full_body(void *arg)
{
	char *argv[] = { PROG("plain"), "pause", NULL };
	int n = 0, rc;

	(void)arg;
	dlmopen_root(20);
	while ((rc = pip_spawn(argv[0], argv, NULL, PIP_CPUCORE_ASIS, NULL, NULL, NULL, NULL)) == 0)
		n++;
	check_int(rc, EAGAIN);
	check(n >= 5 && n <= 15);
	check_int(pip_kill_all_child_tasks(), 0);
	while (n-- > 0)
		check_int(pip_wait_any(NULL, NULL), 0);
	check_int(pip_wait_any(NULL, NULL), ECHILD);
	root_fin();
}

/* Beyond what glibc has there is an error, and the others live. */
static void dlmopen_full(void **state)
{
	struct outcome o;

	(void)state;
	scenario_run(&o, dlmopen_full_body, NULL);
	scenario_exited(&o, 0);
	scenario_said(&o, "^PiP-ERR.*Unable to load .*(namespaces|static TLS)");
	scenario_left_nothing(&o);
	scenario_free(&o);
}

static void refused_tls(void *arg)
{
	char *argv[] = { PROG("libc"), "all", NULL };

	(void)arg;
	dlmopen_root(1);
	check_int(pip_spawn(argv[0], argv, NULL, PIP_CPUCORE_ASIS, NULL, NULL, NULL, NULL),
		  ELIBEXEC);
	root_fin();
}

static void refused_static(void *arg)
{
	char *argv[] = { PROG("plain-static"), "return", "0", NULL };

	(void)arg;
	dlmopen_root(1);
#ifdef HAVE_STATIC_PIE
	check_int(pip_spawn(argv[0], argv, NULL, PIP_CPUCORE_ASIS, NULL, NULL, NULL, NULL),
		  ELIBEXEC);
#else
	(void)argv;
	fprintf(stderr, "PiP-ERR: no such program here: PIP_LOADER=private\n");
#endif
	root_fin();
}

static void refused_loader(void *arg)
{
	(void)arg;
	setenv("PIP_LOADER", "rubbish", 1);
	check_int(pip_init(NULL, NULL, NULL, 0), EINVAL);
}

static void dlmopen_refuses(void **state)
{
	const struct {
		void (*body)(void *);
		const char *said;
	} refused[] = {
		{ refused_tls, "^PiP-ERR.*libc' has thread-local variables.*PIP_LOADER=private" },
		{ refused_static, "^PiP-ERR.*PIP_LOADER=private" },
		{ refused_loader, "^PiP-ERR.*PIP_LOADER='rubbish'" },
	};

	(void)state;
	for (int i = 0; i < LENGTH(refused); i++) {
		struct outcome o;

		scenario_run(&o, refused[i].body, NULL);
		scenario_exited(&o, 0);
		scenario_said(&o, refused[i].said);
		scenario_free(&o);
	}
}

/* The other words for the loader that is used anyway. */
static void private_and_auto(void)
{
	const char *const words[] = { "private", "auto", "AUTO", "" };

	for (int i = 0; i < LENGTH(words); i++) {
		setenv("PIP_LOADER", words[i], 1);
		root_init(1);
		task_exits(task_main(PROG("libc"), "ctype", NULL), 0);
		root_fin();
	}
}

static int count_call(void *arg)
{
	++*(int *)arg;
	return 0;
}

static void dlmopen_hooks(void)
{
	char *argv[] = { PROG("plain"), "return", "5", NULL };
	int calls = 0;

	dlmopen_root(1);
	task_exits(task_hooked(argv[0], argv, count_call, count_call, &calls), 5);
	check_int(calls, 2);
	root_fin();
}

static const struct CMUnitTest tests[] = {
	CASE(dlmopen_ends),
	CASE_PROCESS(dlmopen_processes),
	CASE(dlmopen_arguments),
	CASE(dlmopen_again_and_again),
	CASE(dlmopen_killed),
	CASE(dlmopen_variables),
	CASE(dlmopen_hooks),
	CASE(private_and_auto),
	cmocka_unit_test(dlmopen_full),
	cmocka_unit_test(dlmopen_refuses),
};

TEST_MAIN(tests)
