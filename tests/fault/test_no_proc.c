/* test_no_proc.c - where /proc is not mounted, tasks run, end, share and are collected as ever. */
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>

#include "fault.h"

#define ROUNDS 20

/* An empty /proc in a mount namespace of our own, in a user namespace if that takes no root. */
static bool hide_proc(void)
{
	if (unshare(CLONE_NEWNS) && unshare(CLONE_NEWUSER | CLONE_NEWNS))
		return false;
	return mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
	       mount("none", "/proc", "tmpfs", 0, NULL) == 0;
}

static void begin(void)
{
	ledger_open();
	check(hide_proc());
	check_int(access("/proc/self", F_OK), -1);
}

static void run_all(void)
{
	char *const programs[][4] = {
		{ FAULT_PROG("small") },         { FAULT_PROG("share") },
		{ PROG("plain"), "exit", "0" },  { "/bin/sh", "-c", "exit 0" },
		{ "/bin/sh", "-c", "(exit 0)" },
	};

	for (int i = 0; i < LENGTH(programs); i++) {
		check_int(spawn(0, programs[i]), 0);
		task_exits(0, 0);
	}
}

static void without_proc(void)
{
	struct ledger ledger = { 0 };
	int fd;

	begin();
	/* It has to be closed in the tasks, which cannot look for it. */
	fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	root_init(2);
	run_all();
	run_all();
	ledger_take(&ledger);
	for (int i = 0; i < ROUNDS; i++)
		run_all();
	ledger_same(&ledger);
	root_fin();
	close(fd);
}

static void kill_without_proc(void)
{
	char *const storms[][3] = {
		{ FAULT_PROG("storm"), "malloc" },
		{ FAULT_PROG("storm"), "mmap" },
		{ FAULT_PROG("storm"), "fork" },
		{ FAULT_PROG("storm"), "threads" },
	};
	struct ledger ledger = { 0 };

	begin();
	root_init(1);
	killer_start();
	for (int i = 0; i < ROUNDS * LENGTH(storms); i++) {
		if (i == LENGTH(storms))
			ledger_take(&ledger);
		killer_aim(0, SIGKILL, (long)dice(10000));
		check_int(spawn(0, storms[i % LENGTH(storms)]), 0);
		killer_await(0);
		task_signaled(0, SIGKILL);
	}
	ledger_same(&ledger);
	killer_stop();
	root_fin();
}

/* Importing from a task that lives waits for it, also when it has been waited for a while. */
static void names_without_proc(void)
{
	begin();
	root_init(2);
	siblings_start(2);
	for (int i = 0; i < ROUNDS; i++) {
		sleep_ms(i);
		meet();
	}
	siblings_end();
	root_fin();
}

/* A task that has ended without exporting it, on the other hand, is not waited for. */
static void dead_exporter_without_proc(void)
{
	void *got;

	begin();
	root_init(1);
	check_int(task_func(FAULT_PROG("share"), "share_import", NULL), 0);
	check_int(pip_named_tryimport(0, &got, "a name"), EAGAIN);
	check_int(kill(task_pid(0), SIGKILL), 0);
	check_int(pip_named_import(0, &got, "a name"), ECANCELED);
	task_signaled(0, SIGKILL);
	root_fin();
}

static const struct CMUnitTest tests[] = {
	CASE(without_proc),
	CASE(kill_without_proc),
	CASE(names_without_proc),
	CASE(dead_exporter_without_proc),
};

int main(int argc, char **argv)
{
	int status = 1;
	pid_t pid = fork();

	if (pid == 0)
		_exit(hide_proc() ? 0 : 1);
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0)
		harness_skip("needs the right to mount something");
	return harness_main(argc, argv, tests, LENGTH(tests));
}
