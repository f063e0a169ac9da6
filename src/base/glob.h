/* glob.h - shell patterns: *, ? and [...]; a slash is a character like any other. */
#ifndef BASE_GLOB_H
#define BASE_GLOB_H

#include <stdbool.h>
#include <stddef.h>

/* Does a bracket expression, p behind its '[', match c?  *next: behind its ']'. */
static inline bool glob_bracket(const char *p, const char *end, char c, const char **next)
{
	bool negated = p < end && (*p == '!' || *p == '^'), found = false;
	const char *start = p += negated;

	for (; p < end && (*p != ']' || p == start); p++) {
		if (p + 2 < end && p[1] == '-' && p[2] != ']') {
			found |= p[0] <= c && c <= p[2];
			p += 2;
		} else {
			found |= *p == c;
		}
	}
	*next = p < end ? p + 1 : NULL;
	return found != negated;
}

/* Does the pattern of len bytes match the whole of s? */
static inline bool glob_match(const char *pattern, size_t len, const char *s)
{
	const char *p = pattern, *end = pattern + len, *star = NULL, *back = s, *next;

	for (;;) {
		if (p < end && *p == '*') {
			star = p++;
			back = s;
			continue;
		}
		if (p == end && !*s)
			return true;
		if (p < end && *s) {
			if (*p == '[' && (glob_bracket(p + 1, end, *s, &next), next)) {
				if (glob_bracket(p + 1, end, *s, &next)) {
					p = next;
					s++;
					continue;
				}
			} else if (*p == '?' || *p == *s) {
				p++;
				s++;
				continue;
			}
		}
		if (!star || !*back)
			return false;
		p = star + 1;
		s = ++back;
	}
}

#endif
