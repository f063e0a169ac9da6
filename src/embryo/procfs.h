/*
 * procfs.h - what a stand-in has opened in /proc/self.  Freestanding.
 *
 * Such a file is about the process that opened it: after the exec it would be about one that is
 * gone.
 */
#ifndef EMBRYO_PROCFS_H
#define EMBRYO_PROCFS_H

#include "embryo/standin.h"

/* May this call open one? */
bool procfs_is_open(const struct arch_trap *tr);

/* In the embryo, while the stand-in is still there: has their common descriptors refer to the
 * embryo. */
void procfs_take_over(const struct standin *s);

#endif
