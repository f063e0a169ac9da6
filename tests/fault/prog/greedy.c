/*
 * greedy.c - a program that takes all there is of something, notices when there is no more, gives
 * it back, and ends with 0.
 *
 * greedy WHAT: descriptors, memory, mappings, processes, threads
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define MOST 100000

static int wrong(const char *what)
{
	dprintf(STDERR_FILENO, "greedy: %s: %s\n", what, strerror(errno));
	return 99;
}

static int take_descriptors(void)
{
	int first = -1, last = -1, fd;

	while ((fd = open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0) {
		if (first < 0)
			first = fd;
		last = fd;
	}
	if (errno != EMFILE)
		return wrong("open");
	while (last >= first && first >= 0)
		close(last--);
	return 0;
}

static void *all[MOST];

static int take_memory(void)
{
	void *(*volatile allocate)(size_t) =
		malloc; /* clang believes that malloc() leaves errno alone */
	int n = 0;

	errno = 0;
	while (n < MOST && (all[n] = allocate(1 << 20)) != NULL)
		n++;
	if (errno != ENOMEM)
		return wrong("malloc");
	for (int i = 0; i < n; i++)
		free(all[i]);
	all[0] = malloc(1 << 19);
	if (!all[0] && n)
		return wrong("malloc after free");
	free(all[0]);
	return 0;
}

/* Of alternating protection, so that no two are joined. */
static int take_mappings(void)
{
	int n = 0;

	while (n < MOST) {
		void *at = mmap(NULL, 4096, n % 2 ? PROT_READ : PROT_NONE,
				MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (at == MAP_FAILED)
			break;
		all[n++] = at;
	}
	if (n == MOST || errno != ENOMEM)
		return wrong("mmap");
	while (n)
		munmap(all[--n], 4096);
	return 0;
}

/* They live until the pipe is closed. */
static int take_processes(void)
{
	int fds[2], rc = 0;
	char byte;
	pid_t pid;

	if (pipe(fds))
		return wrong("pipe");
	while ((pid = fork()) > 0)
		;
	if (pid == 0) {
		close(fds[1]);
		_exit(read(fds[0], &byte, 1) != 0 ? 1 : 0);
	}
	if (errno != EAGAIN)
		rc = wrong("fork");
	close(fds[1]);
	while (wait(NULL) > 0)
		;
	return rc;
}

static void *idle(void *arg)
{
	pause();
	return arg;
}

static int take_threads(void)
{
	pthread_t thread;
	int rc, n = 0;

	do
		rc = pthread_create(&thread, NULL, idle, NULL);
	while (rc == 0 && ++n < MOST);
	errno = rc;
	return rc == EAGAIN ? 0 : wrong("pthread_create");
}

static const struct {
	const char *what;
	int (*take)(void);
} kinds[] = {
	{ "descriptors", take_descriptors }, { "memory", take_memory },
	{ "mappings", take_mappings },       { "processes", take_processes },
	{ "threads", take_threads },
};

int main(int argc, char **argv)
{
	for (size_t i = 0; argc > 1 && i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strcmp(argv[1], kinds[i].what) == 0)
			return kinds[i].take();
	return 113;
}
