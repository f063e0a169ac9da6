/*
 * test_spawn.c - what can be started, from where, under which PIPID; and that what starts is a
 * process in the root's address space.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "root.h"
#include "../prog/api.h"

#define MANY 8

/* ---- The inline helpers ---- */

static void helpers(void)
{
	char *argv[] = { "zero", "one", NULL }, *envv[] = { "A=1", NULL };
	pip_spawn_program_t program;
	pip_spawn_hook_t hook;
	int aux, arg;

	check_int(sizeof(pip_spawn_program_t), 64);
	check_int(sizeof(pip_spawn_hook_t), 64);

	memset(&program, 0x55, sizeof(program));
	pip_spawn_from_main(&program, "prog", argv, envv, &aux);
	check_str(program.prog, "prog");
	check_ptr(program.argv, argv);
	check_ptr(program.envv, envv);
	check_ptr(program.aux, &aux);
	check_ptr(program.funcname, NULL);
	check_ptr(program.arg, NULL);
	check_ptr(program.reserved[0], NULL);
	check_ptr(program.reserved[1], NULL);
	pip_spawn_from_main(&program, NULL, argv, NULL, NULL);
	check_ptr(program.prog, argv[0]);
	check_ptr(program.envv, environ);

	memset(&program, 0x55, sizeof(program));
	pip_spawn_from_func(&program, "prog", "func", &arg, envv, &aux);
	check_str(program.prog, "prog");
	check_str(program.funcname, "func");
	check_ptr(program.arg, &arg);
	check_ptr(program.aux, &aux);
	check_ptr(program.argv, NULL);
	check_ptr(program.envv, envv);
	check_ptr(program.reserved[0], NULL);
	check_ptr(program.reserved[1], NULL);
	pip_spawn_from_func(&program, NULL, "func", &arg, NULL, NULL);
	check_ptr(program.prog, NULL);
	check_ptr(program.envv, environ);

	memset(&hook, 0x55, sizeof(hook));
	pip_spawn_hook(&hook, NULL, (pip_spawnhook_t)helpers, &arg);
	check_ptr(hook.before, NULL);
	check_ptr(hook.after, helpers);
	check_ptr(hook.hookarg, &arg);
	for (int i = 0; i < LENGTH(hook.reserved); i++)
		check_ptr(hook.reserved[i], 0x5555555555555555);
}

/* ---- From main ---- */

static void arguments(void)
{
	char *argv[] = { PROG("plain"), "args", "", "with blanks", "\xff\n'\"", "-x", NULL };
	char *text;

	root_init(1);
	text = task_output(argv, NULL);
	check_str(text, "6\n[" PROG_DIR "/plain]\n[args]\n[]\n[with blanks]\n[\xff\n'\"]\n[-x]\n");
	free(text);
	root_fin();
}

/* argv[0] is whatever the caller says, if prog is given. */
static void argv0(void)
{
	char *argv[] = { "any name at all", "args", NULL }, *text;
	pip_spawn_program_t program;
	int pipid = PIP_PIPID_ANY;
	struct capture c;

	root_init(1);
	capture_begin(&c, STDOUT_FILENO);
	pip_spawn_from_main(&program, PROG("plain"), argv, NULL, NULL);
	check_int(pip_task_spawn(&program, PIP_CPUCORE_ASIS, 0, &pipid, NULL), 0);
	task_exits(pipid, 0);
	text = capture_end(&c);
	check_str(text, "2\n[any name at all]\n[args]\n");
	free(text);
	root_fin();
}

static void many_arguments(void)
{
	enum {
		COUNT = 3000,
		LONG = 120000
	};
	static char *argv[COUNT + 4], *envv[COUNT + 1];
	char want[64], *text;
	size_t total = strlen(PROG("plain")) + strlen("sizes") + LONG;
	int i;

	argv[0] = PROG("plain");
	argv[1] = "sizes";
	argv[2] = malloc(LONG + 1);
	memset(argv[2], 'x', LONG);
	argv[2][LONG] = '\0';
	for (i = 0; i < COUNT; i++) {
		check(asprintf(&argv[3 + i], "argument %d", i) > 0);
		check(asprintf(&envv[i], "VARIABLE_%d=%d", i, i) > 0);
		total += strlen(argv[3 + i]) + strlen(envv[i]);
	}
	root_init(1);
	text = task_output(argv, envv);
	snprintf(want, sizeof(want), "%d %d %zu\n", COUNT + 3, COUNT, total);
	check_str(text, want);
	root_fin();
}

