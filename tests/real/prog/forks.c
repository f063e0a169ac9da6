/*
 * forks.c - forks while other threads map, grow, shrink and unmap memory.  Each child checks that
 * all that its parent had is there, uses malloc() and maps memory itself.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define THREADS 3
#define FORKS 60
#define BLOCKS 24

static _Atomic int stop;
static pthread_mutex_t lock[BLOCKS];
static unsigned char *block[BLOCKS];
static size_t size[BLOCKS];

/* A new block in place of an old one.  Its first bytes say how long it is, its last one whose. */
static void replace(unsigned k, unsigned seed)
{
	size_t want = 8192 + seed % 300000;
	unsigned char *p;

	pthread_mutex_lock(&lock[k]);
	if (seed % 3 == 0 && block[k] && k % 2) {
		p = mremap(block[k], size[k], want, MREMAP_MAYMOVE);
		if (p == MAP_FAILED)
			abort();
	} else {
		if (block[k] && k % 2)
			munmap(block[k], size[k]);
		else
			free(block[k]);
		p = k % 2 ? mmap(NULL, want, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
				 -1, 0)
			  : malloc(want);
	}
	memcpy(p, &want, sizeof(want));
	p[want - 1] = (unsigned char)k;
	block[k] = p;
	size[k] = want;
	pthread_mutex_unlock(&lock[k]);
}

static void *thread(void *arg)
{
	unsigned seed = (unsigned)(uintptr_t)arg;

	while (!stop) {
		seed = seed * 1103515245 + 12345;
		replace((seed >> 16) % BLOCKS, seed >> 8);
	}
	return NULL;
}

static int child(void)
{
	int bad = 0;

	for (unsigned k = 0; k < BLOCKS; k++) {
		size_t written;

		memcpy(&written, block[k], sizeof(written));
		if (written != size[k] || block[k][size[k] - 1] != (unsigned char)k)
			bad++;
	}
	for (unsigned k = 0; k < BLOCKS; k++)
		replace(k, k * 7919);
	for (unsigned k = 0; k < BLOCKS; k++)
		bad += block[k][size[k] - 1] != (unsigned char)k;
	return bad;
}

int main(void)
{
	pthread_t id[THREADS];
	int status = 0, failed = 0;

	for (unsigned k = 0; k < BLOCKS; k++) {
		pthread_mutex_init(&lock[k], NULL);
		replace(k, k * 104729);
	}
	for (uintptr_t i = 0; i < THREADS; i++)
		if (pthread_create(&id[i], NULL, thread, (void *)(i + 1)))
			return 1;
	for (int i = 0; i < FORKS; i++) {
		pid_t pid;

		for (unsigned k = 0; k < BLOCKS; k++)
			pthread_mutex_lock(&lock[k]);
		pid = fork();
		for (unsigned k = 0; k < BLOCKS; k++)
			pthread_mutex_unlock(&lock[k]);
		if (pid == 0)
			_exit(child());
		waitpid(pid, &status, 0);
		failed += status != 0;
	}
	stop = 1;
	for (int i = 0; i < THREADS; i++)
		pthread_join(id[i], NULL);
	printf("%d of %d children failed\n", failed, FORKS);
	return failed != 0;
}
