/*
 * place.h - puts a program, its dynamic linker and its stack into a task's window.  Freestanding:
 * it runs in spawning programs and in processes that have no libc yet.
 */
#ifndef PLACE_H
#define PLACE_H

#include "embryo/embryo.h"
#include "interp.h"
#include "loader/loader.h"
#include "loader/stack.h"
#include "space.h"

/* What to start, and how. */
struct place_program {
	char *const *argv, *const *envv;
	const char *execfn;    /* AT_EXECFN */
	size_t stack_size;     /* in bytes; the strings may make it more */
	size_t env_subst;      /* index of an entry that its ld.so is to see otherwise, */
	const char *env_value; /* namely so: see loader/stack.h */
};

/* The value of a variable in an environment, or NULL. */
const char *place_environment(char *const *envv, const char *name);

/* The index of its last entry, by which ld.so goes, or of the end. */
size_t place_environment_index(char *const *envv, const char *name);

/* The path of an open file, free of links: what /proc/self/exe of its process would be.  given: as
 * it was opened.  False if it cannot be known. */
bool place_path(const struct image *img, const char *given, char real[PATH_MAX]);

/* The kernel would give such a program other rights than its caller's; in one space it cannot. */
bool place_gains_rights(const char *path, const struct stat *st);

/* Why the open file cannot be a task although it can be placed; NULL if it can.  *aware: it is
 * linked with libpip. */
const char *place_hindrance(const struct image *program, uint32_t *aware);

/*
 * Maps the program and interpreter that are open in l into the task's window, the latter's code
 * with its system calls trapped, and notes in its record what its start needs.  0 or -errno.
 */
int place_images(struct task *t, struct load *l, char *const *envv, struct load_error *err);

/* The size of a stack under this limit, in bytes, where nobody has said anything. */
size_t place_stack_size(uint64_t limit);

/* Builds the stack, with room below it for *launchp, which all else is up to.  0 or -errno. */
int place_stack(struct task *t, const struct load *l, const struct place_program *p,
		struct launch **launchp);

#endif
