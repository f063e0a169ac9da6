/* trouble.h - what happens when a signal ends a program: PIP_GDB_*, PIP_SHOW_*, PIP_BACKTRACE. */
#ifndef TROUBLE_H
#define TROUBLE_H

#include "task.h"

/* The settings of a new root, and what the reports of all its space need. */
void trouble_init(struct task *root);

/* A task has ended with this wait status: says so if it was a fatal signal and it could not. */
void trouble_ended(const struct task *t, int status);

#endif
