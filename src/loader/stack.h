/*
 * stack.h - the initial stack of a program: argc, argv, envp, auxv and the strings they point to.
 *
 * stack_size_needed() tells how much room the picture takes, stack_build() draws it.
 * Pure: no libc, no system call, no state; safe to call between clone and the program's entry.
 */
#ifndef LOADER_STACK_H
#define LOADER_STACK_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define STACK_ALIGN 16 /* of sp at the entry: System V x86-64 psABI 3.4.1, AAPCS64 6.4.5.1 */
#define STACK_RANDOM_LEN 16
#define STACK_NO_SUBST ((size_t)-1)

struct stack_aux {
	uint64_t type, value; /* as Elf64_auxv_t */
};

struct stack_spec {
	char *const *argv; /* NULL terminated, may be empty */
	char *const *envv; /* NULL terminated; NULL = empty */
	/*
	 * Without AT_NULL.  An AT_RANDOM, AT_EXECFN or AT_PLATFORM whose value is 0 gets the
	 * address of the copy made here (AT_PLATFORM stays 0 if platform is NULL).
	 */
	const struct stack_aux *aux;
	size_t naux;
	const char *execfn, *platform; /* platform may be NULL */
	const unsigned char *random;   /* STACK_RANDOM_LEN bytes */
	/*
	 * STACK_NO_SUBST, or the index in envv whose entry points to a copy of env_subst instead;
	 * the original string is copied all the same, to the place it would have had, so that
	 * pointing the entry at it later leaves no trace.  An index equal to the number of entries
	 * appends env_subst; then storing NULL in that entry leaves no trace.
	 */
	size_t env_subst_index;
	const char *env_subst;
};

struct stack_out {
	uintptr_t sp;               /* the address of argc */
	uintptr_t argv, envp, auxv; /* the addresses of the vectors */
	uintptr_t env_original;     /* the copy of the replaced string, 0 if appended or none */
	size_t argc, envc;          /* without the NULLs; envc with an appended entry */
	uintptr_t strings_start, strings_end; /* everything the vectors point to lies in here */
};

/*
 * How many bytes stack_build() needs, a multiple of STACK_ALIGN.  -E2BIG if that is no ssize_t;
 * -EINVAL if argv, execfn or random is NULL, or env_subst_index is beyond the end of envv.
 */
ssize_t stack_size_needed(const struct stack_spec *spec);

/*
 * Write the picture to the top of the len bytes at buf, for a stack whose len bytes will be at
 * address `at` (a multiple of STACK_ALIGN).  What lies below out->sp is left alone.  The top is
 * at + len, rounded down to STACK_ALIGN.
 * 0, -E2BIG if it does not fit, -EINVAL as above or if `at` is not aligned.
 */
int stack_build(void *buf, size_t len, uintptr_t at, const struct stack_spec *spec,
		struct stack_out *out);

#endif
