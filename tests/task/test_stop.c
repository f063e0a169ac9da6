/* test_stop.c - PIP_STOP_ON_START: new tasks stop before anything of theirs runs. */
#include <errno.h>
#include <stdatomic.h>

#include "root.h"

static atomic_int hooked;

static int before(void *arg)
{
	(void)arg;
	hooked++;
	return 0;
}

static int start(int pipid)
{
	char *argv[] = { PROG("plain"), "return", "5", NULL };

	check_int(pip_spawn(argv[0], argv, NULL, PIP_CPUCORE_ASIS, &pipid, before, NULL, NULL), 0);
	return pipid;
}

/* It is stopped when the spawn returns, before its hook; SIGCONT lets it run. */
static void is_stopped(int pipid)
{
	int before_hooks = hooked;

	check_int(process_state(task_pid(pipid)), 'T');
	sleep_ms(20);
	check_int(process_state(task_pid(pipid)), 'T');
	check_int(pip_trywait(pipid, NULL), ECHILD);
	check_int(hooked, before_hooks);
	check_int(pip_kill(pipid, SIGCONT), 0);
	task_exits(pipid, 5);
	check_int(hooked, before_hooks + 1);
}

static void runs_through(int pipid)
{
	check(process_state(task_pid(pipid)) != 'T');
	task_exits(pipid, 5);
}

/* ---- Which tasks ---- */

static void all_body(void *arg)
{
	setenv("PIP_STOP_ON_START", arg, 1);
	root_init(2);
	for (int i = 0; i < 3; i++)
		is_stopped(start(PIP_PIPID_ANY));
	/* Read at each spawn. */
	unsetenv("PIP_STOP_ON_START");
	runs_through(start(PIP_PIPID_ANY));
	root_fin();
}

static void all(void **state)
{
	char *values[] = { "", "@", "@-1", "@-123" };

	(void)state;
	for (int i = 0; i < LENGTH(values); i++) {
		struct outcome o;

		scenario_run(&o, all_body, values[i]);
		if (!WIFEXITED(o.status) || WEXITSTATUS(o.status) != 0)
			scenario_fail(&o, "PIP_STOP_ON_START='%s'", values[i]);
		scenario_said(&o,
			      "^PiP-INFO\\[[0-9]+\\(R\\):R\\] PiP task\\[0\\] \\(PID=[0-9]+\\) is "
			      "SIGSTOPed$");
		scenario_said(&o, "^PiP-INFO.* PiP task\\[1\\] \\(PID=[0-9]+\\) is SIGSTOPed$");
		scenario_free(&o);
	}
}

/* The number is as strtol() reads it. */
static void one(void)
{
	static const char *const values[] = { "@1", "@+1", "@ 01" };

	for (int i = 0; i < LENGTH(values); i++) {
		setenv("PIP_STOP_ON_START", values[i], 1);
		root_init(3);
		runs_through(start(0));
		is_stopped(start(1));
		runs_through(start(2));
		root_fin();
	}
}

/* Several at a time, let go in reverse. */
static void several(void)
{
	setenv("PIP_STOP_ON_START", "", 1);
	root_init(4);
	for (int i = 0; i < 4; i++)
		check_int(start(PIP_PIPID_ANY), i);
	for (int i = 3; i >= 0; i--)
		is_stopped(i);
	root_fin();
}

/* What is stopped can be killed. */
static void killed(void)
{
	static struct sheet sheet;

	setenv("PIP_STOP_ON_START", "", 1);
	root_init(2);
	for (int i = 0; i < 4; i++) {
		start(0);
		start(1);
		check_int(pip_kill(0, SIGKILL), 0);
		task_signaled(0, SIGKILL);
		check_int(pip_kill_all_child_tasks(), 0);
		task_signaled(1, SIGKILL);
		if (i == 1)
			sheet_take(&sheet);
	}
	sheet_same(&sheet);
	check_int(hooked, 0);
	root_fin();
}

/* ---- Scripts ---- */

/* A script that lets its task go and writes its arguments to a file beside it. */
static char *script_make(const char *text, mode_t mode)
{
	char *dir = temp_dir(), *path = path_in(dir, "script");

	file_write(path, text, strlen(text), mode);
	free(dir);
	return path;
}

static const char resume[] = "#!/bin/sh\necho \"$@\" >\"$0.args.$2\"\nkill -CONT $1\nexit 3\n";

