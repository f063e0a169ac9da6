/* root.h - one root's table of tasks, and its own joining and leaving of the space. */
#ifndef ROOT_H
#define ROOT_H

#include "space.h"

/* Become a root.  0, -EBUSY, -EINVAL, -EOVERFLOW, -EPERM or another errno. */
int root_init(int *ntasksp, void *export, int opts);

/* Leave.  -EBUSY while a task has not been waited for. */
int root_fin(struct task *root);

/* The task with this pipid, NULL if there is none; pipid is in range. */
struct task *root_task(const struct task *root, int pipid);

/* Whether a task of this pipid existed and has been waited for. */
bool root_had_task(const struct task *root, int pipid);

/* The root of a task, or the root itself. */
struct task *root_of(const struct task *t);

/* A free slot for this pipid (PIP_PIPID_ANY: the next free one); -EAGAIN if there is none. */
int root_claim(struct task *root, int pipid, struct task **tp);
void root_release(struct task *root, struct task *t);

/* SIGKILL to every live task of the root; say: with a PiP-INFO line for each. */
void root_kill_all(struct task *root, bool say);

#endif
