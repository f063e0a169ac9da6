/* test_fork.c - ordinary children of root and tasks. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>

#include "root.h"
#include "../prog/api.h"
#include "../prog/child.h"

static struct child argument(void)
{
	return (struct child){ .value = 4711, .after_hook = -1, .prog = PROG("plain") };
}

static int code_of(pid_t pid)
{
	int status;

	check(pid > 0);
	check_int(waitpid(pid, &status, 0), pid);
	if (!WIFEXITED(status))
		check_failed(__FILE__, __LINE__, "a child ended with status 0x%x", status);
	return WEXITSTATUS(status);
}

/* ---- Of tasks ---- */

static void in_task(const char *function, int code)
{
	static struct sheet sheet;
	struct child c = argument();

	root_init(1);
	for (int i = 0; i < 4; i++) {
		task_exits(task_func(PROG("child"), function, &c), code);
		check_int(c.value, 4711);
		if (i == 1)
			sheet_take(&sheet);
	}
	sheet_same(&sheet);
	root_fin();
}

static void system_and_popen(void)
{
	in_task("child_system", 0);
}

static void fork_in_task(void)
{
	in_task("child_fork", 5);
}

static void ends_in_task(void)
{
	in_task("child_ends", 9);
}

static void spawns_in_task(void)
{
	in_task("child_spawns", 0);
}

static void becomes_root_in_task(void)
{
	in_task("child_becomes_root", 0);
}

static void threads_in_task(void)
{
	in_task("child_of_threads", 0);
}

static void atfork_in_task(void)
{
	in_task("child_atfork", 0);
}

/* All at a time. */
static void concurrently(void)
{
	static const char *const functions[] = { "child_system", "child_spawns", "child_of_threads",
						 "child_becomes_root" };
	struct child c = argument();

	root_init(8);
	for (int i = 0; i < 8; i++)
		check_int(task_func(PROG("child"), functions[i % 4], &c), i);
	for (int i = 0; i < 8; i++)
		task_exits(i, 0);
	root_fin();
}

static int write_byte(void *arg)
{
	struct child *c = arg;

	return write(c->after_hook, "h", 1) == 1 ? 0 : 1;
}

/* The after-hook is the task's, not its children's. */
static void no_after_hook(void)
{
	struct child c = argument();
	pip_spawn_program_t program;
	pip_spawn_hook_t hook = { 0 };
	int ends[2];
	char buf[100];

	check_int(pipe(ends), 0);
	c.after_hook = ends[1];
	root_init(1);
	pip_spawn_from_func(&program, PROG("child"), "child_fork", &c, NULL, NULL);
	pip_spawn_hook(&hook, NULL, write_byte, &c);
	check_int(pip_task_spawn(&program, PIP_CPUCORE_ASIS, 0, NULL, &hook), 0);
	task_exits(0, 5);
	close(ends[1]);
	check_int(read(ends[0], buf, sizeof(buf)), 1);
	close(ends[0]);
	root_fin();
}

/* A task's child outlives it, and goes on when the task's memory has been given back. */
static void left_behind(void)
{
	struct child c = argument();
	int ends[2];
	char byte;

	check_int(pipe(ends), 0);
	c.after_hook = ends[1];
	root_init(1);
	for (int i = 0; i < 3; i++) {
		task_exits(task_func(PROG("child"), "child_left_behind", &c), 5);
		check_int(read(ends[0], &byte, 1), 1);
	}
	root_fin();
}

/* ---- Of the root ---- */

static void child_looks(void)
{
	check_int(pip_is_initialized(), 0);
	check_int(pip_isa_root(), 0);
	check_int(pip_isa_task(), 0);
	check_int(pip_get_pipid(NULL), EPERM);
	check_int(pip_fin(), EPERM);
	check_int(pip_wait(0, NULL), EPERM);
	check_int(pip_kill_all_child_tasks(), EPERM);
	check_int(pip_kill(0, 0), EPERM);
}

/* It ends without hurting the tasks or saying a word about them. */
static void of_root_body(void *arg)
{
	void (*const leave[])(int) = { exit, pip_exit, _exit };
	struct gate gate = { 0 };
	sigset_t mask;
	pid_t pid;

	(void)arg;
	root_init(2);
	task_func(PROG("api"), "api_wait_gate", &gate);
	for (int i = 0; i < LENGTH(leave); i++) {
		pid = fork();
		if (pid == 0) {
			child_looks();
			leave[i](30 + i);
		}
		check_int(code_of(pid), 30 + i);
	}
	/* SIGCHLD is blocked in the root only. */
	pid = fork();
	if (pid == 0) {
		sigprocmask(SIG_BLOCK, NULL, &mask);
		_exit(sigismember(&mask, SIGCHLD));
	}
	check_int(code_of(pid), 0);
	check_int(pip_trywait(0, NULL), ECHILD);
	gate.open = 1;
	task_exits(0, 0);
	root_fin();
}

