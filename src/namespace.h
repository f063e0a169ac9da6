/*
 * namespace.h - the dlmopen loader: a task in one of the root's dynamic linker's namespaces.
 *
 * PIP_LOADER=dlmopen.  What it cannot do is in docs/ARCHITECTURE.md.
 */
#ifndef NAMESPACE_H
#define NAMESPACE_H

#include <pip/pip.h>

#include "embryo/embryo.h"

/* PIP_LOADER: whether it asks for this loader.  0, or -EINVAL with a message. */
int namespace_wanted(bool *wantedp);

/*
 * Loads a program (its file is open in load) into a namespace of its own, and readies the thread
 * whose thread pointer and stack its process will have.  -EAGAIN: no namespace or no static TLS is
 * left; -ELIBEXEC, -ENOEXEC: it is no program for this loader.  Says why.
 */
int namespace_open(struct task *t, const pip_spawn_program_t *p, char *const *envv,
		   const struct load *load, size_t stack, struct launch **lp);

/* In the place of clone(2), where tasks are threads: that thread goes on as the task.  Its TID. */
pid_t namespace_begin(struct task *t, struct launch *l);

/* Once the task's process has gone, or if there will be none: takes its namespace, NULL if it has
 * none, out of its record. */
struct name_space *namespace_leave(struct task *t);

/* Before its memory goes.  kept: others still run there (birth_keep_memory()), so the namespace
 * stays as long as the record does. */
void namespace_close(struct name_space *ns, bool kept);

#endif
