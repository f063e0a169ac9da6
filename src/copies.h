/*
 * copies.h - the copies of its own ld.so's and C library's code that all tasks of a root have.
 * Freestanding.
 *
 * They are in one memory object and suit any window, of any root that runs the same build of this
 * library.  So a program that becomes a root itself under another one goes on with the copies of
 * that: what starts many short launchers, as `make` and `configure` do with compilers, makes them
 * once.
 */
#ifndef COPIES_H
#define COPIES_H

#include "loader/code.h"
#include "loader/loader.h"
#include "space.h"

/* A failure that leaves no choice but to start no task; with any other its code stays as it is. */
bool copies_is_serious(int rc);

/* Makes them, in a program that will keep them open: one that stays.  0 or -errno, -EMFILE where
 * their descriptor would be among the program's. */
int copies_prepare(struct space *sp);

/* Closes them. */
void copies_forget(void);

/* The copy for this file, if it is the C library that belongs to the root's dynamic linker. */
const struct code *copies_libc(const struct stat *st);

/* What was patched in that. */
const struct code_sites *copies_libc_sites(void);

/* How much room images of both files take, one behind the other; 0 if there are no copies. */
size_t copies_room(void);

/* Which calls of that are seen in a task. */
struct code_sees copies_sees(void);

/*
 * In a new process of a task that runs on the root's dynamic linker, open as interp: their
 * descriptors, in t->code_fd, and the copy of that linker, NULL if it is used as it is.  0 or
 * -errno.
 */
int copies_open(struct task *t, const struct image *interp, const struct code **found);

#endif