static atomic_int scribbled;

static int wait_for_scribble(void *arg)
{
	(void)arg;
	while (!scribbled)
		sleep_ms(1);
	return 0;
}

/*
 * The spawn returns before main runs, with copies of all strings.  We can see that because a
 * before-hook that does not return yet keeps main waiting.
 */
static void strings_are_copied(void)
{
	char path[] = PROG_DIR "/plain", cmd[] = "getenv", name[] = "VARIABLE",
	     env[] = "VARIABLE=value";
	char *argv[] = { path, cmd, name, NULL }, *envv[] = { env, NULL }, *text;
	pip_spawn_program_t program;
	pip_spawn_hook_t hook = { 0 };
	int pipid = PIP_PIPID_ANY;
	struct capture c;

	root_init(1);
	capture_begin(&c, STDOUT_FILENO);
	pip_spawn_from_main(&program, NULL, argv, envv, NULL);
	pip_spawn_hook(&hook, wait_for_scribble, NULL, NULL);
	check_int(pip_task_spawn(&program, PIP_CPUCORE_ASIS, 0, &pipid, &hook), 0);
	check_int(pip_trywait(pipid, NULL), ECHILD);
	memset(path, 'x', sizeof(path) - 1);
	memset(cmd, 'x', sizeof(cmd) - 1);
	memset(name, 'x', sizeof(name) - 1);
	memset(env, 'x', sizeof(env) - 1);
	memset(argv, 0x55, sizeof(argv));
	memset(envv, 0x55, sizeof(envv));
	memset(&program, 0x55, sizeof(program));
	memset(&hook, 0x55, sizeof(hook));
	scribbled = 1;
	task_exits(pipid, 0);
	text = capture_end(&c);
	check_str(text, "VARIABLE=value\n");
	free(text);
	root_fin();
}

/* ---- From a function ---- */

static void function(void)
{
	root_init(1);
	for (int i = 0; i < 256; i += 51)
		task_exits(task_func(PROG("api"), "api_return", (void *)(intptr_t)i), i);
	root_fin();
}

static void static_function_body(void *arg)
{
	(void)arg;
	root_init(1);
	task_exits(task_func(PROG("api"), "api_static", (void *)41), 42);
	root_fin();
}

static void static_function(void **state)
{
	struct outcome o;

	(void)state;
	scenario_run(&o, static_function_body, NULL);
	scenario_exited(&o, 0);
	scenario_said(&o, "^PiP-WARN.*/api: function 'api_static' is a local symbol$");
	scenario_free(&o);
}

/* Slots are used in turn for mains and functions. */
static void main_after_function(void)
{
	root_init(1);
	for (int i = 0; i < 3; i++) {
		task_exits(task_func(PROG("api"), "api_return", (void *)3), 3);
		task_exits(task_main(PROG("plain"), "return", "4", NULL), 4);
	}
	root_fin();
}

static void aux_pointer(void)
{
	pip_spawn_program_t program;
	char *argv[] = { PROG("plain"), "return", "0", NULL };

	root_init(1);
	pip_spawn_from_func(&program, PROG("api"), "api_aux", &program, NULL, &program);
	check_int(pip_task_spawn(&program, PIP_CPUCORE_ASIS, 0, NULL, NULL), 0);
	task_exits(0, 0);
	pip_spawn_from_main(&program, NULL, argv, NULL, &program);
	check_int(pip_task_spawn(&program, PIP_CPUCORE_ASIS, 0, NULL, NULL), 0);
	task_exits(0, 0);
	root_fin();
}

/* ---- Kinds of programs ---- */

static void runs(char *path)
{
	char *argv[] = { path, "ids", NULL }, *text;
	int pid, ppid, tid;

	task_exits(task_main(path, "return", "5", NULL), 5);
	task_exits(task_main(path, "exit", "6", NULL), 6);
	text = task_output(argv, NULL);
	check_int(sscanf(text, "%d %d %d", &pid, &ppid, &tid), 3);
	if (harness_threads()) {
		check_int(pid, getpid());
		check_int(ppid, getppid());
		check(tid != pid);
	} else {
		check(pid != getpid());
		check_int(ppid, getpid());
		check_int(tid, pid);
	}
	free(text);
}

