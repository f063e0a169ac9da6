/* path.c - where a file is.  Entry function: path_resolve(). */
#include "base/path.h"

#include "base/str.h"
#include "base/sys.h"

#define LINKS_MAX 40 /* Linux, MAXSYMLINKS */

/* The calling process's directory; "" for "/", so that components can be added. */
static bool start(const char *given, char real[PATH_MAX])
{
	real[0] = '\0';
	if (given[0] == '/')
		return true;
	if (sys_call(SYS_getcwd, real, PATH_MAX, 0, 0, 0, 0) < 0 || real[0] != '/')
		return false; /* "(unreachable)": it is in no directory of this process */
	if (!real[1])
		real[0] = '\0';
	return true;
}

static void drop_last(char *real)
{
	size_t n = str_len(real);

	while (n && real[n] != '/')
		n--;
	real[n] = '\0';
}

static bool add(char real[PATH_MAX], const char *name, size_t len)
{
	size_t n = str_len(real);

	if (n + 1 + len >= PATH_MAX)
		return false;
	real[n] = '/';
	str_copy(real + n + 1, name, len + 1);
	return true;
}

/* Puts the target of the link `real` before what is left of the path. */
static bool follow(char *real, const char *target, char rest[PATH_MAX], const char *left)
{
	char joined[PATH_MAX];
	size_t n = str_copy(joined, target, sizeof(joined));

	if (n + str_len(left) >= sizeof(joined))
		return false;
	str_copy(joined + n, left, sizeof(joined) - n);
	str_copy(rest, joined, PATH_MAX);
	if (target[0] == '/')
		real[0] = '\0';
	else
		drop_last(real);
	return true;
}

/* Goes on to a component of the path.  If that is a link, the length of its target. */
static ssize_t enter(char real[PATH_MAX], const char *name, size_t len, char target[PATH_MAX])
{
	ssize_t n;

	if (len == 1 && name[0] == '.')
		return 0;
	if (len == 2 && name[0] == '.' && name[1] == '.') {
		drop_last(real);
		return 0;
	}
	if (!add(real, name, len))
		return -ENAMETOOLONG;
	n = sys_readlink(real, target, PATH_MAX - 1);
	if (n > 0)
		target[n] = '\0';
	return n == -EINVAL ? 0 : n; /* it is none */
}

bool path_resolve(const char *given, char real[PATH_MAX])
{
	char rest[PATH_MAX], target[PATH_MAX], *p = rest;
	int links = 0;

	if (!given[0] || str_copy(rest, given, sizeof(rest)) != str_len(given) ||
	    !start(given, real))
		return false;
	for (;;) {
		size_t len = 0;
		ssize_t n;

		while (*p == '/')
			p++;
		while (p[len] && p[len] != '/')
			len++;
		if (len == 0)
			return real[0] != '\0';
		n = enter(real, p, len, target);
		p += len;
		if (n == 0)
			continue;
		if (n < 0 || ++links > LINKS_MAX || !follow(real, target, rest, p))
			return false;
		p = rest;
	}
}
