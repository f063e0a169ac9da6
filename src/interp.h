/* interp.h - what this process knows about its own dynamic linker and library. */
#ifndef INTERP_H
#define INTERP_H

#include "loader/loader.h"

struct interp_facts {
	uint64_t dev, ino;     /* of this process's dynamic linker; 0 = it has none */
	struct cpu_table cpu;  /* size 0 = cannot be handed over */
	uint64_t hwcap;        /* AT_HWCAP as the kernel gave it: getauxval() tells ld.so's own */
	char libc[PATH_MAX];   /* its C library; empty = not found */
	char libpip[PATH_MAX]; /* where libpip.so is; empty = it cannot be preloaded */
};

/* Does this value of GLIBC_TUNABLES (or NULL) change the CPU table? */
bool interp_is_tuned(const char *tunables);

/* Found out at the first call. */
const struct interp_facts *interp_facts(void);

#endif
