/*
 * maps.c - what an address space with several programs in it looks like.
 *
 *     maps [PROGRAM...]     default: cat bash sqlite3
 *
 * Starts the programs, any that read their standard input to its end, and two more tasks of its
 * own; and while all of them wait for their input, prints where each program lies in the one
 * /proc/self/maps they share.  The programs are as the distribution has built them.
 */
#include <elf.h>
#include <fcntl.h>
#include <stdbool.h>

#include "example.h"

#define OWN_TASKS 2

static int input[2]; /* the pipe that all tasks wait at */

/* The before-hook: runs in the new task's process, with its own descriptors, as code of the
 * root. */
static int input_set(void *unused)
{
	(void)unused;
	return dup2(input[0], STDIN_FILENO) < 0 ? EBADF : 0;
}

/* Returns whether the program could be started; libpip says why not. */
static bool start(char *program)
{
	char *argv[] = { program, NULL };
	int pipid = PIP_PIPID_ANY;
	pip_id_t pid;

	if (pip_spawn(program, argv, NULL, PIP_CPUCORE_ASIS, &pipid, input_set, NULL, NULL))
		return false;
	check(pip_get_system_id(pipid, &pid), "pip_get_system_id");
	printf("task %d (pid %d) is %s\n", pipid, (int)pid, program);
	return true;
}

static bool is_elf(const char *path)
{
	char magic[SELFMAG];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	bool yes;

	if (fd < 0)
		return false;
	yes = read(fd, magic, SELFMAG) == SELFMAG && !memcmp(magic, ELFMAG, SELFMAG);
	close(fd);
	return yes;
}

static void digest_print(void)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	int mappings = 0, programs = 0, libcs = 0;
	char *line = NULL;
	size_t size = 0;

	check(maps ? 0 : errno, "/proc/self/maps");
	while (getline(&line, &size, maps) > 0) {
		char *path = strchr(line, '/'), *name;

		mappings++;
		/* "address permissions offset device inode path": an ELF file from its start on */
		if (!path || !strstr(line, " 00000000 "))
			continue;
		path[strcspn(path, "\n")] = '\0';
		if (!is_elf(path))
			continue;
		name = strrchr(path, '/') + 1;
		libcs += strncmp(name, "libc.so", 7) == 0;
		if (strstr(name, ".so"))
			continue;
		programs++;
		printf("  0x%012lx  %s\n", strtoul(line, NULL, 16), path);
	}
	printf("%d programs and %d copies of libc in %d mappings of one address space\n", programs,
	       libcs, mappings);
	free(line);
	fclose(maps);
}

static int root(char **programs, char *self)
{
	int started = 0, failed;

	/* Close-on-exec: the tasks keep only what the hook has made of it. */
	check(pipe2(input, O_CLOEXEC) ? errno : 0, "pipe");
	setvbuf(stdout, NULL, _IOLBF, 0);

	printf("root (pid %d) is %s\n", (int)getpid(), self);
	for (; *programs; programs++)
		started += start(*programs);
	for (int i = 0; i < OWN_TASKS; i++)
		started += start(self);

	digest_print();

	close(input[1]); /* end of file for all */
	failed = collect(started);
	return failed || started < OWN_TASKS ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* A task of our own does what the others do. */
static int task(void)
{
	char byte;

	return read(STDIN_FILENO, &byte, 1) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
	static char *usual[] = { "cat", "bash", "sqlite3", NULL };
	int pipid;

	check(pip_init(&pipid, NULL, NULL, 0), "pip_init");
	if (pipid != PIP_PIPID_ROOT)
		return task();
	return root(argc > 1 ? argv + 1 : usual, argv[0]);
}
