/*
 * select.c - which rows of ps are roots and tasks, and which of these are asked for.
 * Entry functions: rows_identify(), rows_select(), rows_walk().
 *
 * Roots and tasks are known by the registries of their spaces; where these may not be read, by the
 * names that the runtime gives them.
 */
#include <ctype.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include <pip/pip.h>

#include "pips/pips.h"

/* ---- Who is who ---------------------------------------------------------------------------- */

static char letter_of_mark(char mark)
{
	switch (mark) {
	case ':':
		return 'L';
	case ';':
		return 'C';
	case '.':
		return 'G';
	case '|':
		return 'T';
	default:
		return '?';
	}
}

static char letter_of_mode(uint32_t mode)
{
	switch (mode) {
	case PIP_MODE_PROCESS_PRELOAD:
		return 'L';
	case PIP_MODE_PROCESS_PIPCLONE:
		return 'C';
	case PIP_MODE_PROCESS_GOT_OBS:
		return 'G';
	case PIP_MODE_PTHREAD:
		return 'T';
	default:
		return '?';
	}
}

/* The runtime's mark in a name: R for a root or the last digit of a PIPID, and one for the mode. */
static bool has_mark(const char *comm)
{
	return (comm[0] == 'R' || isdigit((unsigned char)comm[0])) && comm[1] &&
	       strchr(":;|.?", comm[1]) && comm[2];
}

/* ps adds "<defunct>", and cuts it off at the column's end; or it does not. */
static void name_of_zombie(struct row *r)
{
	char *mark = strstr(r->comm, " <");

	if (mark && is_zombie(r) && strncmp(mark, " <defunct>", strlen(mark)) == 0)
		*mark = '\0';
}

static void row_identify(struct row *r, enum membership member)
{
	const struct program *p = r->program;
	bool marked;

	name_of_zombie(r);
	marked = has_mark(r->comm);
	if (p && (r->tid == r->pid || marked)) {
		r->is_root = p->is_root;
		r->is_task = p->is_task;
		r->who[0] = 'R';
		if (p->is_task)
			r->who[0] = "0123456789"[(unsigned)p->pipid % 10];
		r->who[1] = letter_of_mode(p->mode);
		if (r->who[1] == '?' && marked)
			r->who[1] = letter_of_mark(r->comm[1]);
	} else if (marked && member != MEMBER_NO) {
		r->is_root = r->comm[0] == 'R';
		r->is_task = !r->is_root;
		r->who[0] = r->comm[0];
		r->who[1] = letter_of_mark(r->comm[1]);
	} else {
		return;
	}
	r->is_pip = true;
	if (marked)
		r->name = r->comm + 2;
	if (is_zombie(r))
		snprintf(r->shown, sizeof(r->shown), "%s <defunct>", r->name);
}

/* A zombie has no memory any more: it is its parent's space that it was in. */
static enum membership look_at(struct row *r)
{
	struct row *parent;
	enum membership m;

	if (!is_zombie(r))
		return spaces_look(&spaces, r->pid, &r->view);
	parent = row_of(r->ppid, r->ppid);
	m = parent ? spaces_look(&spaces, parent->pid, &r->view) : MEMBER_UNKNOWN;
	return m == MEMBER_YES ? MEMBER_YES : MEMBER_UNKNOWN;
}

/* The row of a program's process. */
static struct row *row_of_program(const struct space_view *view, const struct program *p)
{
	for (size_t i = 0; p && i < nrows; i++)
		if (rows[i]->program == p && rows[i]->view == view && rows[i]->tid == rows[i]->pid)
			return rows[i];
	return NULL;
}

/* The root of a task: as its registry tells, or the process that it is a thread or child of. */
static struct row *find_root(const struct row *r)
{
	struct row *root;

	if (r->program)
		return row_of_program(r->view, space_slot(r->view, r->program->root_slot));
	root = row_of(r->pid, r->pid);
	if (root && root != r && root->is_root)
		return root;
	root = row_of(r->ppid, r->ppid);
	return root && root->is_root ? root : NULL;
}

static void rows_relate(void)
{
	for (size_t i = 0; i < nrows; i++)
		if (rows[i]->is_task)
			rows[i]->root = find_root(rows[i]);
}

