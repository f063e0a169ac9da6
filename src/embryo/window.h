/*
 * window.h - where the mappings of a task go.  Freestanding; callable on any thread pointer, from
 * signal handlers and from several threads at once: it never waits.
 */
#ifndef EMBRYO_WINDOW_H
#define EMBRYO_WINDOW_H

#include "space.h"

/*
 * Gives a task its first window.  random: unpredictable bits that choose the place.  0 or -errno.
 *
 * front: so many bytes behind the window's head are the caller's to map, all windows' that have
 * any being of one size, and to keep out of forks.  What is there may serve the next program:
 * window_close() keeps a few of such windows with their fronts, and window_open() takes one of
 * these first; the head tells what has been kept (window_head.front).
 */
int window_open(struct task *t, uint64_t random, size_t front);

/* Unmaps all of a task's first window but its head and its front, once; nothing is mapped there
 * afterwards. */
void window_empty(struct task *t);

/* Unmaps everything a dead task left, but perhaps the front of its first window, and frees its
 * windows. */
void window_close(struct task *t);

/* mmap() at a free place of the task's windows; any other argument as for mmap().  Falls back to
 * the kernel's choice.  Returns an address or -errno; see sys_failed(). */
uintptr_t window_map(struct task *t, size_t len, size_t align, int prot, int flags, int fd,
		     off_t off);

/* An unused range (nothing is mapped there), or 0. */
uintptr_t window_reserve(struct task *t, size_t len, size_t align);

/* The same for what has stubs in front of it, which look for the head of their window. */
uintptr_t window_reserve_code(struct task *t, size_t len, size_t align);

/* A range of the task's windows has been unmapped and can be used again. */
void window_unused(struct task *t, uintptr_t at, size_t len);

/* A range was mapped at a place that the caller chose. */
void window_used(struct task *t, uintptr_t at, size_t len);

/* A mapping of the task at a place that was not chosen here: kept out of others' forks and, if
 * it lies outside the task's windows, remembered so that it is given back; window_disown()
 * forgets it. */
void window_adopt(struct task *t, uintptr_t at, size_t len);
void window_disown(struct task *t, uintptr_t at, size_t len);

/* Whose window an address lies in, or NULL. */
struct task *window_owner(struct space *sp, const void *at);

/* Is the whole range in windows of this task? */
bool window_owns(struct task *t, uintptr_t at, size_t len);

/*
 * Before a fork of `except` (NULL: of a root): its child is to have no copy of the other tasks'
 * memory.  What has been left out once stays so, but for its own task's forks; who forks just then
 * is not waited for, so the child gets that one's.
 */
void window_leave_out(struct space *sp, const struct task *except);

/* madvise(2) on all windows of a task: MADV_DONTFORK, or MADV_DOFORK for all but the front. */
void window_advise(struct task *t, int advice);

#endif
