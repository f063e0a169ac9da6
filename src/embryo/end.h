/*
 * end.h - the end of a launched program.  Freestanding.
 */
#ifndef EMBRYO_END_H
#define EMBRYO_END_H

#include "space.h"

/*
 * exit_group(2) of a task: gives its memory back, as far as that can be done by itself, and ends
 * it.  Returns if it cannot be done, or if somebody may miss that memory; then the call should be
 * made as it is.
 */
void end_with_memory(struct task *t, int status);

/* Has the kernel forget what a program has told it of its memory, but for that area. */
void end_forget(struct task *t);

/* Has the calling process no threads that nobody has seen it make? */
bool end_is_alone(void);

/* Has the kernel forget the calling thread's area for restartable sequences, which it writes to at
 * any time.  False if that cannot be had. */
bool end_rseq(const struct task *t);

#endif
