/* symbol.h - finds functions of the running program, exported or not. */
#ifndef TASKSIDE_SYMBOL_H
#define TASKSIDE_SYMBOL_H

#include <stdint.h>

/*
 * Looks for a function in the program (whose path is given) and all its libraries but this one:
 * exported ones first, then global and at last local ones of the files' full symbol tables.
 * Returns 1 and the address, 0 if there is none, or the number of local functions of that name.
 */
int symbol_find(const char *program, const char *name, void **addr);

/* The same in one file that is loaded at base, whatever else there is. */
int symbol_find_in(const char *path, uintptr_t base, const char *name, void **addr);

/* A global function or variable of one file that is loaded at base, NULL if it has none. */
void *symbol_find_global(const char *path, uintptr_t base, const char *name);

#endif
