/* root.h - one root's table of tasks.  Freestanding: callable on any thread pointer. */
#ifndef ROOT_H
#define ROOT_H

#include "space.h"

/* The task with this pipid, NULL if there is none; pipid is in range. */
struct task *root_task(const struct task *root, int pipid);

/* Whether a task of this pipid existed and has been waited for. */
bool root_had_task(const struct task *root, int pipid);

/* The root of a task, or the root itself. */
struct task *root_of(const struct task *t);

/*
 * Makes a space with the record of the calling program as its root.  shown: the PID that others
 * know it by; path: of its program, NULL = what the kernel says.  The record is to be made
 * TASK_LIVE.
 */
int root_create(struct task **rootp, uint32_t mode, pid_t shown, const char *path);

/* Is there a task that pip_spawn() has started and nobody has waited for? */
bool root_has_spawned(const struct task *root);

/* pip_fin() in a root that goes on as a launcher: for the next pip_init() all is as at first, but
 * for live tasks that were launched. */
void root_begin_anew(struct task *root);

/* A free slot for this pipid (PIP_PIPID_ANY: the next free one); -EAGAIN if there is none. */
int root_claim(struct task *root, int pipid, struct task **tp);

/* The same for a slot that has been claimed already. */
int root_enter(struct task *root, int pipid, struct task *t);

/* Takes a task out of the table; and frees its slot. */
void root_forget(struct task *root, struct task *t);
void root_release(struct task *root, struct task *t);

#endif
