/*
 * rights.h - a process's rights: its users, groups and capabilities.  Freestanding.
 */
#ifndef EMBRYO_RIGHTS_H
#define EMBRYO_RIGHTS_H

#include "space.h"

/* Those of the calling process. */
void rights_read(struct space_rights *r);

/* Does an exec leave them as they are? */
bool rights_last(const struct space_rights *r);

/* Has the calling process given some of these up, so that it cannot have them back by itself?
 * Groups do not count: who sets them goes on to set a user, and often forks in between (su,
 * runuser). */
bool rights_are_given_up(const struct space_rights *before);

/* Has a thread of another process those of the caller, and as many filters of system calls?  The
 * kernel is asked. */
bool rights_are_mine(pid_t pid, pid_t tid);

/*
 * Makes them the caller's own, as far as it may.  False if they are not after that: there may be
 * something in between then.  The kernel takes PR_SET_PDEATHSIG back, and marks the caller's memory
 * (PR_SET_DUMPABLE).
 */
bool rights_take(pid_t pid, pid_t tid);

#endif
