/*
 * fault.h - for scenarios in which tasks end at a bad moment, or something runs out.
 *
 *	rounds(), dice()		how often, and what comes next
 *	ledger_take(), ledger_same()	what the root has: as much afterwards as before
 *	killer_start(), killer_aim()	end tasks at set times, whatever the root is doing
 *	siblings_start(), meet()	tasks that live on, and have not been harmed
 *	spawn(), run()			start a task; and look at what came of it
 *
 * The environment of a test program: FAULT_ROUNDS is the number of rounds, FAULT_SEED makes a run
 * like the one that printed it.
 */
#ifndef FAULT_H
#define FAULT_H

#include <errno.h>

#include "../task/root.h"

/* A program of tests/fault/prog. */
#define FAULT_PROG(name) (FAULT_PROG_DIR "/" name)

/* The number of rounds: FAULT_ROUNDS, or what fits into the suite. */
int rounds(int normal);

/* Runs body in scenarios of at most so many rounds each, whose number it gets.  What it prints
 * shows up as comments in the test's output. */
void in_slices(void (*body)(int n), int total, int slice);

/* The next number of a sequence that is another each time: 0 ... n-1. */
unsigned long dice(unsigned long n);

/* ---- What the root has ---- */

struct ledger {
	long fds, maps, threads, children;
	long size_kb, tables_kb; /* VmSize and VmPTE */
};

/* Works, too, when /proc is hidden or no descriptor is left, if ledger_open() came before. */
void ledger_open(void);
void ledger_close(void);
void ledger_take(struct ledger *l);
void ledger_print(const char *what, const struct ledger *l);

/* As before: exactly, but for VmSize and VmPTE, which may differ by 1 % or by a few pages. */
void ledger_same_at(const char *file, int line, const struct ledger *before);
#define ledger_same(before) ledger_same_at(__FILE__, __LINE__, before)

/* ---- The killer: a thread of the root that sends signals at set times ---- */

void killer_start(void);
void killer_stop(void);

/* Some time after the task of this PIPID has come to be, it gets the signal.  Call it first. */
void killer_aim(int pipid, int signum, long delay_us);

/* Returns when the signal is sent; before that the task must not be waited for. */
void killer_await(int pipid);

bool killer_has_shot(int pipid);

/* No more signal.  Returns whether there was none. */
bool killer_call_off(int pipid);

/* ---- Siblings: tasks that use malloc(), names, the public locks and a barrier ---- */

/* They are PIPIDs 0 to n-1. */
void siblings_start(int n);
/* Returns when all have come to the barrier once more. */
void meet(void);
void siblings_end(void);

/* ---- Spawning ---- */

/* As pip_spawn() of PIPID id with the environment of the caller; its result. */
int spawn(int id, char *const *argv);

bool ended_by(int status, int signum);
bool ended_with(int status, int code);

/* Runs a task to its end; kills it if that does not come soon.  The result of pip_spawn(). */
int run(int id, char *const *argv, int *status);

#endif
