/* child.h - what child.c, the tasks that make children, and its test share. */
#ifndef CHILD_H
#define CHILD_H

#include <stdatomic.h>

struct child {
	int value;      /* in the root's memory */
	int after_hook; /* pipe end that the after-hook writes to */
	const char *prog;
	atomic_int count, leave;
};

struct lingering {
	volatile pid_t pid;
	volatile int go, done;
};

#endif
