/*
 * intercept.h - leads system calls of a C library that is loaded already to stubs.
 *
 * The code is this program's own mapping of the file, so no other program is changed, and no file.
 */
#ifndef INTERCEPT_H
#define INTERCEPT_H

#include "task.h"

struct intercepted {
	uintptr_t start, end; /* of the library's code */
	const char *file;     /* the library's, NULL = not known */
	off_t off;            /* of the code, in there */
	uintptr_t stubs;      /* mapped for it; to be unmapped once the code is gone */
	size_t stubs_len;
	struct code_sees sees;
};

/* The code of the object that holds this address, in the caller's namespace.  0 or -ENOTSUP. */
int intercept_find(struct intercepted *c, const void *inside);

/* The code of an object that is loaded at base.  0 or -ENOTSUP. */
int intercept_find_at(struct intercepted *c, uintptr_t base);

/* Patches it; the stubs pass on head. */
int intercept(struct intercepted *c, const struct window_head *head, const uint16_t *nr,
	      size_t nnr);

#endif
