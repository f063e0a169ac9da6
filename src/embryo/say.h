/* say.h - messages of code that has no libc.  Freestanding. */
#ifndef EMBRYO_SAY_H
#define EMBRYO_SAY_H

#include "task.h"

/* One line; what is too long for it is cut off. */
struct say {
	size_t n;
	char buf[512];
};

/* Begins it with the level ("PiP-INFO"), who says it and about which task; t may be NULL. */
void say_begin(struct say *s, const char *level, const struct task *t);

void say_put(struct say *s, const char *text);
void say_path(struct say *s, const char *path); /* or the end of a long one */
void say_decimal(struct say *s, long v);

/* Ends the line; buf is a string then. */
void say_end(struct say *s);
void say_write(const struct say *s); /* to stderr */

#endif
