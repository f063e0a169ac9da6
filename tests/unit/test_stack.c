/*
 * test_stack.c - stack_size_needed() and stack_build(): what was asked for is read back by
 * stack_check(), from a stack that is drawn for another address than it is drawn at.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "loader_check.h"

#define AT UINT64_C(0x7fff12340000)
#define UNTOUCHED 0xa5
#define COUNT 20000 /* of entries in a large list */

static char *argv_some[] = { "prog", "", "-x", "a longer argument", NULL };
static char *envv_some[] = { "HOME=/", "PATH=/bin:/usr/bin", "LD_PRELOAD=libold.so", "E=", NULL };
static char *none[] = { NULL };
static const unsigned char random_bytes[STACK_RANDOM_LEN] = "0123456789abcde";
static const struct stack_aux aux_some[] = {
	{ AT_PHDR, 0x555500000040 }, { AT_PAGESZ, 4096 }, { AT_RANDOM, 0 },   { AT_EXECFN, 0 },
	{ AT_PLATFORM, 0 },          { AT_SECURE, 0 },    { 0x50695000, AT },
};

static struct stack_spec some(void)
{
	return (struct stack_spec){
		.argv = argv_some,
		.envv = envv_some,
		.aux = aux_some,
		.naux = sizeof(aux_some) / sizeof(*aux_some),
		.execfn = "/usr/bin/prog",
		.platform = "x86_64",
		.random = random_bytes,
		.env_subst_index = STACK_NO_SUBST,
	};
}

/* Draws spec on a stack of len bytes, at an odd place, and reads it back. */
static int draw(const struct stack_spec *spec, size_t len, struct stack_out *out)
{
	unsigned char *exact = malloc(len + 1), *buf = exact + 1;
	const char *broken;
	int rc;

	assert_non_null(exact);
	memset(exact, UNTOUCHED, len + 1);
	rc = stack_build(buf, len, AT, spec, out);
	if (rc == 0) {
		broken = stack_check(spec, buf, len, AT, out);
		if (broken)
			fail_msg("%zu bytes, not: %s", len, broken);
		len = out->sp - AT;
	}
	for (size_t i = 0; i < len + 1; i++)
		assert_int_equal(exact[i], UNTOUCHED);
	free(exact);
	return rc;
}

/* In exactly the room it needs, in more, and not in less. */
static void draw_exact(const struct stack_spec *spec, struct stack_out *out)
{
	ssize_t need = stack_size_needed(spec);

	assert_true(need > 0);
	assert_int_equal(need % STACK_ALIGN, 0);
	assert_int_equal(draw(spec, (size_t)need - 1, out), -E2BIG);
	assert_int_equal(draw(spec, 0, out), -E2BIG);
	assert_int_equal(draw(spec, (size_t)need + 1, out), 0);
	assert_int_equal(draw(spec, (size_t)need + 4096, out), 0);
	assert_int_equal(draw(spec, (size_t)need, out), 0);
	assert_int_equal(out->sp, AT);
	assert_int_equal(out->strings_end, AT + (size_t)need);
}

static void round_trip(void **state)
{
	struct stack_spec spec = some();
	struct stack_out out;

	(void)state;
	draw_exact(&spec, &out);
	assert_int_equal(out.argc, 4);
	assert_int_equal(out.envc, 4);
	assert_int_equal(out.env_original, 0);
	assert_int_equal(out.argv, out.sp + 8);
	assert_int_equal(out.envp, out.argv + 5 * 8);
	assert_int_equal(out.auxv, out.envp + 5 * 8);
}

/* As a program reads it: drawn where it will be, so that its pointers can be followed. */
static void in_place(void **state)
{
	struct stack_spec spec = some();
	struct stack_out out;
	size_t len = (size_t)stack_size_needed(&spec);
	void *stack = aligned_alloc(STACK_ALIGN, len);
	uintptr_t *words;
	char **argv;

	(void)state;
	assert_non_null(stack);
	assert_int_equal(stack_build(stack, len, (uintptr_t)stack, &spec, &out), 0);
	words = (uintptr_t *)out.sp;
	argv = (char **)(words + 1);
	assert_int_equal(words[0], 4);
	assert_string_equal(argv[3], "a longer argument");
	assert_null(argv[4]);
	assert_string_equal(argv[5], "HOME=/");
	assert_string_equal(argv[8], "E=");
	assert_null(argv[9]);
	assert_int_equal(words[11], AT_PHDR);
	free(stack);
}