static void kinds(void)
{
	root_init(1);
	runs(PROG("plain"));
	runs(PROG("plain-stripped"));
	runs(PROG("plain-pip"));
#ifdef HAVE_STATIC_PIE
	if (!harness_namespaces())
		runs(PROG("plain-static"));
#endif
	root_fin();
}

/* A copy without its symbol table, and one that only its owner may run. */
static void copies(void)
{
	char *dir = temp_dir(), *stripped = path_in(dir, "stripped"), *own = path_in(dir, "own");

	file_copy(PROG("plain-stripped"), stripped, 0755);
	file_copy(PROG("plain"), own, 0500);
	root_init(1);
	runs(stripped);
	runs(own);
	root_fin();
	free(stripped);
	free(own);
	free(dir);
}

/* Programs that nobody built for tests. */
static void system_programs(void)
{
	static const char text[] = "printf '%s-' one two; echo three | cat; exit 0";
	char *sh[] = { "/bin/sh", "-c", (char *)text, NULL };
	char *echo[] = { "/bin/echo", "one", "two", NULL };
	char *out;

	root_init(2);
	task_exits(task_main("/bin/true", NULL), 0);
	task_exits(task_main("/bin/false", NULL), 1);
	task_exits(task_main("/bin/sh", "-c", "exit 7", NULL), 7);
	out = task_output(echo, NULL);
	check_str(out, "one two\n");
	free(out);
	out = task_output(sh, NULL);
	check_str(out, "one-two-three\n");
	free(out);
	root_fin();
}

/* ---- Finding the program ---- */

static void runs_by(const char *path)
{
	task_exits(task_main(path, "return", "5", NULL), 5);
}

static void lookup_with_slash(void)
{
	char *dir = temp_dir(), *link = path_in(dir, "link");

	check_int(symlink(PROG("plain"), link), 0);
	root_init(1);
	runs_by(PROG("plain"));
	runs_by(link);
	check_int(chdir(PROG_DIR), 0);
	runs_by("./plain");
	runs_by("../prog/plain");
	runs_by("..//prog/./plain");
	root_fin();
	free(link);
	free(dir);
}

static void lookup_along_path(void)
{
	char *dir = temp_dir(), *path;

	root_init(1);
	setenv("PATH", PROG_DIR, 1);
	runs_by("plain");
	check(asprintf(&path, "/there/is/no/such:%s:%s", dir, PROG_DIR) > 0);
	setenv("PATH", path, 1);
	runs_by("plain");
	root_fin();
	free(path);
	free(dir);
}

/* It is the caller's PATH that counts, not the task's. */
static void lookup_along_own_path(void)
{
	char *argv[] = { "plain", "return", "5", NULL };
	char *right[] = { "PATH=" PROG_DIR, NULL }, *wrong[] = { "PATH=/nonexistent", NULL };
	int pipid = 0;

	root_init(1);
	setenv("PATH", "/nonexistent", 1);
	check_int(pip_spawn("plain", argv, right, PIP_CPUCORE_ASIS, &pipid, NULL, NULL, NULL),
		  ENOENT);
	setenv("PATH", PROG_DIR, 1);
	check_int(pip_spawn("plain", argv, wrong, PIP_CPUCORE_ASIS, &pipid, NULL, NULL, NULL), 0);
	task_exits(pipid, 5);
	root_fin();
}

static void lookup_without_path(void)
{
	root_init(1);
	check_int(chdir(PROG_DIR), 0);
	unsetenv("PATH");
	runs_by("plain");
	setenv("PATH", "", 1);
	runs_by("plain");
	root_fin();
}

/* ---- PIPIDs ---- */

static int spawn_as(int pipid)
{
	char *argv[] = { PROG("plain"), "return", "5", NULL };

	check_int(pip_spawn(argv[0], argv, NULL, PIP_CPUCORE_ASIS, &pipid, NULL, NULL, NULL), 0);
	return pipid;
}

