/*
 * couple.c - the root of two different programs that are coupled by a pointer.
 *
 *     couple [COUNT]     runs producer, with COUNT numbers to make, and analyser
 *
 * See producer.c and analyser.c, which are built beside this program.
 */
#include <limits.h>

#include "example.h"
#include "series.h"

/* The path of a program that stands beside this one.  The caller frees it. */
static char *sibling(const char *name)
{
	char self[PATH_MAX], *path;
	ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);

	check(len < 0 ? errno : 0, "/proc/self/exe");
	self[len] = '\0';
	*(strrchr(self, '/') + 1) = '\0';
	check(asprintf(&path, "%s%s", self, name) < 0 ? ENOMEM : 0, name);
	return path;
}

static void start(const char *name, char *argument, int pipid)
{
	char *path = sibling(name);
	char *argv[] = { path, argument, NULL };

	check(pip_spawn(path, argv, NULL, PIP_CPUCORE_ASIS, &pipid, NULL, NULL, NULL), path);
	free(path); /* the task has its own copy of its arguments */
}

int main(int argc, char **argv)
{
	int ntasks = 2;

	check(pip_init(NULL, &ntasks, NULL, 0), "pip_init");
	start("producer", argc > 1 ? argv[1] : NULL, PRODUCER);
	start("analyser", NULL, PRODUCER + 1);

	return collect(ntasks) ? EXIT_FAILURE : EXIT_SUCCESS;
}
