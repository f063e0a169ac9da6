/*
 * backtrace.h - the parts of pip-backtrace, the program that a task starts when a signal ends it.
 *
 * It is a program of its own because the task's heap, stack and libraries may be destroyed.  It
 * reads the task's memory through descriptor 0, /proc/self/mem as the task has opened it, which
 * needs no right to trace.  It stops nothing and writes nothing there.
 */
#ifndef BACKTRACE_H
#define BACKTRACE_H

#include <elf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* ---- memory.c ---- */

/* Copies n bytes from the task's memory.  Returns whether all of them could be read. */
bool memory_read(uintptr_t at, void *to, size_t n);

/* A string of at most size - 1 bytes; "" if it cannot be read. */
void memory_string(uintptr_t at, char *to, size_t size);

/* ---- modules.c: what is loaded, by what the dynamic linkers of task and root say ---- */

struct module {
	struct module *next;
	char *path;
	uintptr_t bias, start, end;
	uintptr_t code, code_end;          /* what of it is executable */
	uintptr_t unwind_table;            /* its .eh_frame_hdr in memory, 0 = none */
	const unsigned char *file, *debug; /* mapped; NULL = cannot be read, or not yet tried */
	size_t file_size, debug_size;
	bool file_tried, debug_tried;
};

/* base: the load bias of the task's program, 0 for a root.  Call it once. */
void modules_find(pid_t pid, uintptr_t base, const char *program);

/* Whose code an address lies in, or NULL. */
struct module *module_at(uintptr_t address);

/* Maps its file, if that is possible. */
void module_open(struct module *m);

/* ---- symbols.c ---- */

/*
 * The function that an address lies in, demangled and cut to size, and how far behind its start;
 * false if it has no name.
 */
bool symbol_at(struct module *m, uintptr_t address, char *name, size_t size, uintptr_t *offset);

/* ---- unwind.c ---- */

enum frame_kind {
	FRAME_CALL,        /* pc is a return address */
	FRAME_INTERRUPTED, /* pc is the next instruction */
	FRAME_SIGNAL,      /* pc is where a signal handler returns to */
};

/*
 * Calls frame() for each frame from the one that was interrupted outwards, until it returns
 * false. context: address of the ucontext_t in the task's memory.
 */
void unwind(uintptr_t context, bool (*frame)(uintptr_t pc, enum frame_kind kind));

#endif
