/* interp.h - what this process knows about its own dynamic linker and library. */
#ifndef INTERP_H
#define INTERP_H

#include "loader/loader.h"
#include "loader/stack.h"

struct interp_facts {
	uint64_t dev, ino;     /* of this process's dynamic linker; 0 = it has none */
	char interp[PATH_MAX]; /* its path */
	struct cpu_table cpu;  /* size 0 = cannot be handed over */
	uint64_t hwcap;        /* AT_HWCAP as the kernel gave it: getauxval() tells ld.so's own */
	char libc[PATH_MAX];   /* its C library; empty = not found */
	char libpip[PATH_MAX]; /* where libpip.so is; empty = it cannot be preloaded */
	uint64_t tuned_hwcap;  /* AT_HWCAP as this process's ld.so has changed it */
	struct stack_aux aux[16]; /* entries that are the same for every program */
	size_t naux;
	char platform[32]; /* AT_PLATFORM; empty = none */
};

/* Does this value of GLIBC_TUNABLES (or NULL) change the CPU table?  Freestanding. */
bool interp_is_tuned(const char *tunables);

/* Found out at the first call. */
const struct interp_facts *interp_facts(void);

/* In a namespace of the root's dynamic linker: what the root has found out. */
void interp_adopt(const struct interp_facts *facts);

/* Where this process's libc has the rseq area of each thread, from its thread pointer; false if it
 * has registered none. */
bool interp_rseq(intptr_t *offset);

/* What that has found, for code that has no libc to find it out; it lies in place.c. */
extern struct interp_facts interp_known;

#endif
