/*
 * pips.c - lists PiP roots and tasks, as ps does processes, or sends them signals.
 *
 * main() reads the command line (options.c), runs ps (rows.c), finds out which of its rows are
 * roots and tasks, and picks some (select.c); what it does with them is in table.c, json.c, act.c.
 *
 * For tests of its own output, PIPS_CHECK_OUT=B takes ps's output from B.input and writes B.check
 * instead of doing anything; PIPS_CHECK_GEN=B records such files.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "pips/pips.h"

struct options options;
struct row **rows;
size_t nrows;
char *heading[COLUMNS_MAX];
size_t ncolumns;
struct spaces spaces;
FILE *out, *record;
const char *check;

__attribute__((format(printf, 1, 2))) void put(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vfprintf(out, format, ap);
	va_end(ap);
	if (record) {
		va_start(ap, format);
		vfprintf(record, format, ap);
		va_end(ap);
	}
}

__attribute__((format(printf, 1, 2))) _Noreturn void die(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vfprintf(out != stdout ? out : stderr, format, ap);
	va_end(ap);
	exit(1);
}

void *must(void *allocated)
{
	if (!allocated)
		die("pips: %s\n", strerror(ENOMEM));
	return allocated;
}

FILE *check_open(const char *prefix, const char *suffix, const char *mode)
{
	char *path;
	FILE *f;

	if (asprintf(&path, "%s.%s", prefix, suffix) < 0)
		path = must(NULL);
	f = fopen(path, mode);
	if (!f)
		die("pips: cannot open '%s': %s\n", path, strerror(errno));
	free(path);
	return f;
}

bool is_one_of(const char *word, const char *const names[])
{
	for (; *names; names++)
		if (strcmp(word, *names) == 0)
			return true;
	return false;
}

int main(int argc, char **argv)
{
	(void)argc;
	out = stdout;
	check = getenv("PIPS_CHECK_OUT");
	if (check)
		out = check_open(check, "check", "we");
	options_parse(argv + 1);
	spaces.trace = options.debug ? stderr : NULL;
	rows_read(argv);
	rows_identify();
	rows_select();
	if (options.action == ACTION_KILL || options.action == ACTION_SIGNAL)
		signals_send();
	else if (options.action != ACTION_LIST)
		list_exec();
	else if (options.json)
		json_print();
	else
		table_print();
	spaces_free(&spaces);
	if (fflush(out) || ferror(out) || (record && fclose(record))) {
		fprintf(stderr, "pips: cannot write: %s\n", strerror(errno));
		return 1;
	}
	return 0;
}
