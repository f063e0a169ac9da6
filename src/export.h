/* export.h - addresses that tasks publish under names. */
#ifndef EXPORT_H
#define EXPORT_H

#include "space.h"

/* Publishes; name "" is a name too.  0, -EBUSY, -ENOMEM. */
int export_named(struct task *t, const char *name, void *value);

/*
 * Looks up what the task with this pipid (or the root) publishes; waits for it if `block` is set.
 * 0, -EAGAIN, -EDEADLK, -ECANCELED.  me: the caller.
 */
int export_import(struct task *me, int pipid, const char *name, bool block, void **valuep);

/* Wakes who waits for this task's exports or, if it is a root, for a task to be spawned. */
void export_announce(struct task *t);

/* No more exports will come from this task: wakes who waits for one. */
void export_close(struct task *t);

/* Takes back the names under a pipid that is about to be used again.  Called with space.lock. */
void export_forget(struct task *root, int pipid);

#endif
