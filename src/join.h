/* join.h - how a program becomes a root, and ends being one. */
#ifndef JOIN_H
#define JOIN_H

#include "space.h"

/* Become a root.  0, -EBUSY, -EINVAL, -EOVERFLOW, -EPERM or another errno. */
int join_as_root(int *ntasksp, void *export, int opts);

/* Become one unawares: as a launcher, with no signal, name or message changed.  0 or -errno. */
int join_as_launcher(struct task **rootp);

/* Stop being one.  -EBUSY while a task has not been waited for. */
int join_leave(struct task *root);

/* SIGKILL to every live task of the root; say: with a PiP-INFO line for each. */
void join_kill_all(struct task *root, bool say);

#endif
