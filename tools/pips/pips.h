/*
 * pips.h - what the parts of pips share: its options, and the rows of ps that it goes through.
 */
#ifndef PIPS_H
#define PIPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/types.h>

#include "pips/spaces.h"

#define COLUMNS_MAX 16
#define COMM_MAX 64

enum action {
	ACTION_LIST,
	ACTION_KILL,
	ACTION_SIGNAL,
	ACTION_PS,
	ACTION_TOP
};

/* A thread, as ps shows it. */
struct row {
	char *line;              /* what the cells point into */
	char *cell[COLUMNS_MAX]; /* the columns of ps, less the last four */
	char comm[COMM_MAX];     /* as the kernel has it */
	pid_t tid, pid, ppid;
	struct space_view *view; /* of a root or task; NULL = none, or not known */
	const struct program *program;
	bool is_pip, is_root, is_task;
	char who[3];               /* the column PIP */
	char *name;                /* of the command, in comm */
	char shown[COMM_MAX + 16]; /* the column COMMAND, if that is not the name */
	struct row *root;          /* of a task, or NULL */
	bool is_selected, is_visited, is_printed;
};

struct options {
	bool all, user, notty; /* the letters a, u, x */
	bool roots, tasks, family, descent, verbose, json, debug;
	const char *modes; /* of L C G T, or NULL */
	enum action action;
	int signal;
	char *extra; /* options for ps and top, or NULL */
	char **pattern;
	size_t npatterns;
};

extern struct options options;
extern struct row **rows; /* by TID */
extern size_t nrows;
extern char *heading[COLUMNS_MAX];
extern size_t ncolumns;
extern struct spaces spaces;
extern FILE *out;         /* stdout, or B.check */
extern FILE *record;      /* B.output, or NULL */
extern const char *check; /* PIPS_CHECK_OUT, or NULL */

/* ---- pips.c */

/* printf to where the output goes. */
__attribute__((format(printf, 1, 2))) void put(const char *format, ...);

/* A message that ends the program. */
__attribute__((format(printf, 1, 2))) _Noreturn void die(const char *format, ...);

/* What an allocating function has returned; NULL ends the program. */
void *must(void *allocated);

/* Opens PREFIX.SUFFIX, of a variable that tests use. */
FILE *check_open(const char *prefix, const char *suffix, const char *mode);

/* Is a word among some? */
bool is_one_of(const char *word, const char *const names[]);
#define ONE_OF(word, ...) is_one_of(word, (const char *const[]){ __VA_ARGS__, NULL })

/* ---- options.c */

/* Fills in the options; does not return if they are wrong. */
void options_parse(char **word);

/* ---- rows.c */

/* Runs ps, or reads what it has said; argv is for the record. */
void rows_read(char **argv);

/* The row of a thread, or NULL. */
struct row *row_of(pid_t pid, pid_t tid);

bool is_zombie(const struct row *r);

/* ---- select.c */

/* Which of the rows are roots and tasks? */
void rows_identify(void);

/* Marks those that are asked for; does not return if there are none. */
void rows_select(void);

/* Calls a function for each selected row, in the order of the table. */
void rows_walk(void (*function)(struct row *));

/* ---- table.c, json.c */

void table_print(void);
void json_print(void);

/* ---- act.c */

/* Sends the signal to the selected rows. */
void signals_send(void);

/* Becomes ps or top. */
void list_exec(void);

#endif
