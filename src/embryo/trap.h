/*
 * trap.h - system calls of a task that the runtime must see.  Freestanding.
 *
 * The calls named in trap.c are led here from the task's ld.so and libc (see code.h), into
 * the root's copy of this library.  Where a file's calls cannot be led here the task works with
 * less (its forks copy more, the kernel places its mappings), never wrongly.
 */
#ifndef EMBRYO_TRAP_H
#define EMBRYO_TRAP_H

#include "space.h"

/* What code_make() needs to know. */
struct code_traps trap_traps(const struct space *sp);

/* Those of them that matter in the first root, too, whose memory is the kernel's to place: how
 * many, and their numbers. */
size_t trap_process_calls(const uint16_t **nr);

/* Called by arch_trap_entry.  Returns 1 if tr->nr holds the result, 0 to make the call as it is. */
int trap_syscall(struct window_head *head, struct arch_trap *tr);

#endif
