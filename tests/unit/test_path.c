/* test_path.c - path_resolve() says what realpath(3) says, or that it does not know. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/path.h"

static char dir[64]; /* with a link in it for each kind of way to file */

static void make_link(const char *target, const char *name)
{
	assert_int_equal(symlink(target, name), 0);
}

static int begin(void **state)
{
	char absolute[128];
	FILE *f;

	(void)state;
	strcpy(dir, "/tmp/test_path.XXXXXX");
	assert_non_null(mkdtemp(dir));
	assert_int_equal(chdir(dir), 0);
	assert_int_equal(mkdir("a", 0755) | mkdir("a/b", 0755), 0);
	f = fopen("a/b/file", "w");
	assert_non_null(f);
	fclose(f);
	snprintf(absolute, sizeof(absolute), "%s/a/b", dir);
	make_link(absolute, "to_b");
	make_link("a", "to_a");
	make_link("../b/file", "a/b/self");
	make_link("to_a/b/../b/self", "chain");
	make_link("loop", "loop");
	make_link("a//b///file", "slashes");
	make_link("no such file", "dangling");
	return 0;
}

static int end(void **state)
{
	static const char *const names[] = { "dangling", "slashes", "loop", "chain",
					     "a/b/self", "to_a",    "to_b", "a/b/file",
					     "a/b",      "a",       "." };

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		remove(i + 1 < sizeof(names) / sizeof(names[0]) ? names[i] : dir);
	return 0;
}

static void agree(const char *given)
{
	char want[PATH_MAX], real[PATH_MAX];

	assert_non_null(realpath(given, want));
	assert_true(path_resolve(given, real));
	assert_string_equal(real, want);
}

static void as_realpath(void **state)
{
	static const char *const names[] = {
		"a/b/file",         "./a/./b/file", "a/../a/b/../b/file",
		"to_b/file",        "to_a/b/file",  "to_b/../b/file",
		"to_a/../a/b/self", "chain",        "slashes",
		"//usr//bin/env",   "/bin/sh"
	};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char absolute[256];

		agree(names[i]);
		if (names[i][0] == '/')
			continue;
		snprintf(absolute, sizeof(absolute), "%s/%s", dir, names[i]);
		agree(absolute);
	}
	assert_int_equal(chdir("/"), 0);
	agree("usr/bin/env");
	assert_int_equal(chdir(dir), 0);
}

static void unknown(void **state)
{
	char real[PATH_MAX], *name = malloc(PATH_MAX + 10);

	(void)state;
	assert_non_null(name);
	assert_false(path_resolve("", real));
	assert_false(path_resolve("/", real)); /* no file that can be executed */
	assert_false(path_resolve("loop", real));
	assert_false(path_resolve("dangling", real));
	assert_false(path_resolve("a/nothing/file", real));
	memset(name, '/', PATH_MAX);
	strcpy(name + PATH_MAX - 4, "usr");
	agree(name); /* the longest that there can be */
	name[PATH_MAX - 1] = '/';
	strcpy(name + PATH_MAX, "usr");
	assert_false(path_resolve(name, real));
	free(name);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(as_realpath),
		cmocka_unit_test(unknown),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
