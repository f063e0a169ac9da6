/* test_files.c - descriptors of root and tasks: copied at the spawn, closed one by one. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>

#include "root.h"
#include "../prog/api.h"

/* The task has what the root had, less what is close-on-exec, and nothing else. */
static void exactly_the_roots(void)
{
	/* The last of a small table of the kernel's, and the first beyond; twice the same. */
	static const int tops[] = { 62, 63, 64, 254, 255, 256, 1090, 1090 };
	char *argv[] = { PROG("plain"), "fds", NULL }, *text, *want;
	int plain, cloexec, high, high_cloexec;
	struct rlimit limit;
	struct capture c;

	check_int(getrlimit(RLIMIT_NOFILE, &limit), 0);
	root_init(1);
	for (size_t i = 0; i < sizeof(tops) / sizeof(tops[0]); i++) {
		int most = (int)limit.rlim_cur - 4, top = tops[i] < most ? tops[i] : most;

		plain = dup(0);
		cloexec = fcntl(0, F_DUPFD_CLOEXEC, 3);
		high = fcntl(0, F_DUPFD, top);
		high_cloexec = fcntl(0, F_DUPFD_CLOEXEC, top);
		check(plain >= 0 && cloexec >= 0 && high >= 0 && high_cloexec >= 0);
		capture_begin(&c, STDOUT_FILENO);
		task_exits(task_main(argv[0], argv[1], NULL), 0);
		text = capture_end(&c);
		check(asprintf(&want, "0\n1\n2\n%d\n%d\n", plain, high) > 0);
		check_str(text, want);
		free(want);
		free(text);
		close(plain);
		close(cloexec);
		close(high);
		close(high_cloexec);
	}
	root_fin();
}

/* With stdin, stdout or stderr closed. */
static void few_descriptors(void)
{
	struct capture c;
	char *text;

	root_init(1);
	close(0);
	capture_begin(&c, STDOUT_FILENO);
	task_exits(task_main(PROG("plain"), "fds", NULL), 0);
	text = capture_end(&c);
	check_str(text, "1\n2\n");
	free(text);
	root_fin();
}

/* Offsets are shared, as after a fork. */
static void shared_offset(void)
{
	char *dir = temp_dir(), *path = path_in(dir, "file"), *text;
	int fd;

	file_write(path, "", 0, 0644);
	fd = open(path, O_RDWR);
	check(fd >= 0 && dup2(fd, 1) == 1);
	root_init(1);
	for (int i = 0; i < 3; i++) {
		check_int(write(fd, "root ", 5), 5);
		task_exits(task_main(PROG("plain"), "write", "task ", NULL), 0);
	}
	check_int(lseek(fd, 0, SEEK_CUR), 30);
	text = file_read(path);
	check_str(text, "root task root task root task ");
	/* And the other way round: what the root moves, the task sees. */
	check_int(lseek(fd, 5, SEEK_SET), 5);
	task_exits(task_main(PROG("plain"), "write", "TASK ", NULL), 0);
	free(text);
	text = file_read(path);
	check_str(text, "root TASK root task root task ");
	free(text);
	root_fin();
	free(path);
	free(dir);
}

/* A pipe as stdin: its end is seen when the root and all tasks but the reader have closed it. */
static void pipe_to_task(void)
{
	int ends[2], saved = fcntl(0, F_DUPFD_CLOEXEC, 3);
	struct capture c;
	char *text;

	root_init(1);
	check_int(pipe2(ends, O_CLOEXEC), 0);
	check(dup2(ends[0], 0) == 0);
	capture_begin(&c, STDOUT_FILENO);
	task_main(PROG("plain"), "cat", NULL);
	check(dup2(saved, 0) == 0);
	close(ends[0]);
	check_int(write(ends[1], "one ", 4), 4);
	check_int(write(ends[1], "two", 3), 3);
	check_int(pip_trywait(0, NULL), ECHILD);
	close(ends[1]);
	task_exits(0, 0);
	text = capture_end(&c);
	check_str(text, "one two");
	free(text);
	root_fin();
}

/* When a task ends, in whatever way, the kernel closes its copies. */
static void closed_at_the_end(void)
{
	static const char *const ends[][2] = {
		{ "return", "0" }, { "_exit", "0" }, { "raise", "9" }, { "segv", "" }
	};
	struct pollfd p = { .events = POLLIN };
	int pipes[2];
	char byte;

	root_init(1);
	for (int i = 0; i < LENGTH(ends); i++) {
		check_int(pipe(pipes), 0);
		check_int(fcntl(pipes[0], F_SETFD, FD_CLOEXEC), 0);
		task_main(PROG("plain"), ends[i][0], ends[i][1], NULL);
		close(pipes[1]);
		/* Nobody has waited for it yet. */
		p.fd = pipes[0];
		check_int(poll(&p, 1, 20000), 1);
		check_int(read(pipes[0], &byte, 1), 0);
		close(pipes[0]);
		task_collect(0);
	}
	root_fin();
}

/* Opening and closing is each one's own affair. */
static void tables_are_private(void)
{
	struct gate gate = { 0 };
	char link[64], target[64];
	int fd;

	root_init(2);
	task_func(PROG("api"), "api_wait_gate", &gate);
	check(retry(gate.here));
	fd = open("/dev/null", O_RDONLY);
	check(fd >= 0);
	snprintf(link, sizeof(link), "/proc/%d/fd/%d", task_pid(0), fd);
	check_int(readlink(link, target, sizeof(target)), -1);
	close(0);
	snprintf(link, sizeof(link), "/proc/%d/fd/0", task_pid(0));
	check(readlink(link, target, sizeof(target)) > 0);
	gate.open = 1;
	task_exits(0, 0);
	root_fin();
}

static const struct CMUnitTest tests[] = {
	CASE_PROCESS(exactly_the_roots),
	CASE_PROCESS(few_descriptors),
	CASE(shared_offset),
	CASE_PROCESS(pipe_to_task),
	CASE(closed_at_the_end),
	CASE_PROCESS(tables_are_private),
};

TEST_MAIN(tests)
