/* heap.c - tasks that allocate, and free what others have allocated; heap.h has their arguments. */
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <sys/mman.h>

#include <pip/pip.h>

#include "heap.h"
#include "prog.h"

/* Makes blocks in all ways, and stays. */
START(heap_make)
{
	struct blocks *b = arg;
	unsigned seed = 4711;

	for (b->count = 0; b->count < HEAP_BLOCKS; b->count++) {
		b->block[b->count] = block_make(&seed);
		EXPECT(b->block[b->count] != NULL);
		b->size[b->count] = malloc_usable_size(b->block[b->count]);
	}
	/* libc's own blocks, too. */
	free(b->block[0]);
	b->block[0] = NULL;
	EXPECT(asprintf((char **)&b->block[0], "%0100d", 7) == 100);
	b->ready = 1;
	WAIT_FOR(b->leave);
	/* This task's heap has taken no harm. */
	for (int i = 0; i < 1000; i++)
		free(block_make(&seed));
	return 0;
}

/* Frees, or grows and then frees, what somebody else has made. */
START(heap_take)
{
	struct blocks *b = arg;

	for (int i = 0; i < b->count; i++) {
		if (i)
			EXPECT(block_intact(b->block[i]));
		EXPECT_INT(malloc_usable_size(b->block[i]), b->size[i]);
		if (i % 3 == 1) {
			b->block[i] = realloc(b->block[i], b->size[i] + 5000);
			EXPECT(b->block[i] != NULL && block_intact(b->block[i]));
		} else if (i % 3 == 2) {
			b->block[i] = realloc(b->block[i], 16);
			EXPECT(b->block[i] != NULL);
		}
		free(b->block[i]);
	}
	b->ready = 2;
	return 0;
}

START(heap_market)
{
	struct market *m = arg;
	int me;

	EXPECT_INT(pip_get_pipid(&me), 0);
	market_work(m, (unsigned)me + 1);
	m->finished++;
	/* Owners stay until nobody has anything of theirs. */
	WAIT_FOR(m->finished >= HEAP_TASKS + 1);
	for (int i = me; i < HEAP_SLOTS; i += HEAP_TASKS)
		free(atomic_exchange(&m->slot[i], NULL));
	m->finished++;
	WAIT_FOR(m->finished == 2 * HEAP_TASKS + 1);
	return 0;
}

static void *market_thread(void *arg)
{
	market_work(arg, (unsigned)getpid() ^ (unsigned)pip_gettid());
	return NULL;
}

/* The same with several threads, each with an arena of its own. */
START(heap_market_threads)
{
	struct market *m = arg;
	pthread_t thread[3];

	for (int i = 0; i < 3; i++)
		EXPECT_INT(pthread_create(&thread[i], NULL, market_thread, m), 0);
	for (int i = 0; i < 3; i++)
		EXPECT_INT(pthread_join(thread[i], NULL), 0);
	m->finished++;
	WAIT_FOR(m->finished == HEAP_TASKS);
	return 0;
}

/* Frees whatever comes through the one slot, until NULL - 1 does. */
START(heap_sink)
{
	struct market *m = arg;

	for (;;) {
		void *block = atomic_exchange(&m->slot[0], NULL);

		if (block == (void *)-1)
			return 0;
		if (!block)
			sched_yield(); /* there may be more of us than processors */
		free(block);
	}
}

/* The other way round. */
START(heap_source)
{
	struct market *m = arg;

	for (int i = 0; i < m->rounds; i++) {
		void *block = malloc(4096), *empty = NULL;

		EXPECT(block != NULL);
		memset(block, 1, 4096);
		while (!atomic_compare_exchange_weak(&m->slot[0], &empty, block)) {
			empty = NULL;
			sched_yield();
		}
	}
	m->finished = 1;
	WAIT_FOR(m->slot[0] == NULL);
	return 0;
}

START(heap_errors)
{
	/* What the compiler sees through it leaves out. */
	volatile size_t huge = (size_t)1 << 33;
	void *volatile none;
	void *block = &block;

	(void)arg;
	free(NULL);
	EXPECT_INT(malloc_usable_size(NULL), 0);
	EXPECT_INT(posix_memalign(&block, 3, 100), EINVAL);
	EXPECT(block == &block);
	errno = 0;
	none = malloc(huge * (huge >> 4));
	/* clang believes that malloc() leaves errno alone. */
	EXPECT_INT(*(volatile int *)&errno, ENOMEM);
	EXPECT(!none);
	none = calloc(huge, huge);
	EXPECT(!none);
	block = malloc(0);
	free(block);
	block = realloc(NULL, 100);
	EXPECT(block != NULL);
	free(block);
	for (size_t align = 16; align <= 1 << 16; align *= 2) {
		block = memalign(align, 100);
		EXPECT_INT((uintptr_t)block % align, 0);
		EXPECT(malloc_usable_size(block) >= 100);
		free(block);
		block = NULL;
		EXPECT_INT(posix_memalign(&block, align, 100), 0);
		EXPECT_INT((uintptr_t)block % align, 0);
		free(block);
	}
	block = valloc(100);
	EXPECT_INT((uintptr_t)block % (uintptr_t)sysconf(_SC_PAGESIZE), 0);
	free(block);
	block = pvalloc(100);
	EXPECT_INT((uintptr_t)block % (uintptr_t)sysconf(_SC_PAGESIZE), 0);
	free(block);
	block = reallocarray(NULL, 10, 10);
	EXPECT(block != NULL);
	free(block);

	block = pip_malloc(100);
	EXPECT(pip_malloc_usable_size(block) >= 100);
	block = pip_realloc(block, 1000);
	EXPECT(pip_malloc_usable_size(block) >= 1000);
	pip_free(block);
	block = pip_calloc(10, 10);
	for (int i = 0; i < 100; i++)
		EXPECT_INT(((unsigned char *)block)[i], 0);
	free(block);
	EXPECT_INT(pip_posix_memalign(&block, 4096, 100), 0);
	EXPECT_INT((uintptr_t)block % 4096, 0);
	pip_free(block);
	EXPECT_INT(pip_posix_memalign(&block, 3, 100), EINVAL);
	return 0;
}

/* A mapping that all may touch. */
START(heap_map)
{
	struct blocks *b = arg;

	b->size[0] = 16 << 20;
	b->block[0] =
		mmap(NULL, b->size[0], PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	EXPECT(b->block[0] != MAP_FAILED);
	b->ready = 1;
	WAIT_FOR(b->leave);
	for (size_t at = 0; at < b->size[0]; at += 4096)
		EXPECT_INT(((unsigned char *)b->block[0])[at], 0x5a);
	EXPECT_INT(munmap(b->block[0], b->size[0]), 0);
	return 0;
}

int main(void)
{
	return EXPECT_FAILED;
}
