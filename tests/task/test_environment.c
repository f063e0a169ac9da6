/* test_environment.c - a task's environment, and what the library reads in it. */
#include <errno.h>
#include <sys/resource.h>

#include "root.h"

#define PRELOADED PROG_DIR "/libpreloaded.so"

static char *argv_env[] = { PROG("plain"), "env", NULL };

/* ---- The vector ---- */

/* What is printed is the vector, entry by entry, and no more. */
static void sees(char **envv, const char *want)
{
	char *text = task_output(argv_env, envv);

	check_str(text, want);
	free(text);
}

static void exact(void)
{
	char *some[] = { "B=2", "A=1", "EMPTY=", "PATH=/nowhere", "BLANKS= x  y ", NULL };
	char *none[] = { NULL };
	char *odd[] = {
		"DOUBLE=1", "DOUBLE=2", "no equals sign", "=", "=leading", "", "Z=end", NULL
	};

	root_init(1);
	sees(some, "B=2\nA=1\nEMPTY=\nPATH=/nowhere\nBLANKS= x  y \n");
	sees(none, "");
	sees(odd, "DOUBLE=1\nDOUBLE=2\nno equals sign\n=\n=leading\n\nZ=end\n");
	root_fin();
}

/* NULL is the caller's environ as it is now, in a structure filled by hand, too. */
static void the_callers(void)
{
	char *argv[] = { PROG("plain"), "getenv", "ADDED", "REMOVED", NULL }, *text;
	pip_spawn_program_t program = { .prog = argv[0], .argv = argv };
	struct capture c;

	setenv("REMOVED", "1", 1);
	root_init(1);
	setenv("ADDED", "later", 1);
	unsetenv("REMOVED");
	text = task_output(argv, NULL);
	check_str(text, "ADDED=later\nREMOVED=(unset)\n");
	free(text);
	capture_begin(&c, STDOUT_FILENO);
	check_int(pip_task_spawn(&program, PIP_CPUCORE_ASIS, 0, NULL, NULL), 0);
	task_exits(0, 0);
	text = capture_end(&c);
	check_str(text, "ADDED=later\nREMOVED=(unset)\n");
	free(text);
	root_fin();
}

/* The whole of environ arrives, and nothing that the library put there. */
static void nothing_added(void)
{
	char *text, *want = strdup("");

	root_init(1);
	unsetenv("PIP_MODE"); /* the harness's */
	unsetenv("PIP_LOADER");
	for (char **env = environ; *env; env++) {
		char *more;

		check(strncmp(*env, "MALLOC_ARENA_", 13) != 0 && strncmp(*env, "PIP_", 4) != 0);
		check(asprintf(&more, "%s%s\n", want, *env) > 0);
		free(want);
		want = more;
	}
	text = task_output(argv_env, NULL);
	check_str(text, want);
	free(text);
	free(want);
	root_fin();
}

static void main_argument(void)
{
	root_init(1);
	task_exits(task_main(PROG("env"), "pointer", NULL), 0);
	root_fin();
}

static void in_constructors(void)
{
	char *argv[] = { PROG("env"), "constructor", NULL }, *envv[] = { "SEEN=it", NULL }, *text;

	root_init(1);
	text = task_output(argv, envv);
	check_str(text, "it\n(unset)\n");
	free(text);
	root_fin();
}

/* What tasks do to their environments is no business of the root or of each other. */
static void is_private(void)
{
	enum {
		TASKS = 4
	};

	setenv("SHARED", "as it was", 1);
	setenv("REMOVED", "not at all", 1);
	root_init(TASKS);
	for (int i = 0; i < TASKS; i++)
		task_main(PROG("env"), "churn", "3000", NULL);
	for (int i = 0; i < 3000; i++) {
		char name[32];

		snprintf(name, sizeof(name), "CHURN_%d", i);
		check_int(setenv(name, "root", 1), 0);
		check_str(getenv(name), "root");
	}
	for (int i = 0; i < TASKS; i++)
		task_exits(i, 0);
	check_str(getenv("SHARED"), "as it was");
	check_str(getenv("REMOVED"), "not at all");
	check_str(getenv("CHURN_7"), "root");
	check(!getenv("PUT"));
	root_fin();
}

/* A program that the task turns into sees the same. */
static void across_exec(void)
{
	char *argv[] = { PROG("plain"), "exec", PROG("plain"), "env", NULL };
	char *envv[] = { "B=2", "A=1", NULL }, *text;

	root_init(1);
	text = task_output(argv, envv);
	check_str(text, "B=2\nA=1\n");
	free(text);
	root_fin();
}

/* ---- LD_PRELOAD ---- */

