/*
 * kept.h - what a window keeps for its next program: the dynamic linker, the C library, a stack.
 * Freestanding.
 *
 * Nearly all that the start of a small program maps is the same each time.  In one address space
 * each mapping and unmapping holds up all other programs; so where a launched program ends, these
 * stay in its window, and the next program there finds them mapped.  It gets them as new mappings
 * would be: what was written to is read from the files again, or zero, and where a program has
 * changed more than that, they go with it.
 *
 * The files are those that the root itself has mapped, so none is held longer than without this;
 * but for the dynamic linker's list of libraries, of which an old one may be held.
 */
#ifndef EMBRYO_KEPT_H
#define EMBRYO_KEPT_H

#include "loader/loader.h"
#include "space.h"

/* What stays unmapped below a stack, like the kernel's stack_guard_gap. */
#define KEPT_STACK_GUARD (1UL << 20)

/* Sets room aside in a task's first window, from `at` on, unless it has such room already.  Where
 * that ends; `at` if there is none. */
uintptr_t kept_open(struct task *t, uintptr_t at);

/*
 * In the new process: where the image of its dynamic linker goes, which is open, and whose code is
 * c; 0 = anywhere.  *is_there: it is mapped, but for what load_restore() does.
 */
uintptr_t kept_interp(struct task *t, const struct image *interp, const struct code *c,
		      bool *is_there);

/* It has been mapped there. */
void kept_has_interp(struct task *t, const struct image *interp);

/* The same for its stack. */
uintptr_t kept_stack(struct task *t, size_t size, int prot, bool *is_there);
void kept_has_stack(struct task *t, uintptr_t at);

/* ---- While its dynamic linker maps libraries ---- */

/* Where an image of the C library goes, 0 = anywhere. */
uintptr_t kept_libc(struct task *t, const struct code *c, size_t len);

/* A mapping that has been made; one of the C library's is remembered. */
void kept_note(struct task *t, uintptr_t at, size_t len, int prot, int flags, off_t off);

/*
 * Is this what comes next of a C library that is there?  Then it has been done.  at: 0 for the
 * first mapping; *ret is its address then.
 */
bool kept_repeat(struct task *t, uintptr_t at, size_t len, int prot, int flags, int fd, off_t off,
		 uintptr_t *ret);

/* A mapping at any place that can be had here without one: its address, or 0. */
uintptr_t kept_mapping(struct task *t, size_t len, int prot, int flags, int fd, off_t off);

/* Is it to be unmapped, and stays? */
bool kept_stays(struct task *t, uintptr_t at, size_t len);

/* ---- While the program runs ---- */

/* It begins: all is mapped. */
void kept_begin(struct task *t);

/* Before it changes mappings in a range.  data_too: even if that is only what is written to
 * anyway. */
void kept_change(struct task *t, uintptr_t at, size_t len, bool data_too);

/* It has ended: where what is kept ends, or 0 if nothing is to be kept. */
uintptr_t kept_hold(struct task *t);

#endif
