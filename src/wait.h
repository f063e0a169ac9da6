/* wait.h - a task's end: its status, and giving back what it held. */
#ifndef WAIT_H
#define WAIT_H

#include "task.h"

/* Waits for one task, or, without `block`, looks.  0, -ECHILD. */
int wait_task(struct task *root, int pipid, bool block, int *status);

/* Waits for whichever task of the root ends next. */
int wait_any(struct task *root, bool block, int *pipidp, int *status);

/* Takes the status of a task that has ended, or is about to, and gives everything back. */
int wait_collect(struct task *root, struct task *t, int *status);

/* Has it ended?  It stays to be collected, unless somebody else has taken its status. */
bool wait_has_ended(struct task *t);

/* The wait word of a task that has ended, which stays to be collected.  0 or -ECHILD. */
int wait_peek(struct task *t, int *status);

#endif
