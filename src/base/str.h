/* str.h - the few string functions that code without libc needs. */
#ifndef BASE_STR_H
#define BASE_STR_H

#include <stdbool.h>
#include <stddef.h>

static inline size_t str_len(const char *s)
{
	size_t n = 0;

	while (s[n])
		n++;
	return n;
}

static inline bool str_equal(const char *a, const char *b)
{
	while (*a && *a == *b)
		a++, b++;
	return *a == *b;
}

static inline bool str_starts(const char *s, const char *prefix)
{
	while (*prefix)
		if (*s++ != *prefix++)
			return false;
	return true;
}

/* The part behind the last slash. */
static inline const char *str_base(const char *path)
{
	const char *base = path;

	for (; *path; path++)
		if (*path == '/')
			base = path + 1;
	return base;
}

/* Copies at most size - 1 bytes and ends with a NUL; returns the length written. */
static inline size_t str_copy(char *to, const char *from, size_t size)
{
	size_t n = 0;

	while (n + 1 < size && from[n]) {
		to[n] = from[n];
		n++;
	}
	to[n] = '\0';
	return n;
}

/* Writes v in decimal; returns the length.  buf has room for 20 digits and a NUL. */
static inline size_t str_decimal(char *buf, unsigned long v)
{
	char digits[20];
	size_t n = 0, i = 0;

	do
		digits[n++] = (char)('0' + v % 10);
	while (v /= 10);
	while (n)
		buf[i++] = digits[--n];
	buf[i] = '\0';
	return i;
}

#endif
