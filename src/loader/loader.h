/*
 * loader.h - the private loader: puts a program and its own copy of its dynamic linker into memory.
 *
 * load_open() reads and checks the files, load_map() maps them; both run in the spawning program.
 * load_finish() runs in the new process and does what touches the mapped files' pages: a file that
 * shrinks under its mapping raises SIGBUS, and that must hit the new process and nobody else.
 * Freestanding: no libc, no errno; errors are -errno.
 */
#ifndef LOADER_LOADER_H
#define LOADER_LOADER_H

#include <limits.h>
#include <linux/limits.h> /* PATH_MAX: a freestanding <limits.h> may lack it */

#include "base/sys.h"
#include "loader/elf.h"

/* One ELF file in memory. */
struct image {
	struct elf_info elf;
	struct stat st;
	int fd;         /* -1 once it is mapped */
	uintptr_t bias; /* add to an address in the file */
};

struct load {
	struct image program, interp; /* interp.elf.nload is 0 for a static PIE */
	char interp_path[PATH_MAX];
};

/* Where images go: an unmapped range that nobody else uses, at a multiple of align; or -errno. */
struct load_place {
	uintptr_t (*reserve)(void *ctx, size_t len, size_t align);
	/*
	 * What else goes with the interpreter's image (or, without one, the program's): `front`
	 * bytes before it, and a descriptor from which its code is mapped instead (-1 = from
	 * the file).
	 */
	size_t front;
	int code_fd;
	off_t code_off;
	uintptr_t at;  /* where it has to be, 0 = anywhere */
	bool is_there; /* from an earlier program: load_restore() makes it as it was */
	void *ctx;
};

/* The dynamic linker's table of CPU features, filled by the same file in this process. */
struct cpu_table {
	const void *data;
	size_t size;
	uint64_t offset;   /* of the table, as an address in the file */
	uint64_t dev, ino; /* of that file */
};

/* A data segment up to this size is mapped page by page at once: ld.so will write to all of it,
 * and one call costs less than a fault a page. */
#define LOAD_POPULATE_MAX (64UL << 10)

/* What went wrong with which file, for a message. */
struct load_error {
	const char *file; /* the path given, or load.interp_path */
	const char *what; /* "open", "read", "header", "segments", "interpreter", "map" */
};

/* One file: opens it and reads its headers; or reads those of img->fd, with img->st filled in. */
int load_image_open(struct image *img, const char *path, const char **what);
int load_image_read(struct image *img, const char **what);
void load_image_close(struct image *img);

/*
 * Opens a program and, if it has one, its interpreter.
 *
 * Errors of elf.h, of open(2) and read(2), and: -EACCES not a regular file, no execute
 * permission; -ELIBEXEC neither PIE nor static PIE; -ENOEXEC its interpreter cannot be used.
 * On success both files are open; load_close() closes them.
 */
int load_open(struct load *l, const char *path, struct load_error *err);

/* The second part of that, for a program that is open in l->program. */
int load_open_interp(struct load *l, const char *path, struct load_error *err);

/* Maps what is open, and closes it. */
int load_map(struct load *l, const struct load_place *place, struct load_error *err);
void load_close(struct load *l);

/* Reads a part of a file, whose last page the file's end may cut short: 0, -ENOEXEC if more than
 * that is missing, or another -errno. */
int load_read(int fd, uintptr_t to, size_t len, uint64_t off);

/* A mapping of a file that is there from an earlier program: gives it this protection, and what the
 * file has for it, if it can be written to.  0 or -errno. */
int load_restore(uintptr_t at, size_t len, int prot, int fd, off_t off);

/* Which libraries of these names, or names that begin so, does the open file ask for?  Bit i
 * for name i. */
unsigned load_needs(const struct image *img, const char *const *library, size_t n);

/* Zeroes what lies behind the files' data and, if the table is of this interpreter, fills it in. */
void load_finish(const struct load *l, const struct cpu_table *cpu);

/* Where execution starts: the interpreter's entry, or the program's own. */
uintptr_t load_entry(const struct load *l);

/* The image where that is: the interpreter's, or the program's own. */
const struct image *load_first(const struct load *l);

#endif