/* The caller's own is honoured, and reads as the caller wrote it. */
static void ld_preload(void)
{
	char *ids[] = { PROG("plain"), "ids", NULL };
	char *look[] = { PROG("env"), "constructor", NULL };
	char *envv[] = { "A=1", "LD_PRELOAD=" PRELOADED, "PRELOADED_FD=1", NULL };
	int pid, ppid;
	char *text;

	root_init(1);
	sees(envv, "preloaded\nA=1\nLD_PRELOAD=" PRELOADED "\nPRELOADED_FD=1\n");
	text = task_output(ids, envv);
	check_int(sscanf(text, "preloaded\n%d %d", &pid, &ppid), 2);
	check_int(ppid, 123456789);
	free(text);
	text = task_output(look, envv);
	check_str(text, "preloaded\n(unset)\n" PRELOADED "\n");
	free(text);
	root_fin();
}

static void ld_preload_empty(void)
{
	char *envv[] = { "LD_PRELOAD=", "A=1", NULL };

	root_init(1);
	sees(envv, "LD_PRELOAD=\nA=1\n");
	root_fin();
}

/* For an exec'ed program it is as if the library had never been there. */
static void ld_preload_across_exec(void)
{
	char *argv[] = { PROG("plain"), "exec", PROG("plain"), "env", NULL }, *text;
	char *envv[] = { "LD_PRELOAD=" PRELOADED, "PRELOADED_FD=1", NULL };

	root_init(1);
	text = task_output(argv, envv);
	check_str(text, "preloaded\npreloaded\nLD_PRELOAD=" PRELOADED "\n"
			"PRELOADED_FD=1\n");
	free(text);
	root_fin();
}

/* ---- Stack size ---- */

#define MIB (1024L * 1024)

struct stack {
	long fits, overflows; /* bytes; 0 if not to be tried */
	rlim_t limit;         /* soft, of the root; 0 for as much as there may be */
	const char *warning;
	const char *root_env; /* of the root */
	const char *env[5];   /* of the task */
};

/* A size of so many MiB, by these variables of the task. */
#define STACK(mib, ...)                                                                            \
	{                                                                                          \
		.fits = (mib - 1) * MIB, .overflows = (mib + 1) * MIB, .env = { __VA_ARGS__ }      \
	}
#define STACK_WARNS(mib, ...)                                                                      \
	{                                                                                          \
		.fits = (mib - 1) * MIB, .overflows = (mib + 1) * MIB, .warning = "^PiP-WARN",     \
		.env = { __VA_ARGS__ }                                                             \
	}

static void stack_body(void *arg)
{
	const struct stack *s = arg;
	struct rlimit limit;
	char *envv[5] = { NULL }, bytes[32];
	char *argv[] = { PROG("plain"), "stack", bytes, NULL };
	long sizes[] = { s->fits, s->overflows };

	memcpy(envv, s->env, sizeof(envv));
	check_int(getrlimit(RLIMIT_STACK, &limit), 0);
	limit.rlim_cur = s->limit && s->limit < limit.rlim_max ? s->limit : limit.rlim_max;
	check_int(setrlimit(RLIMIT_STACK, &limit), 0);
	if (s->root_env)
		setenv("PIP_STACKSIZE", s->root_env, 1);
	root_init(1);
	for (int i = 0; i < 2; i++) {
		int pipid = PIP_PIPID_ANY;

		if (!sizes[i])
			continue;
		snprintf(bytes, sizeof(bytes), "%ld", sizes[i]);
		check_int(
			pip_spawn(argv[0], argv, envv, PIP_CPUCORE_ASIS, &pipid, NULL, NULL, NULL),
			0);
		if (i == 0)
			task_exits(pipid, 0);
		else
			task_signaled(pipid, SIGSEGV);
	}
	root_fin();
}

static void stack_sizes(const struct stack *s, int n)
{
	for (int i = 0; i < n; i++) {
		struct outcome o;

		scenario_run(&o, stack_body, (void *)&s[i]);
		if (!WIFEXITED(o.status) || WEXITSTATUS(o.status) != 0)
			scenario_fail(&o, "with %s, %s", s[i].env[0] ? s[i].env[0] : "nothing",
				      s[i].env[1] ? s[i].env[1] : "nothing");
		if (s[i].warning)
			scenario_said(&o, s[i].warning);
		else
			scenario_said_not(&o, "^PiP-WARN");
		scenario_free(&o);
	}
}

static void stack_default(void **state)
{
	/* Where the limit has been raised beyond it, there may be more. */
	static const struct stack s[] = {
		{ .fits = 15 * MIB, .overflows = 17 * MIB, .limit = 8 * MIB },
		{ .fits = 15 * MIB, .overflows = 17 * MIB, .limit = 16 * MIB },
		{ .fits = 15 * MIB }
	};

	(void)state;
	stack_sizes(s, LENGTH(s));
}