void rows_identify(void)
{
	for (size_t i = 0; i < nrows; i++) {
		struct row *r = rows[i], *main_row = row_of(r->pid, r->pid);
		enum membership member = MEMBER_UNKNOWN;

		/* One look for each process; its main thread's row is the first. */
		if (check || (r->tid != r->pid && !has_mark(r->comm)))
			;
		else if (main_row && main_row != r && main_row->view)
			member = MEMBER_YES, r->view = main_row->view;
		else
			member = look_at(r);
		if (r->view)
			r->program = space_program(r->view, r->pid, r->tid);
		/* Threads of a task have its name, and belong to it. */
		if (r->view && !r->program && r->tid != r->pid && main_row && main_row->program &&
		    main_row->comm[0] == r->comm[0])
			r->program = main_row->program;
		row_identify(r, member);
		if (is_zombie(r) && r->is_pip && !r->program && r->view)
			r->is_pip = false; /* its registry does not know it */
	}
	for (size_t i = 0; i < spaces.n; i++)
		if (spaces.view[i]->trouble)
			fprintf(stderr,
				"pips: the space of PID %d: %s; some tasks may be missing\n",
				spaces.view[i]->reader, spaces.view[i]->trouble);
	rows_relate();
}

/* ---- Selection ----------------------------------------------------------------------------- */

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static bool matches(const struct row *r, const char *pattern)
{
	char *end;
	unsigned long id = strtoul(pattern, &end, 10);

	if (isdigit((unsigned char)*pattern) && !*end &&
	    (id == (unsigned long)r->pid || id == (unsigned long)r->tid))
		return true;
	if (fnmatch(pattern, r->name, 0) == 0)
		return true;
	/* The kernel's name is cut short, and a program may have changed it. */
	return r->program && fnmatch(pattern, base_name(r->program->path), 0) == 0;
}

static bool is_wanted(const struct row *r)
{
	bool wanted = options.npatterns == 0;

	if (!r->is_pip)
		return false;
	if (options.roots != options.tasks && !(options.roots ? r->is_root : r->is_task))
		return false;
	if (options.modes && !strchr(options.modes, r->who[1]))
		return false;
	for (size_t i = 0; i < options.npatterns && !wanted; i++)
		wanted = matches(r, options.pattern[i]);
	return wanted;
}

/* A root's tasks, and the tasks of those that are roots themselves. */
static void select_tasks(struct row *root)
{
	if (root->is_visited)
		return;
	root->is_visited = true;
	for (size_t i = 0; i < nrows; i++) {
		if (rows[i]->root != root)
			continue;
		rows[i]->is_selected = true;
		if (rows[i]->is_root)
			select_tasks(rows[i]);
	}
}

/* Roots of what is selected, and tasks of roots that are. */
static void select_family(void)
{
	bool *was = must(calloc(nrows + 1, sizeof(*was)));

	for (size_t i = 0; i < nrows; i++)
		was[i] = rows[i]->is_selected;
	for (size_t i = 0; i < nrows; i++)
		for (struct row *r = rows[i]->root; was[i] && r && !r->is_selected; r = r->root)
			r->is_selected = true;
	for (size_t i = 0; i < nrows; i++)
		if (was[i] && rows[i]->is_root)
			select_tasks(rows[i]);
	free(was);
}

static void select_descent(void)
{
	bool changed = true;

	while (changed) {
		changed = false;
		for (size_t i = 0; i < nrows; i++) {
			struct row *r = rows[i];
			const struct row *parent = row_of(r->ppid, r->ppid);

			/* Of ordinary processes, one row is enough. */
			if (r->is_selected || !parent || !parent->is_selected ||
			    (!r->is_pip && r->tid != r->pid))
				continue;
			r->is_selected = changed = true;
		}
	}
}

void rows_select(void)
{
	bool found = false;

	for (size_t i = 0; i < nrows; i++)
		found |= rows[i]->is_selected = is_wanted(rows[i]);
	if (!found)
		die("PIPS: no PiP task found\n");
	if (options.family)
		select_family();
	if (options.descent)
		select_descent();
}

static void family_walk(struct row *root, void (*function)(struct row *))
{
	function(root);
	root->is_printed = true;
	for (size_t i = 0; i < nrows; i++)
		if (rows[i]->root == root && !rows[i]->is_printed)
			family_walk(rows[i], function);
}

void rows_walk(void (*function)(struct row *))
{
	for (size_t i = 0; i < nrows; i++)
		rows[i]->is_printed = !rows[i]->is_selected;
	for (size_t i = 0; options.family && i < nrows; i++) {
		struct row *r = rows[i];

		/* A root that is a task itself is printed with its root. */
		if (!r->is_printed && r->is_root && (!r->root || r->root->is_printed))
			family_walk(r, function);
	}
	for (size_t i = 0; i < nrows; i++)
		if (!rows[i]->is_printed)
			function(rows[i]);
}
