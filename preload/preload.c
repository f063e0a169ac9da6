/*
 * preload.c - libpip-preload.so: with it in LD_PRELOAD a program becomes a root as soon as it first
 * starts another.  Entry function: preload_begin().
 *
 * It only notices that first time.  From then on the calls in libc's own code are led to libpip, so
 * it does not matter who makes them; and the programs that are started have such a libc from the
 * beginning, and need no library.
 */
#include <dlfcn.h>
#include <stddef.h>

#include "begin.h"

/* In the order of preload.S, whose entry points jump through this table. */
static const char *const names[] = {
	"fork",  "_Fork",     "vfork",   "clone",   "posix_spawn", "posix_spawnp", "system",
	"popen", "_IO_popen", "wordexp", "forkpty", "daemon",      "syscall",
};

void *preload_real[sizeof(names) / sizeof(names[0])];

void preload_begin(void);

__attribute__((constructor)) static void loaded(void)
{
	pip_shim_loaded();
}

/* Called by each entry point until the table is filled. */
void preload_begin(void)
{
	for (size_t i = 1; i < sizeof(names) / sizeof(names[0]); i++)
		preload_real[i] = dlsym(RTLD_NEXT, names[i]);
	pip_shim_begin();
	/* The last to be set: with it the table is complete. */
	__atomic_store_n(&preload_real[0], dlsym(RTLD_NEXT, names[0]), __ATOMIC_RELEASE);
}