/* Without a suffix it is KiB. */
static void stack_suffixes(void **state)
{
	static const struct stack s[] = {
		STACK(32, "PIP_STACKSIZE=32M"),
		STACK(32, "PIP_STACKSIZE=32m"),
		STACK(32, "PIP_STACKSIZE=32768"),
		STACK(32, "PIP_STACKSIZE=32768K"),
		STACK(32, "PIP_STACKSIZE=32768k"),
		STACK(32, "PIP_STACKSIZE=33554432B"),
		STACK(32, "PIP_STACKSIZE=33554432b"),
		{ .fits = 900 * MIB, .env = { "PIP_STACKSIZE=1G" } },
		{ .fits = 100 * MIB, .env = { "PIP_STACKSIZE=1g" } },
		STACK(6, "PIP_STACKSIZE=6M"),
		STACK(4, "PIP_STACKSIZE=4M"),
	};

	(void)state;
	stack_sizes(s, LENGTH(s));
}

/* The first of four that is set counts. */
static void stack_variables(void **state)
{
	static const struct stack s[] = {
		STACK(32, "KMP_STACKSIZE=32M"),
		STACK(32, "GOMP_STACKSIZE=32M"),
		STACK(32, "OMP_STACKSIZE=32M"),
		STACK(32, "OMP_STACKSIZE=24M", "GOMP_STACKSIZE=32M"),
		STACK(32, "GOMP_STACKSIZE=24M", "KMP_STACKSIZE=32M"),
		STACK(32, "KMP_STACKSIZE=24M", "OMP_STACKSIZE=24M", "PIP_STACKSIZE=32M"),
	};

	(void)state;
	stack_sizes(s, LENGTH(s));
}

static void stack_warnings(void **state)
{
	static const struct stack s[] = {
		STACK_WARNS(16, "PIP_STACKSIZE=rubbish"),
		STACK_WARNS(16, "PIP_STACKSIZE="),
		STACK_WARNS(16, "PIP_STACKSIZE=0"),
		STACK_WARNS(16, "PIP_STACKSIZE=-5M"),
		STACK_WARNS(16, "PIP_STACKSIZE=32X"),
		STACK_WARNS(16, "PIP_STACKSIZE=32MB"),
		STACK_WARNS(4, "PIP_STACKSIZE=1M"),
		STACK_WARNS(4, "PIP_STACKSIZE=4095"),
		{ 31 * MIB, 33 * MIB, 32 * MIB, "^PiP-WARN", NULL, { "PIP_STACKSIZE=64M" } },
	};

	(void)state;
	stack_sizes(s, LENGTH(s));
}

/* It is the task's environment that is read, not the root's. */
static void stack_of_the_task(void **state)
{
	static const struct stack s[] = {
		{ .fits = 15 * MIB, .overflows = 17 * MIB, .limit = 8 * MIB, .root_env = "64M" }
	};

	(void)state;
	stack_sizes(s, LENGTH(s));
}

/* ---- PIP_QUIET ---- */

static void quiet_body(void *arg)
{
	char *argv[] = { "/there/is/no/such/program", NULL };

	if (arg)
		setenv("PIP_QUIET", arg, 1);
	root_init(1);
	unsetenv("PIP_QUIET");
	check_int(pip_spawn(argv[0], argv, NULL, 0, NULL, NULL, NULL, NULL), ENOENT);
	pip_info_mesg("an information");
	pip_warn_mesg("a warning");
	pip_err_mesg("an error");
	task_signaled(task_main(PROG("plain-pip"), "raise", "15", NULL), SIGTERM);
	task_main(PROG("plain"), "pause", NULL);
	exit(0);
}

static void quiet(void **state)
{
	char *values[] = { NULL, "", "0", "yes" };

	(void)state;
	for (int i = 0; i < LENGTH(values); i++) {
		struct outcome o;

		scenario_run(&o, quiet_body, values[i]);
		scenario_exited(&o, 0);
		if (i) {
			scenario_said_not(&o, "PiP-");
		} else {
			scenario_said(&o, "^PiP-INFO.*an information$");
			scenario_said(&o, "^PiP-WARN.*a warning$");
			scenario_said(&o, "^PiP-ERR.*an error$");
			scenario_said(&o, "^PiP-ERR.*no such file$");
			scenario_said(&o, "^PiP-ERR.*Exception signal");
			scenario_said(&o, "^PiP-INFO.*still running and killed$");
		}
		scenario_free(&o);
	}
}

static const struct CMUnitTest tests[] = {
	CASE(exact),
	CASE(the_callers),
	CASE(nothing_added),
	CASE(main_argument),
	CASE_PRIVATE(in_constructors),
	CASE(is_private),
	CASE(across_exec),
	CASE_PRIVATE(ld_preload),
	CASE(ld_preload_empty),
	CASE_PRIVATE(ld_preload_across_exec),
	cmocka_unit_test(stack_default),
	cmocka_unit_test(stack_suffixes),
	cmocka_unit_test(stack_variables),
	cmocka_unit_test(stack_warnings),
	cmocka_unit_test(stack_of_the_task),
	cmocka_unit_test(quiet),
};

int main(int argc, char **argv)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_STACK, &limit) == 0 && limit.rlim_max != RLIM_INFINITY)
		harness_skip("the hard limit of RLIMIT_STACK is finite");
	return harness_main(argc, argv, tests, sizeof(tests) / sizeof(tests[0]));
}
