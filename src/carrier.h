/*
 * carrier.h - a thread pointer of the root's C library for a task's hooks, or for the task.
 *
 * A hook is code of the root's program and uses the root's libc, but runs in the task's
 * process.  It needs a thread pointer of that libc that no running thread uses.  The portable
 * way to have one made is a pthread that does nothing but wait.
 */
#ifndef CARRIER_H
#define CARRIER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct carrier;

/* 0 or -errno. */
int carrier_start(struct carrier **cp, uintptr_t *thread_pointer);
/* One whose stack, of so many bytes, is to be used as well: by a process, or (is_task) by itself,
 * which then becomes the task. */
int carrier_start_stack(struct carrier **cp, uintptr_t *thread_pointer, size_t stack, bool is_task);
/* What its libc has registered with the kernel for it, and where its stack is free. */
struct namespace_start;
void carrier_facts(const struct carrier *c, struct namespace_start *s);

/* Goes on as the task; its record must have the thread's ID before. */
struct launch;
int32_t carrier_tid(const struct carrier *c);
void carrier_begin(struct carrier *c, struct launch *l);

/*
 * One that has become a task must have gone for good, with the kernel's notice of that in its tid
 * word.  broken: the task died within a hook, so its thread's part of the C library
 * may hold any lock.
 */
void carrier_stop(struct carrier *c, bool broken);

#endif
