/*
 * space.h - one virtual address space and the registry of everything PiP runs in it.
 *
 * The registry is a shared memory object named "pip-space", so that other processes find it in
 * /proc/PID/maps and read it with no symbol.  It is mapped once per space, by the first root.
 *
 * The space also divides part of the address range into windows of equal size.  Everything that a
 * task maps lies in windows that it owns, so that one munmap() per window gives all of it back,
 * whatever the task was doing when it died, and so that the owner of an address is an index away.
 * But for its first page, a window costs nothing until something is mapped in it.
 */
#ifndef SPACE_H
#define SPACE_H

#include "base/lock.h"
#include "task.h"

#define SPACE_MAGIC 0x3145434150534950ULL /* "PIPSPACE1" cut to eight bytes, little endian */
#define SPACE_VERSION 1
#define SPACE_NAME "pip-space"

#define SPACE_TASKS 4096
#define SPACE_WINDOWS 2048
#define SPACE_HINTS 4096
#define SPACE_IDLE 4         /* windows that are kept for a next program, at most */
#define SPACE_NOBODY 0xffffU /* owns these: embryo/window.c */

/* AT_ type of the private auxiliary-vector entry that holds the address of a task's record. */
#define AT_PIP_TASK 0x50695054 /* "PiPT" */

struct space {
	uint64_t magic;
	uint32_t version, size; /* of this header */
	uint32_t task_size, ntasks;
	uint64_t tasks_offset;

	uintptr_t area; /* of the windows */
	uint32_t window_shift, nwindows;
	_Atomic uint16_t owner[SPACE_WINDOWS]; /* slot + 1; 0 = free; or SPACE_NOBODY */
	uint8_t headed[SPACE_WINDOWS];         /* its first page is a struct window_head */
	_Atomic uint16_t idle[SPACE_IDLE];     /* index + 1 of such windows, perhaps; or 0 */

	struct lock lock;                      /* slots, root tables, names */
	struct lock libc_lock, universal_lock; /* pip_libc_lock(), pip_universal_lock() */
	struct lock code_lock;                 /* place.c */
	uint32_t libc_depth;
	_Atomic uint32_t brk_guarded;

	/* Where it is installed, and the program that makes backtraces, empty if there is none. */
	char prefix[PATH_MAX], helper[PATH_MAX];

	uint32_t intercepts; /* the programs of this space launch tasks: embryo/birth.h */
	struct space_rights {
		uint32_t uid[3], gid[3]; /* real, effective, saved */
		uint64_t caps[5];        /* effective, permitted, inheritable, bounding, ambient */
		uint64_t securebits;
		uint64_t groups;    /* a hash of the supplementary ones */
	} rights;                   /* of its first root; tasks have the same */
	uint32_t changed_rights;    /* one of its programs has */
	uint32_t exec_keeps_rights; /* an exec of any ordinary file leaves them as they are */

	/* embryo/peer.c: PIDs by slot, and the slot in which a PID was found last.  The records
	 * themselves are far apart: to look at a thousand takes longer than many a copy.  Either
	 * table is only a guess; the record tells. */
	_Atomic int32_t pids[SPACE_TASKS];
	_Atomic uint16_t hints[SPACE_HINTS];

	struct export_entry *names[1024]; /* heads of the hash chains; under lock */
	struct export_entry *free_names[16];
	uint64_t names_used; /* bytes of the name pool */

	/* How many of the following have ever been in use: more are not looked at, since a look
	 * costs a page of memory each. */
	_Atomic uint32_t nslots;
	_Atomic uint64_t used[SPACE_TASKS / 64]; /* a bit for each slot that is not FREE */
	struct task task[SPACE_TASKS];
};

/* The name pool lies behind struct space in the registry, and behind that the segments' table. */
#define SPACE_NAMES (256UL << 20)
#define SPACE_SEGMENTS (32UL << 20)
#define SPACE_SIZE (page_up(sizeof(struct space)) + SPACE_NAMES + SPACE_SEGMENTS)

static inline void *space_segments(struct space *sp)
{
	return (char *)sp + SPACE_SIZE - SPACE_SEGMENTS;
}

/* The end of the address range, of which SPACE_WINDOWS are a quarter. */
static inline uintptr_t space_limit(const struct space *sp)
{
	return 4UL * SPACE_WINDOWS << sp->window_shift;
}

/* Makes a space around the calling program, which becomes the record returned (a root). */
int space_create(struct task **rootp);

/* Removes a space that holds nothing but its root. */
void space_destroy(struct space *sp);

/* Before the first task: no libc may move the shared break from here on. */
int space_guard_brk(struct space *sp);

/* A free slot, state CLAIMED, everything else zero but slot, space and incarnation; NULL = none. */
struct task *space_claim_slot(struct space *sp);
void space_free_slot(struct task *t);

#endif
