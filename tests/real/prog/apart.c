/*
 * apart.c - a root that runs N tasks of a program at once, each with output files of its own.
 *
 *	apart N DIR PROGRAM [ARG...]
 *
 * Task K reads DIR/in if there is such a file, writes DIR/out.K and DIR/err.K, and its status comes
 * into DIR/status.K as a shell would have it.  Exit code: 0 once all tasks have been collected.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <pip/pip.h>

static const char *dir;

/* DIR/NAME.K as descriptor `as`. */
static int redirect(const char *name, int k, int flags, int as)
{
	char path[PATH_MAX];
	int fd;

	snprintf(path, sizeof(path), k < 0 ? "%s/%s" : "%s/%s.%d", dir, name, k);
	fd = open(path, flags | O_CLOEXEC, 0666);
	if (fd < 0)
		return errno == ENOENT ? 0 : errno;
	return dup2(fd, as) == as ? 0 : errno;
}

/* The before-hook, in the task. */
static int set_apart(void *hookarg)
{
	int k = (int)(intptr_t)hookarg;
	int rc = redirect("in", -1, O_RDONLY, STDIN_FILENO);

	if (!rc)
		rc = redirect("out", k, O_WRONLY | O_CREAT | O_TRUNC, STDOUT_FILENO);
	if (!rc)
		rc = redirect("err", k, O_WRONLY | O_CREAT | O_TRUNC, STDERR_FILENO);
	return rc;
}

static int note_status(int k, int status)
{
	char path[PATH_MAX];
	FILE *f;

	snprintf(path, sizeof(path), "%s/status.%d", dir, k);
	f = fopen(path, "w");
	if (!f)
		return errno;
	fprintf(f, "%d\n", WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status));
	return fclose(f) ? errno : 0;
}

int main(int argc, char **argv)
{
	int n = argc > 3 ? atoi(argv[1]) : 0, rc, status;

	if (n < 1) {
		fputs("usage: apart N DIR PROGRAM [ARG...]\n", stderr);
		return 2;
	}
	dir = argv[2];
	rc = pip_init(NULL, &n, NULL, 0);
	for (int k = 0; k < n && !rc; k++)
		rc = pip_spawn(argv[3], argv + 3, NULL, PIP_CPUCORE_ASIS, &k, set_apart, NULL,
			       (void *)(intptr_t)k);
	for (int k = 0; k < n && !rc; k++) {
		rc = pip_wait(k, &status);
		if (!rc)
			rc = note_status(k, status);
	}
	if (rc) {
		fprintf(stderr, "apart: %s: %s\n", argv[3], strerror(rc));
		return 1; /* exit() kills what still runs */
	}
	return pip_fin();
}
