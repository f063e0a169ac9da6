/* segments.h - what segments.c, tasks that use XPMEM, and their test share. */
#ifndef SEGMENTS_H
#define SEGMENTS_H

#include <stdatomic.h>

#include <xpmem.h>

/* A task that makes a segment of its own and looks at another one. */
struct peer {
	xpmem_segid_t theirs;   /* of the test's root; what it holds begins with a long, 42 */
	_Atomic long *item;     /* that one */
	_Atomic long mine;      /* the task's segid, once it is made */
	_Atomic long apid;      /* of the task, for theirs */
	atomic_int step;        /* set by the task: steps that it has done */
	atomic_int go;          /* set by the root: steps that it may do */
	int leave_by_exit;      /* not by _exit(), which runs no destructors */
	_Atomic long made, bad; /* counted by segments_storm() */
};

#endif
