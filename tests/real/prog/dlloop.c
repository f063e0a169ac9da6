/*
 * dlloop.c - four threads load, use and unload libraries in a loop, all at once; between that they
 * fork.  Arguments: the libraries.  With -DLINKED it is linked with one as well.
 */
#include <dlfcn.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef LINKED
int plug_run(int n);
#endif

#define THREADS 4
#define ROUNDS 60

static int nlibs;
static char **libs;

static _Noreturn void fail(const char *what)
{
	printf("%s: %s\n", what, dlerror());
	exit(1);
}

static void *thread(void *arg)
{
	unsigned me = (unsigned)(uintptr_t)arg, sum = 0;

	for (unsigned i = 0; i < ROUNDS; i++) {
		const char *path = libs[(me + i) % (unsigned)nlibs];
		void *lib = dlopen(path, i % 2 ? RTLD_NOW : RTLD_LAZY | RTLD_GLOBAL);
		int (*run)(int);

		if (!lib)
			fail("dlopen");
		*(void **)&run = dlsym(lib, "plug_run");
		if (!run)
			fail("dlsym");
		/* The thread's own copy of the library's variable is new if nobody else held it. */
		sum += (unsigned)run(0) % 1000;
		if (i % 20 == 7) {
			int status = 0;
			pid_t pid = fork();

			if (pid == 0)
				_exit(run(0) % 1000);
			waitpid(pid, &status, 0);
			sum += (unsigned)WEXITSTATUS(status);
		}
		if (dlclose(lib))
			fail("dlclose");
	}
	return (void *)(uintptr_t)sum;
}

int main(int argc, char **argv)
{
	pthread_t id[THREADS];
	void *result;

	nlibs = argc - 1;
	libs = argv + 1;
	if (!dlopen("./nonexistent.so", RTLD_NOW))
		printf("%s\n", dlerror());
#ifdef LINKED
	printf("linked with: %d\n", plug_run(1));
#endif
	for (uintptr_t i = 0; i < THREADS; i++)
		if (pthread_create(&id[i], NULL, thread, (void *)i))
			return 1;
	for (int i = 0; i < THREADS; i++) {
		pthread_join(id[i], &result);
		printf("thread %d: %lu\n", i, (unsigned long)(uintptr_t)result);
	}
	return 0;
}