static void of_root(void **state)
{
	struct outcome o;

	(void)state;
	scenario_run(&o, of_root_body, NULL);
	scenario_exited(&o, 0);
	scenario_left_nothing(&o);
	scenario_said_not(&o, "PiP-");
	scenario_free(&o);
}

static void system_in_root(void)
{
	root_init(1);
	task_main(PROG("plain"), "pause", NULL);
	check_int(WEXITSTATUS(system("exit 3")), 3);
	check_int(pip_kill(0, SIGKILL), 0);
	task_signaled(0, SIGKILL);
	root_fin();
}

/* A task's program exec'ed by a child of the root: SIGCHLD is not blocked there. */
static void exec_in_root(void)
{
	char *argv[] = { PROG("plain"), "status", "SigBlk", NULL };
	struct capture c;
	char *text;
	pid_t pid;

	root_init(1);
	capture_begin(&c, STDOUT_FILENO);
	pid = fork();
	if (pid == 0) {
		execv(argv[0], argv);
		_exit(99);
	}
	check_int(code_of(pid), 0);
	text = capture_end(&c);
	check_str(text, "SigBlk:\t0000000000000000\n");
	free(text);
	root_fin();
}

/* The child becomes a root beside its parent, which is one already, and has live tasks. */
static void becomes_root(void)
{
	struct gate gate = { 0 };
	pid_t pid;

	root_init(2);
	task_func(PROG("api"), "api_wait_gate", &gate);
	check(retry(gate.here));
	pid = fork();
	if (pid == 0) {
		struct gate own = { 0 };
		struct proof proof;

		for (int round = 0; round < 2; round++) {
			own = (struct gate){ 0 };
			root_init(4);
			proof_begin(&proof);
			for (int i = 0; i < 4; i++) {
				check_int(task_func(PROG("api"), "api_wait_gate", &own), i);
				proof_task(&proof, task_pid(i));
			}
			check(retry(own.here == 4));
			own.open = 1;
			for (int i = 0; i < 4; i++) {
				task_exits(i, 0);
				proof_collected(&proof);
			}
			proof_end(&proof, 4);
			root_fin();
		}
		exit(7);
	}
	check_int(code_of(pid), 7);
	check_int(gate.open, 0);
	gate.open = 1;
	task_exits(0, 0);
	root_fin();
}

/* Before pip_init(), too, and one generation further. */
static void generations(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		root_init(1);
		task_exits(task_main(PROG("plain"), "return", "5", NULL), 5);
		pid = fork();
		if (pid == 0) {
			root_init(1);
			task_exits(task_main(PROG("plain"), "return", "6", NULL), 6);
			root_fin();
			exit(8);
		}
		check_int(code_of(pid), 8);
		task_exits(task_main(PROG("plain"), "return", "5", NULL), 5);
		root_fin();
		exit(9);
	}
	check_int(code_of(pid), 9);
	root_init(1);
	task_exits(task_main(PROG("plain"), "return", "5", NULL), 5);
	root_fin();
}

/* Its code and its memory stay as long as somebody runs there. */
static void guest_of_a_killed_task(void)
{
	for (int i = 0; i < 3; i++) {
		struct lingering l = { 0 };
		int pipid;

		setenv("PIP_MODE", "process:got", 1);
		root_init(2);
		pipid = task_func(PROG("child"), "child_lingers", &l);
		check(retry(l.pid));
		task_kill(pipid, SIGKILL);
		task_signaled(pipid, SIGKILL);
		task_exits(task_main(PROG("plain"), "return", "5", NULL), 5);
		l.go = 1;
		check(retry(l.done));
		check(retry(process_state(l.pid) == 'Z' || process_state(l.pid) == 0));
		task_exits(task_main(PROG("plain"), "return", "5", NULL), 5);
		root_fin();
	}
}

static const struct CMUnitTest tests[] = {
	CASE(system_and_popen),
	CASE(fork_in_task),
	CASE(ends_in_task),
	CASE(spawns_in_task),
	CASE(becomes_root_in_task),
	CASE(threads_in_task),
	CASE_PROCESS(guest_of_a_killed_task),
	CASE(atfork_in_task),
	CASE_PROCESS(concurrently),
	CASE(no_after_hook),
	CASE(left_behind),
	cmocka_unit_test(of_root),
	CASE(system_in_root),
	CASE(exec_in_root),
	CASE(becomes_root),
	CASE(generations),
};

TEST_MAIN(tests)
