/* heap.h - what heap.c, the tasks that free each other's memory, and its test share. */
#ifndef HEAP_H
#define HEAP_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define HEAP_BLOCKS 64
#define HEAP_SLOTS 256
#define HEAP_TASKS 4

/* Blocks made by one and used, and freed, by another. */
struct blocks {
	void *block[HEAP_BLOCKS];
	size_t size[HEAP_BLOCKS];
	int count;
	atomic_int ready, leave;
};

/* Everybody puts blocks of its own in and takes others' out. */
struct market {
	void *_Atomic slot[HEAP_SLOTS];
	int rounds;
	atomic_int wrong, finished;
};

/* A block begins with its size, and the rest is filled with a byte made of it. */
static inline void block_fill(void *block, size_t size)
{
	*(size_t *)block = size;
	memset((char *)block + sizeof(size), (int)(size * 31 & 0xff), size - sizeof(size));
}

static inline int block_intact(const void *block)
{
	size_t size = *(const size_t *)block;
	const unsigned char *bytes = block;

	for (size_t i = sizeof(size); i < size; i++)
		if (bytes[i] != (size * 31 & 0xff))
			return 0;
	return 1;
}

/* Sizes from a few bytes to beyond what malloc() maps on its own. */
static inline size_t block_size(unsigned *seed)
{
	size_t size = 16 + (size_t)rand_r(seed) % 500;

	if (rand_r(seed) % 50 == 0)
		size += (size_t)rand_r(seed) % 20000;
	if (rand_r(seed) % 2000 == 0)
		size += 300000;
	return size;
}

static inline void *block_make(unsigned *seed)
{
	size_t size = block_size(seed);
	void *block = NULL;

	switch (rand_r(seed) % 5) {
	case 0:
		block = calloc(1, size);
		break;
	case 1:
		if (posix_memalign(&block, 64, size))
			block = NULL;
		break;
	case 2:
		size = (size + 31) & ~(size_t)31;
		block = aligned_alloc(32, size);
		break;
	case 3:
		block = realloc(malloc(size / 2 + 1), size);
		break;
	default:
		block = malloc(size);
	}
	if (block)
		block_fill(block, size);
	return block; /* NOLINT(clang-analyzer-unix.Malloc): realloc() took the other one */
}

/* One participant's work. */
static inline void market_work(struct market *m, unsigned seed)
{
	for (int i = 0; i < m->rounds; i++) {
		void *block = block_make(&seed), *other;

		if (!block) {
			m->wrong++;
			continue;
		}
		other = atomic_exchange(&m->slot[rand_r(&seed) % HEAP_SLOTS], block);
		if (!other)
			continue;
		if (!block_intact(other))
			m->wrong++;
		if (rand_r(&seed) % 4 == 0) {
			size_t size = *(size_t *)other, more = size + (size_t)rand_r(&seed) % 1000;
			void *moved = realloc(other, more);

			if (moved)
				other = moved;
			if (!moved || *(size_t *)other != size || !block_intact(other))
				m->wrong++;
		}
		free(other);
	}
}

#endif