static void sequential_pipids(void)
{
	root_init(MANY);
	for (int i = 0; i < MANY; i++)
		check_int(spawn_as(PIP_PIPID_ANY), i);
	for (int i = 0; i < MANY; i++)
		task_exits(i, 5);
	root_fin();
}

static void explicit_pipids(void)
{
	const int order[] = { 5, 0, 7, 1, 6, 2, 4, 3 };

	root_init(MANY);
	for (int i = 0; i < MANY; i++)
		check_int(spawn_as(order[i]), order[i]);
	for (int i = 0; i < MANY; i++)
		task_exits(i, 5);
	root_fin();
}

/* ANY looks on from the one after the last allocated, round and round. */
static void cyclic_pipids(void)
{
	root_init(4);
	check_int(spawn_as(PIP_PIPID_ANY), 0);
	task_exits(0, 5);
	check_int(spawn_as(PIP_PIPID_ANY), 1);
	check_int(spawn_as(PIP_PIPID_ANY), 2);
	task_exits(1, 5);
	check_int(spawn_as(PIP_PIPID_ANY), 3);
	check_int(spawn_as(PIP_PIPID_ANY), 0);
	check_int(spawn_as(PIP_PIPID_ANY), 1);
	task_exits(2, 5);
	task_exits(3, 5);
	check_int(spawn_as(PIP_PIPID_ANY), 2);
	for (int i = 0; i < 3; i++)
		task_exits(i, 5);
	check_int(spawn_as(1), 1);
	check_int(spawn_as(PIP_PIPID_ANY), 2);
	task_exits(1, 5);
	task_exits(2, 5);
	root_fin();
}

/* A failed spawn does not use one up. */
static void pipids_after_failure(void)
{
	char *argv[] = { "/there/is/no/such", NULL };

	root_init(3);
	for (int i = 0; i < 5; i++)
		check_int(pip_spawn(argv[0], argv, NULL, 0, NULL, NULL, NULL, NULL), ENOENT);
	for (int i = 0; i < 3; i++)
		spawn_as(PIP_PIPID_ANY);
	for (int i = 0; i < 3; i++)
		task_exits(i, 5);
	root_fin();
}

static void null_pipid(void)
{
	char *argv[] = { PROG("plain"), "return", "5", NULL };

	root_init(2);
	for (int i = 0; i < 2; i++)
		check_int(pip_spawn(argv[0], argv, NULL, 0, NULL, NULL, NULL, NULL), 0);
	task_exits(0, 5);
	task_exits(1, 5);
	root_fin();
}

/* Whatever opts says. */
static void options_are_ignored(void)
{
	const uint32_t opts[] = { 1, PIP_MODE_PTHREAD, PIP_MODE_MASK, 0x7fffffff, UINT32_MAX };
	char *argv[] = { PROG("plain"), "return", "5", NULL };
	pip_spawn_program_t program;

	root_init(1);
	pip_spawn_from_main(&program, NULL, argv, NULL, NULL);
	for (int i = 0; i < LENGTH(opts); i++) {
		check_int(pip_task_spawn(&program, PIP_CPUCORE_ASIS, opts[i], NULL, NULL), 0);
		task_exits(0, 5);
	}
	root_fin();
}

static void one_pipid_again_and_again(void)
{
	static struct sheet sheet;

	root_init(3);
	for (int i = 0; i < 100; i++) {
		check_int(spawn_as(1), 1);
		task_exits(1, 5);
		if (i == 1)
			sheet_take(&sheet);
	}
	sheet_same(&sheet);
	root_fin();
}

/* ---- Processes in one space ---- */

static void processes(void)
{
	struct gate gate = { 0 };
	struct proof proof;

	root_init(MANY);
	proof_begin(&proof);
	for (int i = 0; i < MANY; i++)
		check_int(task_func(PROG("api"), "api_wait_gate", &gate), i);
	for (int i = 0; i < MANY; i++)
		proof_task(&proof, task_pid(i));
	/* All are there at once, seen through one variable of the root's. */
	check(retry(gate.here == MANY));
	gate.open = 1;
	for (int i = 0; i < MANY; i++) {
		task_exits(i, 0);
		proof_collected(&proof);
	}
	proof_end(&proof, MANY);
	root_fin();
}

