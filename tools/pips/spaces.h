/*
 * spaces.h - finds the address spaces that PiP runs programs in, and reads their registries, from
 * outside and with no symbol of libpip: see "The registry" in docs/ARCHITECTURE.md.
 */
#ifndef SPACES_H
#define SPACES_H

#include <linux/limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

/* A root or task. */
struct program {
	uint32_t slot, root_slot;
	int pipid;     /* a root's means nothing */
	pid_t pid;     /* as its own PID namespace has it */
	uint32_t mode; /* PIP_MODE_*, 0 = not known */
	bool is_root, is_task;
	bool is_ended;    /* waited for, its memory is being given back */
	bool is_placed;   /* not an embryo, which has no program yet */
	bool is_launched; /* by a launcher's fork and exec, not by pip_spawn() */
	bool has_memory;
	uint64_t mapped,
		resident; /* bytes of its own memory; the root's is all that is no task's */
	char path[PATH_MAX];
};

struct space_view {
	uint64_t dev, ino;   /* of the registry: the same for all that share it */
	pid_t reader;        /* a process through which it is read */
	uintptr_t address;   /* of the registry there */
	const char *trouble; /* why there are no programs, or NULL */
	uint32_t version;
	/* Where the windows are, and whose; only if the registry is laid out as this build's. */
	uintptr_t area;
	unsigned shift;
	size_t nowners;
	uint16_t *owner; /* slot + 1 */
	size_t nprograms;
	struct program *program;
};

struct spaces {
	size_t n;
	struct space_view **view;
	FILE *trace; /* or NULL */
};

/* What is known of a process. */
enum membership {
	MEMBER_NO,
	MEMBER_YES,    /* it lives in the space */
	MEMBER_UNKNOWN /* its memory map may not be read */
};

/* Looks at a process; *viewp is its space, if it has one.  New spaces are read at once. */
enum membership spaces_look(struct spaces *all, pid_t pid, struct space_view **viewp);

/* The record of the thread tid of process pid, or NULL. */
const struct program *space_program(const struct space_view *view, pid_t pid, pid_t tid);

/* The record in a slot, or NULL. */
const struct program *space_slot(const struct space_view *view, uint32_t slot);

/* Fills in the memory of all programs of a space; costs time. */
void space_measure(struct space_view *view);

void spaces_free(struct spaces *all);

#endif
