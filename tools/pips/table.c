/* table.c - the selected rows as ps prints them.  Entry function: table_print(). */
#include <string.h>

#include "pips/pips.h"

static int width[COLUMNS_MAX + 2];

static const char *cell_of(const struct row *r, size_t column)
{
	if (column < ncolumns)
		return r->cell[column];
	if (column == ncolumns)
		return r->is_pip ? r->who : "-";
	return r->shown[0] ? r->shown : r->name;
}

static const char *heading_of(size_t column)
{
	return column < ncolumns ? heading[column] : column == ncolumns ? "PIP" : "COMMAND";
}

static void row_measure(struct row *r)
{
	for (size_t i = 0; i < ncolumns + 2; i++)
		if ((int)strlen(cell_of(r, i)) + 1 > width[i])
			width[i] = (int)strlen(cell_of(r, i)) + 1;
}

static void row_print(struct row *r)
{
	for (size_t i = 0; i < ncolumns + 2; i++)
		put("%-*s", width[i], cell_of(r, i));
	put("\n");
}

void table_print(void)
{
	for (size_t i = 0; i < ncolumns + 2; i++) {
		const char *name = heading_of(i);

		width[i] = ONE_OF(name, "USER", "TT", "TTY") ? 9
			   : ONE_OF(name, "START")           ? 8
							     : (int)strlen(name) + 1;
	}
	rows_walk(row_measure);
	for (size_t i = 0; i < ncolumns + 2; i++)
		put("%-*s", width[i], heading_of(i));
	put("\n");
	rows_walk(row_print);
}
