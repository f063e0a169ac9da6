/*
 * peer.c - what it costs a task to copy from another program, beside the kernel's copy.
 *
 * main() offers memory and starts bench/prog/copies, which measures.  Nothing is judged here: the
 * exit code only says that all could be run.
 */
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <pip/pip.h>

#define ROOM (4UL << 20)

int main(int argc, char **argv)
{
	char self[PATH_MAX], path[PATH_MAX + 16], pid[16], at[32], room[32];
	char *args[] = { path, pid, at, room, argc > 1 ? argv[1] : "21", NULL };
	int pipid = PIP_PIPID_ANY, ntasks = 1, status = -1, err;
	ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char *memory;

	if (argc > 2 || atoi(args[4]) < 1 || atoi(args[4]) > 1000) {
		fprintf(stderr, "Usage: peer [ROUNDS]  (1 to 1000; default 21)\n");
		return 2;
	}
	memory = aligned_alloc(ROOM, ROOM);
	if (len < 0 || !memory) {
		perror("peer");
		free(memory);
		return EXIT_FAILURE;
	}
	self[len] = '\0';
	memset(memory, 1, ROOM);
	snprintf(path, sizeof(path), "%s/prog/copies", dirname(self));
	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	snprintf(at, sizeof(at), "%lx", (unsigned long)memory);
	snprintf(room, sizeof(room), "%lu", ROOM);

	printf("# a task copies from its root: by libc's call, and by the kernel, in turn\n");
	fflush(stdout);
	err = pip_init(NULL, &ntasks, NULL, 0);
	if (!err)
		err = pip_spawn(path, args, NULL, PIP_CPUCORE_ASIS, &pipid, NULL, NULL, NULL);
	if (!err)
		err = pip_wait(pipid, &status);
	if (err)
		fprintf(stderr, "peer: %s\n", strerror(err));
	else
		pip_fin();
	free(memory);
	return err || status ? EXIT_FAILURE : EXIT_SUCCESS;
}