static void minimal(void **state)
{
	struct stack_spec spec = {
		.argv = none,
		.execfn = "",
		.random = random_bytes,
		.env_subst_index = STACK_NO_SUBST,
	};
	struct stack_out out;

	(void)state;
	draw_exact(&spec, &out);
	assert_int_equal(out.argc, 0);
	assert_int_equal(out.envc, 0);
	spec.envv = none;
	draw_exact(&spec, &out);
}

/* Every remainder of the size of the strings and of the vectors, on a stack of every remainder. */
static void alignment(void **state)
{
	char arg[40], *argv[5] = { arg };

	(void)state;
	for (size_t nargs = 1; nargs < 5; nargs++) {
		argv[nargs - 1] = arg;
		for (size_t len = 0; len < sizeof(arg); len++) {
			struct stack_spec spec = some();
			struct stack_out out;

			memset(arg, 'a', len);
			arg[len] = '\0';
			spec.argv = argv;
			draw_exact(&spec, &out);
			for (size_t more = 0; more < 3 * STACK_ALIGN; more++)
				assert_int_equal(draw(&spec, 1024 + more, &out), 0);
		}
	}
}

static void substitute(void **state)
{
	static const char *const texts[] = { "", "LD_PRELOAD=libours.so:libold.so" };

	(void)state;
	for (size_t t = 0; t < sizeof(texts) / sizeof(*texts); t++) {
		for (size_t i = 0; i < 4; i++) {
			struct stack_spec spec = some();
			struct stack_out out;

			spec.env_subst_index = i;
			spec.env_subst = texts[t];
			draw_exact(&spec, &out);
			assert_int_equal(out.envc, 4);
			assert_int_not_equal(out.env_original, 0);
		}
	}
}

static void append(void **state)
{
	struct stack_spec spec = some();
	struct stack_out out;

	(void)state;
	spec.env_subst = "LD_PRELOAD=libours.so";
	spec.env_subst_index = 4;
	draw_exact(&spec, &out);
	assert_int_equal(out.envc, 5);
	assert_int_equal(out.env_original, 0);

	spec.env_subst_index = 0;
	spec.envv = none;
	draw_exact(&spec, &out);
	assert_int_equal(out.envc, 1);
	spec.envv = NULL;
	draw_exact(&spec, &out);
	assert_int_equal(out.envc, 1);
	assert_int_equal(out.env_original, 0);
}

/* Put back what was replaced, and the vectors are as if nothing had ever been. */
static void no_trace(void **state)
{
	struct stack_spec spec = some();
	struct stack_out out;
	size_t len = 4096;
	char *stack = aligned_alloc(STACK_ALIGN, len), **envp;

	(void)state;
	assert_non_null(stack);
	spec.env_subst_index = 2;
	spec.env_subst = "LD_PRELOAD=libours.so";
	assert_int_equal(stack_build(stack, len, (uintptr_t)stack, &spec, &out), 0);
	envp = (char **)out.envp;
	assert_string_equal(envp[2], "LD_PRELOAD=libours.so");
	envp[2] = (char *)out.env_original;
	spec.env_subst_index = STACK_NO_SUBST;
	out.env_original = 0;
	assert_null(stack_check(&spec, stack, len, (uintptr_t)stack, &out));
	free(stack);
}

/* An address that the caller has given stays; one without a string to point to is 0. */
static void aux_values(void **state)
{
	static const struct stack_aux aux[] = {
		{ AT_RANDOM, 1 }, { AT_EXECFN, 2 }, { AT_PLATFORM, 3 }, { AT_PLATFORM, 0 },
		{ AT_BASE, 0 },   { AT_RANDOM, 0 }, { AT_RANDOM, 0 },
	};
	struct stack_spec spec = some();
	struct stack_out out;

	(void)state;
	spec.aux = aux;
	spec.naux = sizeof(aux) / sizeof(*aux);
	spec.platform = NULL;
	draw_exact(&spec, &out);
	spec.aux = NULL;
	spec.naux = 0;
	draw_exact(&spec, &out);
}

static void many(void **state)
{
	static char text[COUNT][16], *list[COUNT + 1];
	struct stack_spec spec = some();
	struct stack_out out;

	(void)state;
	for (size_t i = 0; i < COUNT; i++) {
		snprintf(text[i], sizeof(text[i]), "V%zu=%zu", i, i * i % 1000);
		list[i] = text[i];
	}
	spec.argv = spec.envv = list;
	spec.env_subst_index = COUNT - 1;
	spec.env_subst = "V=";
	draw_exact(&spec, &out);
}

