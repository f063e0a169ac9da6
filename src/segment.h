/*
 * segment.h - pieces of memory that programs of a space share by number: XPMEM's segments.
 *
 * libxpmem.so calls these functions, which libpip.so exports for it and nobody else.
 */
#ifndef SEGMENT_H
#define SEGMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct segment {
	uintptr_t start;
	size_t size;
	uint32_t mode; /* of access, as a file has it */
	uint32_t uid, gid;
	bool own; /* out: the caller's */
};

/* 0, or -ENOENT: the calling program is neither root nor task. */
int pip_segment_init(void);

/* The segment's id, always above 0, or -ENOENT, -EINVAL (the range), -ENOMEM. */
int64_t pip_segment_make(const struct segment *s);

/* 0, or -ENOENT, -EINVAL (not an id), -EACCES (another program's). */
int pip_segment_remove(int64_t id);

/* 0 with a copy, or -ENOENT, -EINVAL. */
int pip_segment_find(int64_t id, struct segment *s);

/* Does the calling program's memory lie there? */
bool pip_segment_own_memory(const void *at);

#endif
