/*
 * rows.c - runs ps and takes what it says apart.  Entry functions: rows_read(), row_of().
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "pips/pips.h"

static const char *format(void)
{
	return options.user ? "user pid tid %cpu %mem vsz rss tty stat start_time cputime comm tid "
			      "pid ppid"
			    : "pid tid tty stat time comm tid pid ppid";
}

/* Runs ps.  Its output, and in *pid its process. */
static FILE *ps_open(pid_t *pid)
{
	char flags[4], ps[] = "ps", with[] = "--format", *fmt = must(strdup(format()));
	char lang[] = "LC_ALL=C";
	posix_spawn_file_actions_t actions;
	int ends[2], rc;

	snprintf(flags, sizeof(flags), "%s%sH", options.all ? "a" : "", options.notty ? "x" : "");
	putenv(must(strdup(lang)));
	if (pipe2(ends, O_CLOEXEC))
		die("pips: cannot run ps: %s\n", strerror(errno));
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
	rc = posix_spawnp(pid, ps, &actions, NULL, (char *[]){ ps, flags, with, fmt, NULL },
			  environ);
	posix_spawn_file_actions_destroy(&actions);
	if (rc)
		die("pips: cannot run ps: %s\n", strerror(rc));
	close(ends[1]);
	free(fmt);
	return must(fdopen(ends[0], "r"));
}

/* The columns of ps's heading, less the name of the command and what is ours. */
static void heading_read(char *line)
{
	char *save, *word = strtok_r(line, " \n", &save);

	for (; word && ncolumns < COLUMNS_MAX; word = strtok_r(NULL, " \n", &save))
		heading[ncolumns++] = word;
	if (ncolumns < 5)
		die("pips: ps shows no heading that can be understood\n");
	ncolumns -= 4;
}

/* Takes the last number off a line. */
static bool take_number(char *line, pid_t *number)
{
	char *end = line + strlen(line), *end_of_number;
	long value;

	while (end > line && isspace((unsigned char)end[-1]))
		*--end = '\0';
	while (end > line && isdigit((unsigned char)end[-1]))
		end--;
	value = strtol(end, &end_of_number, 10);
	*number = (pid_t)value;
	if (end_of_number == end || end == line)
		return false;
	*end = '\0';
	return true;
}

/* Takes a line of ps apart; it belongs to the row afterwards.  False: it is not one. */
static bool row_read(struct row *r, char *line)
{
	char *p = line;

	r->line = line;
	if (!take_number(line, &r->ppid) || !take_number(line, &r->pid) ||
	    !take_number(line, &r->tid))
		return false;
	for (size_t i = 0; i < ncolumns; i++) {
		p += strspn(p, " ");
		r->cell[i] = p;
		p += strcspn(p, " ");
		if (!*p)
			return false;
		*p++ = '\0';
	}
	/* A command's name may have blanks at either end, of which the last cannot be told from the
	 * column's. */
	for (char *end = p + strlen(p); end > p && end[-1] == ' ';)
		*--end = '\0';
	snprintf(r->comm, sizeof(r->comm), "%s", p);
	r->name = r->comm;
	return *p;
}

static int by_tid(const void *a, const void *b)
{
	const struct row *x = *(struct row *const *)a, *y = *(struct row *const *)b;

	return (x->tid > y->tid) - (x->tid < y->tid);
}

static void row_add(char *line)
{
	struct row *r = must(calloc(1, sizeof(*r)));

	if (!row_read(r, line)) {
		free(line);
		free(r);
		return;
	}
	if (nrows % 256 == 0)
		rows = must(realloc(rows, (nrows + 256) * sizeof(struct row *)));
	rows[nrows++] = r;
}

/* The names of the columns where a recorded output lacks them. */
static void heading_default(void)
{
	static char with_user[] =
		"USER PID TID %CPU %MEM VSZ RSS TT STAT START TIME COMMAND TID PID "
		"PPID";
	static char plain[] = "PID TID TT STAT TIME COMMAND TID PID PPID";

	heading_read(options.user ? with_user : plain);
}

static bool is_heading(const char *line)
{
	line += strspn(line, " ");
	return strncmp(line, "PID ", 4) == 0 || strncmp(line, "USER ", 5) == 0;
}

void rows_read(char **argv)
{
	const char *gen = getenv("PIPS_CHECK_GEN");
	FILE *input = NULL, *copy = NULL;
	char *line = NULL;
	size_t size = 0;
	pid_t ps = 0;
	ssize_t len;

	if (check) {
		input = check_open(check, "input", "re");
		if (getline(&line, &size, input) < 0) /* which options it is for */
			line = NULL;
	} else {
		input = ps_open(&ps);
	}
	if (gen && !check) {
		copy = check_open(gen, "input", "we");
		record = check_open(gen, "output", "we");
		fputs("#", copy);
		for (; *argv; argv++)
			fprintf(copy, " %s", *argv);
		fputs("\n", copy);
	}
	for (; free(line), line = NULL, (len = getline(&line, &size, input)) > 0; size = 0) {
		if (copy)
			fputs(line, copy);
		if (line[len - 1] == '\n')
			line[len - 1] = '\0';
		if (!ncolumns && is_heading(line)) {
			heading_read(line); /* which goes on using the line */
			line = NULL;
			continue;
		}
		if (!ncolumns)
			heading_default();
		row_add(line);
		line = NULL;
	}
	free(line);
	fclose(input);
	if (copy)
		fclose(copy);
	if (ps)
		waitpid(ps, NULL, 0);
	if (!ncolumns)
		heading_default();
	if (nrows)
		qsort(rows, nrows, sizeof(struct row *), by_tid);
}

struct row *row_of(pid_t pid, pid_t tid)
{
	struct row key = { .tid = tid }, *keyp = &key, **found;

	found = nrows ? bsearch(&keyp, rows, nrows, sizeof(struct row *), by_tid) : NULL;
	return found && (*found)->pid == pid ? *found : NULL;
}

bool is_zombie(const struct row *r)
{
	for (size_t i = 0; i < ncolumns; i++)
		if (strcmp(heading[i], "STAT") == 0)
			return r->cell[i][0] == 'Z';
	return false;
}
