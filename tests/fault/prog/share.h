/* share.h - what the tasks of share.c and their root have in common. */
#ifndef SHARE_H
#define SHARE_H

#include <stdatomic.h>
#include <stdint.h>

#include <pip/pip.h>

/* Long-lived tasks that meet their root again and again. */
struct meeting {
	pip_barrier_t barrier; /* of the root and all siblings */
	int siblings;          /* PIPIDs 0 to siblings-1 */
	atomic_long last;      /* the number of the last meeting, or -1 */
};

/* Who has the public locks, and who wants them. */
struct locks {
	atomic_int held, wanted, got;
};

#define SWAP_SLOTS 512
#define SWAP_TASKS 16

/* A block that goes from hand to hand; who takes it out frees it. */
struct block {
	void *room; /* the list of its owner's allocator takes it when it is freed */
	int owner;  /* PIPID, or -1 for the root */
	uint32_t size;
	unsigned char data[];
};

struct swap {
	struct block *_Atomic slot[SWAP_SLOTS];
	atomic_int ends;
	/* How often each task has had no block in its hands; the last place is the root's. */
	atomic_long pauses[SWAP_TASKS + 1];
};

#endif
