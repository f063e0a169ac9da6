/*
 * part.h - a task that gives up its rights.  Freestanding.
 *
 * Nothing may be shared with other rights.  A process cannot leave the memory that it shares but by
 * an exec; but it can fork, and a forked child has memory of its own.  So the program goes on in a
 * forked child, and the task's process becomes the embryo that stands for it (standin.h): PID,
 * parent, descriptors and session stay what they were.
 */
#ifndef EMBRYO_PART_H
#define EMBRYO_PART_H

#include "space.h"

/* Can the calling program go on elsewhere?  Not with threads or children of its own, nor if it uses
 * PiP itself. */
bool part_is_possible(struct task *t);

/* In a trapped call of the program's, which has been made: if the process has given up rights that
 * its space has, for good, returns from the call in a process of its own. */
void part_from_space(struct window_head *head, const struct arch_trap *tr);

#endif
