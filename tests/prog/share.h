/* share.h - what share.c, the tasks that export and import, and their test share. */
#ifndef SHARE_H
#define SHARE_H

#include <stdatomic.h>

#include <pip/pip.h>

#define RING_TASKS 8
#define RING_NAMES 300

/* An import to be done by a task. */
struct import {
	int from;
	const char *name; /* NULL: the empty one */
	atomic_int here;  /* it is about to import, from now on */
	atomic_int done;
	atomic_int handled; /* signals that its handler has seen */
	int rc;
	void *value;
};

/* Exports of a task, which then stays until it is let go. */
struct exports {
	const char *name[4]; /* up to NULL */
	void *value[4];
	void *anonymous; /* for pip_export(), if not NULL */
	int delay_ms;    /* before the first export */
	atomic_int done, leave;
};

#endif
