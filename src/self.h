/*
 * self.h - who the running program is to PiP.
 *
 * The answer lies in a page that a forked child finds empty (MADV_WIPEONFORK), because such a
 * child is an ordinary process, whichever way it was forked.
 */
#ifndef SELF_H
#define SELF_H

#include "task.h"

struct self {
	struct task *task; /* the record of this root or task, NULL = neither */
};

extern struct self *self; /* never NULL */

/* Becomes this root or task.  0 or -errno. */
int self_set(struct task *t);

static inline struct task *self_task(void)
{
	return self->task;
}

static inline bool self_is_root(void)
{
	return self->task && self->task->root_slot == self->task->slot;
}

static inline bool self_is_task(void)
{
	return self->task && self->task->root_slot != self->task->slot;
}

#endif
