/*
 * storm.c - a program that does one thing over and over, until it is killed: storms[] below.
 *
 * It knows nothing of PiP.  Where there is something to get wrong it looks, and ends with 99.
 */
#include <dlfcn.h>
#include <pthread.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define WRONG 99
#define BLOCKS 64

extern char **environ;

static char **args;

static _Noreturn void wrong(const char *what)
{
	dprintf(STDERR_FILENO, "storm: %s\n", what);
	_exit(WRONG);
}

static unsigned next(unsigned *seed)
{
	*seed = *seed * 1664525 + 1013904223;
	return *seed >> 8;
}

/* Small blocks, and some that malloc() maps. */
static void storm_malloc(unsigned seed)
{
	unsigned char *block[BLOCKS] = { NULL };
	size_t size[BLOCKS] = { 0 };

	for (;;) {
		unsigned i = next(&seed) % BLOCKS;
		size_t n = next(&seed) % 16 ? next(&seed) % 2000 + 1 : next(&seed) % 400000 + 1;
		unsigned char mark = (unsigned char)((uintptr_t)&seed >> 12 ^ i);

		if (block[i] && (block[i][0] != mark || block[i][size[i] - 1] != mark))
			wrong("another's data in a block");
		if (next(&seed) % 3 == 0) {
			block[i] = realloc(block[i], n);
		} else {
			free(block[i]);
			block[i] = malloc(n);
		}
		if (!block[i])
			wrong("no memory");
		size[i] = n;
		block[i][0] = block[i][n - 1] = mark;
	}
}

static void storm_mmap(unsigned seed)
{
	char *at[BLOCKS] = { NULL };
	size_t len[BLOCKS] = { 0 };

	for (;;) {
		unsigned i = next(&seed) % BLOCKS;
		size_t n = (next(&seed) % 64 + 1) * 4096;

		if (!at[i]) {
			at[i] = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
				     -1, 0);
		} else if (next(&seed) % 2) {
			at[i] = mremap(at[i], len[i], n, MREMAP_MAYMOVE);
		} else {
			mprotect(at[i] + len[i] / 8192 * 4096, 4096, PROT_NONE);
			munmap(at[i], len[i]);
			at[i] = NULL;
			continue;
		}
		if (at[i] == MAP_FAILED)
			wrong("no mapping");
		len[i] = n;
		at[i][n - 1] = 1;
		if (next(&seed) % 16 == 0)
			sbrk((next(&seed) & 1) ? 65536 : -65536);
	}
}

/* dlopen LIBRARY... */
static void storm_dlopen(unsigned seed)
{
	(void)seed;
	for (;;)
		for (char **lib = args; *lib; lib++) {
			void *handle = dlopen(*lib, RTLD_NOW);

			if (!handle)
				wrong(dlerror());
			dlclose(handle);
		}
}

static void storm_fork(unsigned seed)
{
	for (;;) {
		unsigned kept = next(&seed);
		volatile unsigned copy = kept;
		int status = -1;
		pid_t pid = fork();

		if (pid < 0)
			wrong("no fork");
		if (pid == 0)
			_exit(copy == kept ? 7 : 8);
		if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status) ||
		    WEXITSTATUS(status) != 7)
			wrong("the forked child did not do as it should");
	}
}

static void storm_spawn(unsigned seed)
{
	char *argv[] = { (char *)"true", NULL };

	(void)seed;
	for (;;) {
		pid_t pid;

		if (posix_spawnp(&pid, argv[0], NULL, NULL, argv, environ) ||
		    waitpid(pid, NULL, 0) != pid)
			wrong("no posix_spawn");
	}
}

static void *little_thread(void *arg)
{
	static __thread int own;

	own = *(int *)arg;
	free(malloc((size_t)own));
	return NULL;
}

static void storm_threads(unsigned seed)
{
	for (;;) {
		pthread_t thread[4];
		int n = (int)(next(&seed) % 1000);

		for (int i = 0; i < 4; i++)
			if (pthread_create(&thread[i], NULL, little_thread, &n))
				wrong("no thread");
		for (int i = 0; i < 4; i++)
			pthread_join(thread[i], NULL);
	}
}

static void storm_spin(unsigned seed)
{
	for (volatile unsigned n = seed;; n++)
		;
}

static const struct storm {
	const char *name;
	void (*run)(unsigned seed);
	int threads;
} storms[] = {
	{ "malloc", storm_malloc, 3 },   { "mmap", storm_mmap, 2 },  { "dlopen", storm_dlopen, 2 },
	{ "fork", storm_fork, 1 },       { "forks", storm_fork, 3 }, { "spawn", storm_spawn, 2 },
	{ "threads", storm_threads, 1 }, { "spin", storm_spin, 1 },
};

static void *run_storm(void *arg)
{
	const struct storm *storm = arg;
	int here;

	storm->run((unsigned)getpid() ^ (unsigned)(uintptr_t)&here);
	return NULL;
}

/* storm NAME [ARG...]; storm alone ends at once */
int main(int argc, char **argv)
{
	if (argc < 2)
		return 0;
	args = argv + 2;
	for (size_t i = 0; i < sizeof(storms) / sizeof(storms[0]); i++) {
		pthread_t thread;

		if (strcmp(argv[1], storms[i].name) != 0)
			continue;
		for (int k = 1; k < storms[i].threads; k++)
			if (pthread_create(&thread, NULL, run_storm, (void *)&storms[i]))
				wrong("no thread");
		run_storm((void *)&storms[i]);
	}
	return 113;
}
