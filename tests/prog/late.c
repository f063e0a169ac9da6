/*
 * late.c - a program that loads its real work, and with it libraries it does not know, with dlopen:
 * the main() of a shared object, argv[1].  The remaining arguments are that one's.  If argv[1] is
 * "fork" it does so in a forked child.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	int (*start)(int, char **) = NULL;
	void *handle;

	if (argc > 1 && strcmp(argv[1], "fork") == 0) {
		pid_t pid = fork();
		int status = -1;

		if (pid) {
			waitpid(pid, &status, 0);
			return WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_FAILURE;
		}
		argv++;
		argc--;
	}
	handle = argc > 1 ? dlopen(argv[1], RTLD_NOW | RTLD_LOCAL) : NULL;
	if (handle)
		*(void **)&start = dlsym(handle, "main");
	if (!start) {
		fprintf(stderr, "late: %s\n", dlerror());
		return EXIT_FAILURE;
	}
	return start(argc - 1, argv + 1);
}
