/*
 * handover.c - a launcher whose second child is watched by test_handover.c.
 *
 *	handover fork|vfork|spawn|exec|first PROGRAM [refused]
 *
 * Its first child makes it a root; close(HANDOVER_BEGIN) and close(HANDOVER_END) are about the
 * second; three more must be all right, and leave as many mappings and descriptors as there were.
 * Exit status: 0, or 1 with a message.  With "exec" the child is this program once more, which then
 * executes the other one.  With "first" it is about the very first child, and leaves more than
 * there was.  With "refused" something was not to be had for the second child: there may be none,
 * or it may have said so (126, or 127 of the dynamic linker).
 */
#include "handover.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *self, *how, *program;

static pid_t launch(void)
{
	char *argv[] = { (char *)program, NULL },
	     *again[] = { (char *)self, "again", (char *)program, NULL };
	const int twice = strcmp(how, "exec") == 0;
	pid_t pid = -1;

	if (!strcmp(how, "fork") || !strcmp(how, "first") || twice)
		pid = fork();
	else if (!strcmp(how, "vfork"))
		pid = vfork(); /* NOLINT(clang-analyzer-security.insecureAPI.vfork): its test */
	else if (posix_spawn(&pid, program, NULL, NULL, argv, environ))
		return -1;
	if (pid == 0) {
		if (twice)
			execv(self, again);
		else
			execv(program, argv);
		_exit(126);
	}
	return pid;
}

/* The status of a new child, or -1 if there is none. */
static int run(void)
{
	int status;
	pid_t pid = launch();

	if (pid < 0)
		return -1;
	while (waitpid(pid, &status, 0) != pid)
		if (errno != EINTR)
			return -1;
	return status;
}

static int count_lines(const char *path)
{
	FILE *f = fopen(path, "re");
	int c, n = 0;

	while (f && (c = getc(f)) != EOF)
		n += c == '\n';
	if (f)
		fclose(f);
	return n;
}

static int count_entries(const char *path)
{
	DIR *dir = opendir(path);
	int n = 0;

	while (dir && readdir(dir))
		n++;
	if (dir)
		closedir(dir);
	return n;
}

static bool is_right(int status, bool refused)
{
	return status == 0 || status == SIGKILL ||
	       (refused && (status == -1 || status == 126 << 8 || status == 127 << 8));
}

int main(int argc, char **argv)
{
	int maps, fds, status;
	bool first;

	if (argc < 3)
		return 2;
	self = argv[0];
	how = argv[1];
	program = argv[2];
	if (!strcmp(how, "again")) {
		execv(program, argv + 2);
		return 126;
	}
	first = strcmp(how, "first") == 0;
	for (int i = 0; i < 2 && !first; i++)
		if (run() != 0)
			return 2;
	count_lines("/proc/self/maps");
	maps = count_lines("/proc/self/maps");
	fds = count_entries("/proc/self/fd");

	/* cppcheck-suppress invalidFunctionArg ; a mark in the list of system calls */
	close(HANDOVER_BEGIN);
	status = run();
	/* cppcheck-suppress invalidFunctionArg */
	close(HANDOVER_END);
	if (!is_right(status, argc > 3)) {
		printf("the child's status is %#x\n", (unsigned)status);
		return 1;
	}
	for (int i = 0; i < 3; i++) {
		int after = run();

		if (after) {
			printf("the status of a child after that is %#x\n", (unsigned)after);
			return 1;
		}
	}
	if (!first &&
	    (count_entries("/proc/self/fd") != fds || count_lines("/proc/self/maps") > maps)) {
		printf("%d descriptors and %d mappings before, %d and %d after\n", fds, maps,
		       count_entries("/proc/self/fd"), count_lines("/proc/self/maps"));
		return 1;
	}
	return 0;
}
