/* test_names.c - what the kernel and libc call root and tasks. */
#include <errno.h>
#include <sys/prctl.h>

#include "root.h"
#include "../prog/api.h"

static char *comm_of(pid_t pid)
{
	char path[64], *text;

	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	text = file_read(path);
	check(text != NULL);
	return text;
}

/* For the mode's mark want has a question mark. */
static void check_comm(pid_t pid, const char *want)
{
	char *comm = comm_of(pid);

	check(strlen(comm) > 2 && comm[1] == TASK_MARK);
	comm[1] = '?';
	check_str(comm, want);
	free(comm);
}

static void root_name(void)
{
	prctl(PR_SET_NAME, "short");
	root_init(1);
	check_comm(getpid(), "R?short");
	root_fin();
	prctl(PR_SET_NAME, "fifteen--letter");
	root_init(1);
	check_comm(getpid(), "R?fifteen--lett");
	root_fin();
}

/* The last digit of the PIPID, and the base name of the program. */
static void task_names(void)
{
	struct gate gate = { 0 };

	root_init(200);
	for (int i = 0; i < 200; i += 37) {
		int pipid = i;
		pip_spawn_program_t program;
		char want[16];

		pip_spawn_from_func(&program, PROG("api"), "api_wait_gate", &gate, NULL, NULL);
		check_int(pip_task_spawn(&program, PIP_CPUCORE_ASIS, 0, &pipid, NULL), 0);
		snprintf(want, sizeof(want), "%d?api", i % 10);
		check_comm(task_pid(i), want);
	}
	gate.open = 1;
	for (int i = 0; i < 200; i += 37)
		task_exits(i, 0);
	root_fin();
}

static void long_name(void)
{
	char *dir = temp_dir(), *path = path_in(dir, "a-program-with-a-long-name");

	file_copy(PROG("plain"), path, 0755);
	root_init(1);
	task_main(path, "pause", NULL);
	check_comm(task_pid(0), "0?a-program-wit");
	check_int(pip_kill(0, SIGKILL), 0);
	task_signaled(0, SIGKILL);
	root_fin();
	free(path);
	free(dir);
}

/* program_invocation_name, its short form and the kernel's name, when argv[0] is "anything". */
static void libc_names_of(const char *path, const char *full, const char *name)
{
	char *text, *want;
	char *argv[] = { "anything", "names", NULL };
	pip_spawn_program_t program;
	struct capture c;
	int pipid = 7;

	check(asprintf(&want, "%s\n%s\n7%c%s\n", full, name, TASK_MARK, strrchr(path, '/') + 1) >
	      0);
	root_init(8);
	capture_begin(&c, STDOUT_FILENO);
	pip_spawn_from_main(&program, (char *)path, argv, NULL, NULL);
	check_int(pip_task_spawn(&program, PIP_CPUCORE_ASIS, 0, &pipid, NULL), 0);
	task_exits(pipid, 0);
	text = capture_end(&c);
	check_str(text, want);
	free(text);
	free(want);
	root_fin();
}

static void libc_names(void)
{
	char *real = realpath(PROG("plain-pip"), NULL);

	libc_names_of(PROG("plain-pip"), real, "plain-pip");
	free(real);
}

static void libc_names_of_plain_program(void)
{
	libc_names_of(PROG("plain"), "anything", "anything"); /* as in any process */
}

static const struct CMUnitTest tests[] = {
	CASE(root_name),
	CASE(task_names),
	CASE(long_name),
	CASE(libc_names),
	CASE(libc_names_of_plain_program),
};

TEST_MAIN(tests)