struct script {
	const char *suffix; /* behind the script's name, SCRIPT in the environment */
	int stopped;        /* the one task, or -1 for all */
};

static void script_body(void *arg)
{
	const struct script *s = arg;
	static struct sheet sheet;
	const char *path = getenv("SCRIPT");
	char *value;

	check(asprintf(&value, "%s%s", path, s->suffix) > 0);
	setenv("PIP_STOP_ON_START", value, 1);
	root_init(3);
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < 3; i++) {
			char *args, *file, *want;
			pid_t pid;

			check(asprintf(&file, "%s.args.%d", path, i) > 0);
			unlink(file);
			check_int(start(i), i);
			pid = task_pid(i);
			/* The script, and it only, lets the task go. */
			task_exits(i, 5);
			args = file_read(file);
			if (s->stopped < 0 || s->stopped == i) {
				check(asprintf(&want, "%d %d %s", pid, i, PROG("plain")) > 0);
				check_str(args, want);
				free(want);
			} else {
				check_ptr(args, NULL);
			}
			free(args);
			free(file);
		}
		/* The script's process is reaped with its task. */
		if (round == 0)
			sheet_take(&sheet);
		else
			sheet_same(&sheet);
	}
	check_int(children_count(), 0);
	root_fin();
}

static void script(void **state)
{
	static const struct script cases[] = {
		{ "", -1 },
		{ "@", -1 },
		{ "@-1", -1 },
		{ "@1", 1 },
	};

	(void)state;
	for (int i = 0; i < LENGTH(cases); i++) {
		struct outcome o;
		char *path = script_make(resume, 0755), *said;

		setenv("SCRIPT", path, 1);
		scenario_run(&o, script_body, (void *)&cases[i]);
		if (!WIFEXITED(o.status) || WEXITSTATUS(o.status) != 0)
			scenario_fail(&o, "script%s", cases[i].suffix);
		assert_true(
			asprintf(&said,
				 "^PiP-INFO.* PiP task\\[1\\] \\(PID=[0-9]+\\) is SIGSTOPed and "
				 "executing '%s' script$",
				 path) > 0);
		scenario_said(&o, said);
		free(said);
		scenario_free(&o);
		free(path);
	}
	unsetenv("SCRIPT");
}

/* What cannot be run is a warning, and nothing stops. */
static void bad_script_body(void *arg)
{
	(void)arg;
	root_init(2);
	runs_through(start(0));
	runs_through(start(1));
	root_fin();
}

static void bad_script(void **state)
{
	char *no_x = script_make(resume, 0644);
	const struct {
		char *value;
		const char *warning;
	} cases[] = {
		{ "/there/is/no/such/script",
		  "^PiP-WARN.*Unable to find file: /there/is/no/such/script" },
		{ "/there/is/no/such/script@1",
		  "^PiP-WARN.*Unable to find file: /there/is/no/such/script" },
		{ "1", "^PiP-WARN.*Unable to find file: 1" }, /* a bare number is a name */
		{ no_x, "^PiP-WARN.*Not an executable file: " },
	};

	(void)state;
	for (int i = 0; i < LENGTH(cases); i++) {
		struct outcome o;

		setenv("PIP_STOP_ON_START", cases[i].value, 1);
		scenario_run(&o, bad_script_body, NULL);
		if (!WIFEXITED(o.status) || WEXITSTATUS(o.status) != 0)
			scenario_fail(&o, "PIP_STOP_ON_START='%s'", cases[i].value);
		scenario_said(&o, cases[i].warning);
		scenario_said_not(&o, "SIGSTOPed");
		scenario_free(&o);
	}
	unsetenv("PIP_STOP_ON_START");
	free(no_x);
}

/* If the script turns out not to be executable after all, the task is let go. */
static void failing_script(void)
{
	char *path = script_make("\x7f"
				 "ELF but not really\n",
				 0755);

	setenv("PIP_STOP_ON_START", path, 1);
	root_init(1);
	for (int i = 0; i < 2; i++) {
		check_int(start(0), 0);
		task_exits(0, 5);
	}
	check_int(hooked, 2);
	root_fin();
	free(path);
}

static const struct CMUnitTest tests[] = {
	TEST_PROCESS(all),    CASE_PROCESS(one),        CASE_PROCESS(several), CASE_PROCESS(killed),
	TEST_PROCESS(script), TEST_PROCESS(bad_script), CASE(failing_script),
};

TEST_MAIN(tests)
