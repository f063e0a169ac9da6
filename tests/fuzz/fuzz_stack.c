/*
 * fuzz_stack.c - the input is a recipe for a stack: eight bytes of choices, then the strings, each
 * with its NUL, then bytes for the auxiliary vector.  What is drawn is read back.
 * Entry function: LLVMFuzzerTestOneInput(), called by libFuzzer or by replay.c.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "loader_check.h"

#define AT UINT64_C(0x7fff12340000)
#define LIST_MAX 64
#define AUX_MAX 48

/* The choices, byte by byte. */
enum {
	ARGC,
	ENVC,
	NAUX,
	SUBST,
	FLAGS,
	SPACE,
	RANDOM,
	CHOICES = 8
};
enum {
	NO_ENV = 1,
	NO_PLATFORM = 2,
	SUBST_WANTED = 4,
	LOWER = 8,
	HIGHER = 16
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
	const uint8_t *next;
	size_t left;
};

/* The next string of the input; "" when there is none left. */
static char *take_string(struct input *in)
{
	const uint8_t *end = in->left ? memchr(in->next, '\0', in->left) : NULL;
	char *str = (char *)in->next;

	if (!end)
		return "";
	in->left -= (size_t)(end + 1 - in->next);
	in->next = end + 1;
	return str;
}

static uint8_t take_byte(struct input *in)
{
	if (in->left == 0)
		return 0;
	in->left--;
	return *in->next++;
}

static void take_list(struct input *in, char **list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		list[i] = take_string(in);
	list[count] = NULL;
}

static void demand(bool holds, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "not: %s\n", what);
	abort();
}

/* Draws on len bytes; room says whether that is enough. */
static void draw(const struct stack_spec *spec, size_t len, bool room)
{
	unsigned char *buf = malloc(len ? len : 1);
	struct stack_out out;
	const char *broken;
	int rc;

	if (!buf)
		abort();
	rc = stack_build(buf, len, AT, spec, &out);
	demand((rc == 0) == room, "stack_build() agrees with stack_size_needed()");
	if (rc == 0) {
		broken = stack_check(spec, buf, len, AT, &out);
		demand(!broken, broken);
	}
	free(buf);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *argv[LIST_MAX + 1], *envv[LIST_MAX + 1];
	struct stack_aux aux[AUX_MAX];
	unsigned char random[STACK_RANDOM_LEN];
	struct stack_spec spec = { .argv = argv, .envv = envv, .aux = aux, .random = random };
	struct input in;
	size_t envc;
	ssize_t need;

	if (size < CHOICES)
		return 0;
	in.next = data + CHOICES;
	in.left = size - CHOICES;
	memset(random, data[RANDOM], sizeof(random));
	take_list(&in, argv, data[ARGC] % (LIST_MAX + 1));
	envc = data[ENVC] % (LIST_MAX + 1);
	take_list(&in, envv, envc);
	if (data[FLAGS] & NO_ENV) {
		spec.envv = NULL;
		envc = 0;
	}
	spec.execfn = take_string(&in);
	if (!(data[FLAGS] & NO_PLATFORM))
		spec.platform = take_string(&in);
	spec.env_subst_index = STACK_NO_SUBST;
	if (data[FLAGS] & SUBST_WANTED) {
		spec.env_subst = take_string(&in);
		spec.env_subst_index = data[SUBST];
	}
	spec.naux = data[NAUX] % (AUX_MAX + 1);
	for (size_t i = 0; i < spec.naux; i++) {
		aux[i].type = take_byte(&in);
		aux[i].value = take_byte(&in);
	}

	need = stack_size_needed(&spec);
	if ((data[FLAGS] & SUBST_WANTED) && data[SUBST] > envc) {
		demand(need < 0, "an index beyond the environment is refused");
		draw(&spec, 65536, false);
		return 0;
	}
	demand(need > 0 && need % STACK_ALIGN == 0, "stack_size_needed() returns a size");
	draw(&spec, (size_t)need, true);
	if (data[FLAGS] & HIGHER)
		draw(&spec, (size_t)need + data[SPACE], true);
	if (data[FLAGS] & LOWER)
		draw(&spec, (size_t)need - 1 - data[SPACE] % (size_t)need, false);
	return 0;
}
