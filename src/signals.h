/* signals.h - exception signals, and signals between root and tasks. */
#ifndef SIGNALS_H
#define SIGNALS_H

#include "task.h"

/* Handlers for the exception signals, in a root at pip_init() and in a task before main. */
void signals_install(void);

/* Puts back what signals_install() replaced, as far as nobody else has. */
void signals_restore(void);

/* Signals that were ignored before signals_install() and that nobody else has changed since: a task
 * begins with them ignored, as an executed program would. */
uint64_t signals_ignored(void);

/* pip_abort(): ends the root and all its tasks. */
_Noreturn void signals_abort(void);

/* pip_kill(): to the task with this pipid, or the root.  0, -ESRCH, -EINVAL, -EPERM. */
int signals_kill(struct task *me, int pipid, int signum);

#endif
