/* json.c - all that is known of the selected rows.  Entry function: json_print(). */
#include <inttypes.h>
#include <string.h>

#include <pip/pip.h>

#include "pips/pips.h"

/* The length of the UTF-8 character at s, 0 if there is none. */
static size_t utf8_length(const unsigned char *s)
{
	size_t n = s[0] < 0x80                    ? 1
		   : s[0] >= 0xc2 && s[0] <= 0xdf ? 2
		   : (s[0] & 0xf0) == 0xe0        ? 3
		   : s[0] >= 0xf0 && s[0] <= 0xf4 ? 4
						  : 0;

	for (size_t i = 1; i < n; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	/* Longer than need be, a surrogate, or beyond the last character. */
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
	    (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
		return 0;
	return n;
}

static void json_string(const char *text)
{
	const unsigned char *s = (const unsigned char *)text;

	put("\"");
	while (*s) {
		size_t n = utf8_length(s);

		if (n == 0)
			put("\\ufffd");
		else if (*s == '"' || *s == '\\')
			put("\\%c", *s);
		else if (*s < 0x20 || *s == 0x7f)
			put("\\u%04x", *s);
		else
			put("%.*s", (int)n, (const char *)s);
		s += n ? n : 1;
	}
	put("\"");
}

static const char *mode_name(char letter)
{
	switch (letter) {
	case 'L':
		return PIP_ENV_MODE_PROCESS_PRELOAD;
	case 'C':
		return PIP_ENV_MODE_PROCESS_PIPCLONE;
	case 'G':
		return PIP_ENV_MODE_PROCESS_GOT;
	case 'T':
		return PIP_ENV_MODE_PTHREAD;
	default:
		return NULL;
	}
}

static void json_field(const char *name, const char *value)
{
	put(",\n    \"%s\": ", name);
	if (value)
		json_string(value);
	else
		put("null");
}

static void json_program(const struct row *r)
{
	const struct program *p = r->program;

	if (p && p->is_task)
		put(",\n    \"pipid\": %d", p->pipid);
	else
		put(",\n    \"pipid\": null");
	put(",\n    \"root\": ");
	if (r->root)
		put("%d", r->root->pid);
	else
		put("null");
	json_field("mode", mode_name(r->who[1]));
	json_field("program", p && p->path[0] ? p->path : NULL);
	json_field("state", !p ? NULL : p->is_ended || is_zombie(r) ? "ended" : "live");
	json_field("started_by", !p || !p->is_task ? NULL
				 : p->is_launched  ? "launcher"
						   : "pip_spawn");
	put(",\n    \"memory\": ");
	if (p && p->has_memory)
		put("{ \"mapped\": %" PRIu64 ", \"resident\": %" PRIu64 " }", p->mapped,
		    p->resident);
	else
		put("null");
}

static bool json_begun;

static void json_row(struct row *r)
{
	put("%s\n  {\n    \"pid\": %d,\n    \"tid\": %d,\n    \"ppid\": %d", json_begun ? "," : "",
	    r->pid, r->tid, r->ppid);
	json_begun = true;
	json_field("role", !r->is_pip    ? NULL
			   : !r->is_task ? "root"
			   : r->is_root  ? "task and root"
					 : "task");
	put(",\n    \"space\": ");
	if (r->view)
		put("%" PRIu64, r->view->ino);
	else
		put("null");
	json_program(r);
	json_field("command", r->name);
	put(",\n    \"ps\": {");
	for (size_t i = 0; i < ncolumns; i++) {
		put("%s ", i ? "," : "");
		json_string(heading[i]);
		put(": ");
		json_string(r->cell[i]);
	}
	put(" }\n  }");
}

void json_print(void)
{
	for (size_t i = 0; i < spaces.n; i++)
		space_measure(spaces.view[i]);
	put("[");
	rows_walk(json_row);
	put("\n]\n");
}
