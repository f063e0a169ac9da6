/*
 * stop.h - PIP_STOP_ON_START=[SCRIPT][@[PIPID]], as far as it needs no libc.  Freestanding.
 *
 * A task of pip_spawn() stops, and its root does the rest (src/stop.c).  One that a launcher has
 * started, which knows nothing of it, does it all by itself.
 */
#ifndef EMBRYO_STOP_H
#define EMBRYO_STOP_H

#include "task.h"

/* Does this value, which may be NULL, name the task?  script is "" if it has none. */
bool stop_names(const char *value, const struct task *t, char script[PATH_MAX]);

/* What is wrong with a script; NULL = nothing. */
const char *stop_hindrance(const char *script);

/* What a script gets of an environment, at most max entries: it is not to be stopped itself, nor
 * is what it starts. */
void stop_environment(const char **to, size_t max, const char *const *from);

/* For a launched task, its PIPID known: is it to stop?  Warns of a script that cannot be run. */
bool stop_launched(const struct task *t, const char *value);

/* Stops the calling process, such a task, and has the script started once it has. */
void stop_here(struct task *t, const char *const *envv);

#endif
