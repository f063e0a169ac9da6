/*
 * code.h - a file's code with its system calls led to stubs.  Freestanding.
 *
 * ld.so and libc make their system calls with instructions of their own, which no symbol
 * interposition sees.  A copy of such a file's code, in a memory object, has those that are to
 * be seen replaced by jumps to stubs.  Every task maps that object instead of the file's code,
 * so nothing is patched, copied or even touched per task; and since the mapping is private,
 * debuggers can set breakpoints in it.  The stubs lie in what is left of the code's last page
 * or, if that is not enough, in front of the image.
 */
#ifndef LOADER_CODE_H
#define LOADER_CODE_H

#include "base/sys.h"
#include "loader/elf.h"

/* The copies' own descriptors are the last below this one, as far as the process may have that. */
#define CODE_DESCRIPTORS 64
#define CODE_FIRST (CODE_DESCRIPTORS - 4)

struct image; /* of loader.h */

#define CODE_SITES 255UL                                    /* more than that is no C library */
#define CODE_FRONT_MOST ((CODE_SITES + 1) * ARCH_STUB_SIZE) /* of stubs; one room is the head */

/* Which of a C library's calls are all among the trapped ones. */
struct code_sees {
	uint32_t forks, signals; /* signals: rt_sigaction */
	uint32_t exit;           /* of the process */
};

/* As it shows by the sites that were found. */
struct code_sees code_sees(const struct arch_site *site, size_t n);

struct code {
	uint64_t dev, ino, size, mtime_sec, mtime_nsec; /* the file; ino 0 = none */
	uint64_t vaddr, off, len; /* its code: from the image's start, in the file, page aligned */
	uint64_t span;            /* of the image */
	uint64_t fd_dev, fd_ino;  /* the memory object */
	uint64_t at;              /* where in that the code is */
	size_t front; /* what the stubs take before the image, or 0: they are behind it */
	int fd;       /* of the memory object, in the process that made it */
	pid_t holder;
	struct code_sees sees;
};

/* What was patched, by offsets in the file. */
struct code_sites {
	uint32_t n;
	struct arch_site site[CODE_SITES];
};

/* Which system calls to look for, and where their stubs lead: see arch_write_stub_head(). */
struct code_traps {
	const uint16_t *nr;
	size_t nnr;
	unsigned window_shift;
};

/* A memory object for copies, while they are made. */
struct code_object {
	int fd;
	uintptr_t map; /* all of it, to be written */
	uintptr_t room;
	size_t len;
};

/* How much of one the copy of a file takes, a multiple of the page; 0 if its shape is unusual. */
size_t code_room(const struct elf_info *elf);

/* Makes one for `len` bytes, its descriptor close-on-exec and among the last below
 * CODE_DESCRIPTORS. */
int code_object(struct code_object *o, size_t len);

/* No more is made in it; keep: but there are copies. */
void code_object_done(const struct code_object *o, bool keep);

/* Another process's, if it has one, in the calling process: a descriptor like that of its own; or
 * -errno. */
int code_object_of(pid_t pid);

/* This copy, which another process has made, is now open here. */
int code_take(struct code *c, int object);

/* Makes a copy of an open file in one, from this offset on.  -ENOTSUP if the file's shape is
 * unusual or nothing in it is to be trapped. */
int code_make(struct code *c, struct code_sites *sites, const struct code_object *o, uint64_t at,
	      const struct image *img, const struct code_traps *traps);

/* The same with an object for this one. */
int code_make_alone(struct code *c, const struct image *img, const struct code_traps *traps);

/* Is c the copy of this file? */
bool code_is_of(const struct code *c, const struct stat *st);

/* Is its descriptor still open, in the process that made it? */
bool code_is_open(const struct code *c);

/*
 * A descriptor of the memory object in the calling process: the maker's, if it has inherited that,
 * or a new one, close-on-exec; -errno if both are gone.
 */
int code_open(const struct code *c);

/* Closes its descriptor, if it is still that. */
void code_close(struct code *c);

/* Maps the stubs in front of an image at base, if that is where they are; fd: the copy's. */
int code_map_stubs(const struct code *c, int fd, uintptr_t base);

/* How much room to leave in front of an image with this alignment. */
static inline size_t code_front(const struct code *c, uint64_t align)
{
	return align > c->front ? align : c->front;
}

/* A system call that forks and takes no arguments. */
static inline bool code_is_plain_fork(long nr)
{
#ifdef SYS_fork
	return nr == SYS_fork;
#else
	return nr < 0;
#endif
}

#endif
