/* stop.h - PIP_STOP_ON_START: tasks that stop before their program begins. */
#ifndef STOP_H
#define STOP_H

#include "task.h"

/* Does the environment ask for this task to be stopped?  Warns of a script that cannot be run. */
bool stop_wanted(const struct task *t);

/* Waits until the task has stopped, says so and starts the script if there is one. */
void stop_await(struct task *t);

/* Collects the task's script. */
void stop_reap(struct task *t);

#endif
