/* say.c - messages of code that has no libc.  Entry functions: say_begin() to say_write(). */
#include "embryo/say.h"

#include <pip/pip.h>

#include "base/str.h"

#define PATH_MOST 256

void say_put(struct say *s, const char *text)
{
	s->n += str_copy(s->buf + s->n, text, sizeof(s->buf) - 1 - s->n);
}

void say_path(struct say *s, const char *path)
{
	size_t len = str_len(path);

	if (len > PATH_MOST)
		say_put(s, "...");
	say_put(s, len > PATH_MOST ? path + len - PATH_MOST : path);
}

void say_decimal(struct say *s, long v)
{
	char digits[24];

	if (v < 0)
		say_put(s, "-");
	str_decimal(digits, v < 0 ? -(unsigned long)v : (unsigned long)v);
	say_put(s, digits);
}

static void put_owner(struct say *s, const struct task *t)
{
	if (t->root_slot == t->slot) {
		say_put(s, "R");
	} else {
		say_put(s, "T");
		say_decimal(s, t->pipid);
	}
}

void say_begin(struct say *s, const char *level, const struct task *t)
{
	s->n = 0;
	say_put(s, level);
	say_put(s, "[");
	say_decimal(s, sys_gettid());
	if (t) {
		say_put(s, "(");
		put_owner(s, t);
		say_put(s, "):");
		put_owner(s, t);
	}
	say_put(s, "] ");
}

void say_end(struct say *s)
{
	s->buf[s->n++] = '\n';
	s->buf[s->n] = '\0';
}

void say_write(const struct say *s)
{
	sys_write(2, s->buf, s->n);
}