/* Programs that know nothing of PiP, too. */
static void plain_processes(void)
{
	struct proof proof;

	root_init(MANY);
	proof_begin(&proof);
	for (int i = 0; i < MANY; i++) {
		check_int(task_main(i % 2 ? PROG("plain") : PROG("plain-stripped"), "pause", NULL),
			  i);
		proof_task(&proof, task_pid(i));
	}
	for (int i = 0; i < MANY; i++) {
		check_int(pip_kill(i, SIGKILL), 0);
		task_signaled(i, SIGKILL);
		proof_collected(&proof);
	}
	proof_end(&proof, MANY);
	root_fin();
}

#ifdef HAVE_STATIC_PIE
static void static_process(void)
{
	struct proof proof;

	root_init(1);
	proof_begin(&proof);
	task_main(PROG("plain-static"), "pause", NULL);
	proof_task(&proof, task_pid(0));
	check_int(pip_kill(0, SIGKILL), 0);
	task_signaled(0, SIGKILL);
	proof_collected(&proof);
	proof_end(&proof, 1);
	root_fin();
}
#endif

/* Each task has variables of its own, which the root reaches through plain pointers. */
static void own_variables(void)
{
	struct view view[MANY] = { 0 };

	root_init(MANY);
	for (int i = 0; i < MANY; i++)
		check_int(task_func(PROG("api"), "api_variable", &view[i]), i);
	for (int i = 0; i < MANY; i++) {
		check(retry(view[i].done));
		check_int(view[i].pid, task_getpid(i));
		check_int(*view[i].variable, 42);
		*view[i].variable = 100 + i;
		for (int j = 0; j < i; j++)
			check(view[i].variable != view[j].variable);
	}
	for (int i = 0; i < MANY; i++) {
		view[i].done = 2;
		task_exits(i, 100 + i);
	}
	root_fin();
}

/* Working directory and umask are a process's own. */
static void own_directory(void)
{
	char *dir = temp_dir(), *here = getcwd(NULL, 0), *real = realpath(dir, NULL), *text, *now;
	char *stay[] = { PROG("plain"), "cwd", NULL }, *go[] = { PROG("plain"), "cwd", dir, NULL };

	root_init(1);
	umask(027);
	text = task_output(stay, NULL);
	text[strcspn(text, "\n")] = '\0';
	check_str(text, here);
	free(text);
	text = task_output(go, NULL);
	text[strcspn(text, "\n")] = '\0';
	check_str(text, real);
	free(text);
	now = getcwd(NULL, 0);
	check_str(now, here);
	check_int(umask(0), 027);
	root_fin();
	free(now);
	free(here);
	free(real);
	free(dir);
}

static void balance(void)
{
	static struct sheet sheet;
	char *argv[] = { PROG("plain"), "write", ".", NULL };

	root_init(MANY);
	for (int round = 0; round < 10; round++) {
		for (int i = 0; i < MANY; i++)
			spawn_as(i);
		for (int i = 0; i < MANY; i++)
			task_exits(i, 5);
		free(task_output(argv, NULL));
		if (round == 1)
			sheet_take(&sheet);
	}
	sheet_same(&sheet);
	root_fin();
}

static const struct CMUnitTest tests[] = {
	CASE(helpers),
	CASE(arguments),
	CASE(argv0),
	CASE(many_arguments),
	CASE(strings_are_copied),
	CASE(function),
	cmocka_unit_test(static_function),
	CASE(main_after_function),
	CASE(aux_pointer),
	CASE(kinds),
	CASE(copies),
	CASE(system_programs),
	CASE(lookup_with_slash),
	CASE(lookup_along_path),
	CASE(lookup_along_own_path),
	CASE(lookup_without_path),
	CASE(sequential_pipids),
	CASE(explicit_pipids),
	CASE(cyclic_pipids),
	CASE(pipids_after_failure),
	CASE(null_pipid),
	CASE(options_are_ignored),
	CASE(one_pipid_again_and_again),
	CASE(processes),
	CASE(plain_processes),
#ifdef HAVE_STATIC_PIE
	CASE_PRIVATE(static_process),
#endif
	CASE(own_variables),
	CASE_PROCESS(own_directory),
	CASE(balance),
};

TEST_MAIN(tests)