/* Up to the largest size there is, and then no more: never one that has wrapped. */
static void limit(void **state)
{
	char arg[STACK_ALIGN + 1] = "", *argv[] = { arg, NULL };
	struct stack_spec spec = some();
	size_t vectors = (1 + 2 + 5 + 2) * sizeof(uint64_t); /* argc, argv, envp, AT_NULL */
	size_t strings;

	(void)state;
	spec.argv = argv;
	for (size_t len = 0; len < STACK_ALIGN; len++) {
		memset(arg, 'a', len);
		strings = STACK_RANDOM_LEN + len + 1 + sizeof("x86_64") + sizeof("/usr/bin/prog");
		for (size_t i = 0; envv_some[i]; i++)
			strings += strlen(envv_some[i]) + 1;
		for (size_t less = 0; less < 64; less++) {
			ssize_t need;
			wide total;

			spec.naux = SSIZE_MAX / sizeof(struct stack_aux) - less;
			total = (wide)spec.naux * sizeof(struct stack_aux) + vectors + strings;
			need = stack_size_needed(&spec);
			if (total <= SSIZE_MAX - STACK_ALIGN)
				assert_int_equal(need, (total + STACK_ALIGN - 1) / STACK_ALIGN *
							       STACK_ALIGN);
			else
				assert_int_equal(need, -E2BIG);
		}
	}
}

static void refused(const struct stack_spec *spec, int error)
{
	unsigned char buf[4096];
	struct stack_out out;

	assert_int_equal(stack_size_needed(spec), error);
	assert_int_equal(stack_build(buf, sizeof(buf), AT, spec, &out), error);
}

static void bad_spec(void **state)
{
	struct stack_spec spec;

	(void)state;
	spec = some();
	spec.argv = NULL;
	refused(&spec, -EINVAL);
	spec = some();
	spec.execfn = NULL;
	refused(&spec, -EINVAL);
	spec = some();
	spec.random = NULL;
	refused(&spec, -EINVAL);
	spec = some();
	spec.aux = NULL;
	refused(&spec, -EINVAL);
	spec = some();
	spec.env_subst_index = 4;
	refused(&spec, -EINVAL);
	spec.env_subst = "A=";
	spec.env_subst_index = 5;
	refused(&spec, -EINVAL);
	spec.env_subst_index = STACK_NO_SUBST - 1;
	refused(&spec, -EINVAL);
	spec = some();
	spec.naux = SIZE_MAX;
	refused(&spec, -E2BIG);
	spec.naux = SIZE_MAX / sizeof(struct stack_aux);
	refused(&spec, -E2BIG);
	spec.naux = SSIZE_MAX / sizeof(struct stack_aux);
	refused(&spec, -E2BIG);
}

/* A string that has become longer since it was counted is cut off at the end of its room. */
static void string_grows(void **state)
{
	unsigned char buf[4096 + STACK_ALIGN] = { 0 }, *guard = buf + 4096;
	struct stack_spec spec = some();
	struct stack_out out;

	(void)state;
	memset(guard, UNTOUCHED, STACK_ALIGN);
	spec.execfn = "";
	assert_int_equal(stack_build(buf, 4096, AT, &spec, &out), 0);

	/* An empty one that lies where the random bytes are drawn: by then it is not empty. */
	spec.execfn = (char *)buf + (out.strings_start - AT);
	buf[out.strings_start - AT] = '\0';
	assert_int_equal(stack_build(buf, 4096, AT, &spec, &out), -E2BIG);
	for (size_t i = 0; i < STACK_ALIGN; i++)
		assert_int_equal(guard[i], UNTOUCHED);
}

static void bad_place(void **state)
{
	unsigned char buf[4096];
	struct stack_spec spec = some();
	struct stack_out out;

	(void)state;
	for (uintptr_t off = 1; off < STACK_ALIGN; off++)
		assert_int_equal(stack_build(buf, sizeof(buf), AT + off, &spec, &out), -EINVAL);
	assert_int_equal(stack_build(buf, sizeof(buf), UINTPTR_MAX - 4079, &spec, &out), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(round_trip),   cmocka_unit_test(in_place),
		cmocka_unit_test(minimal),      cmocka_unit_test(alignment),
		cmocka_unit_test(substitute),   cmocka_unit_test(append),
		cmocka_unit_test(no_trace),     cmocka_unit_test(aux_values),
		cmocka_unit_test(many),         cmocka_unit_test(bad_spec),
		cmocka_unit_test(bad_place),    cmocka_unit_test(limit),
		cmocka_unit_test(string_grows),
	};

	return cmocka_run_group_tests_name("stack", tests, NULL, NULL);
}
