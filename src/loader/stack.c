/*
 * stack.c - draw the stack a program finds at its entry.  Entry functions: stack_size_needed(),
 * stack_build().
 *
 * 	at + len ->	0 ... 15 bytes, left alone: only if at + len is not a multiple of 16
 * 	strings_end ->	--------
 * 			execfn
 * 			envv[envc - 1]
 * 			...
 * 			envv[0]			in execve's order, the string that is replaced too:
 * 			argv[argc - 1]		programs that write a title over their arguments
 * 			...			want to find argv and environment in one piece
 * 			argv[0]
 * 			env_subst		if there is one
 * 			platform		if there is one
 * 			16 random bytes
 * 	strings_start->	--------
 * 			0 ... 15 bytes, zero: here, so that sp and strings_end are both exact
 * 			0			the value of AT_NULL
 * 			AT_NULL
 * 			...
 * 			aux[0].value
 * 	auxv ->		aux[0].type
 * 			NULL
 * 			...
 * 	envp ->		envp[0]
 * 			NULL
 * 			...
 * 	argv ->		argv[0]
 * 	sp ->		argc			sp is a multiple of 16, as both ABIs demand
 * 			left alone
 * 	at ->		--------
 *
 * No libc.  That includes the memcpy and memset which compilers put in by themselves:
 * -ffreestanding keeps gcc from making them out of loops, but not out of structure assignments,
 * so there are none.
 */
#include <elf.h>
#include <errno.h>
#include <stdbool.h>

#include "base/span.h"
#include "base/str.h"
#include "loader/stack.h"

/* buf may have any alignment: it need not be the stack, only its picture. */
struct __attribute__((packed, may_alias)) raw_word {
	uint64_t word;
};

/* What has to be known before anything can be drawn. */
struct plan {
	size_t argc, envc;         /* envc: without an appended entry */
	bool subst, append;        /* there is an env_subst; it is an entry of its own */
	uint64_t vectors, strings; /* sizes in bytes */
};

/* Where the next string goes: its place in the picture, and the address that place will have. */
struct pen {
	unsigned char *next;
	uintptr_t at;
	size_t room;
	bool full;
};

/* A sum that no longer fits stays at UINT64_MAX, which is too big for everything that follows. */
static void count_string(const char *str, uint64_t *total)
{
	if (!span_add(*total, (uint64_t)str_len(str) + 1, total))
		*total = UINT64_MAX;
}

static size_t count_list(char *const *list, uint64_t *total)
{
	size_t n = 0;

	for (; list && list[n]; n++)
		count_string(list[n], total);
	return n;
}

static int make_plan(const struct stack_spec *spec, struct plan *plan)
{
	uint64_t lists, total;

	if (!spec->argv || !spec->execfn || !spec->random || (!spec->aux && spec->naux != 0))
		return -EINVAL;
	plan->strings = STACK_RANDOM_LEN;
	plan->argc = count_list(spec->argv, &plan->strings);
	plan->envc = count_list(spec->envv, &plan->strings);
	count_string(spec->execfn, &plan->strings);
	if (spec->platform)
		count_string(spec->platform, &plan->strings);

	plan->subst = spec->env_subst_index != STACK_NO_SUBST;
	plan->append = plan->subst && spec->env_subst_index == plan->envc;
	if (plan->subst) {
		if (!spec->env_subst || spec->env_subst_index > plan->envc)
			return -EINVAL;
		count_string(spec->env_subst, &plan->strings);
	}

	/*
	 * argc, two NULLs and AT_NULL's pair make 5 words more than the lists have.  The lists have
	 * been walked, so they are no longer than memory; naux is only a number.
	 */
	lists = (plan->argc + plan->envc + plan->append + 5) * sizeof(struct raw_word);
	if (spec->naux > SIZE_MAX / sizeof(struct stack_aux) ||
	    !span_add(lists, spec->naux * sizeof(struct stack_aux), &plan->vectors) ||
	    !span_add(plan->vectors, plan->strings, &total) || total > INT64_MAX - STACK_ALIGN)
		return -E2BIG;
	return 0;
}

static size_t plan_size(const struct plan *plan)
{
	/* make_plan() has seen to it that this does not wrap. */
	return span_round_down(plan->vectors + plan->strings + STACK_ALIGN - 1, STACK_ALIGN);
}

ssize_t stack_size_needed(const struct stack_spec *spec)
{
	struct plan plan;
	int rc = make_plan(spec, &plan);

	return rc < 0 ? rc : (ssize_t)plan_size(&plan);
}

static struct raw_word *put_word(struct raw_word *to, uint64_t word)
{
	to->word = word;
	return to + 1;
}

/* Returns the address of the copy. */
static uintptr_t put_bytes(struct pen *pen, const void *from, size_t len)
{
	const unsigned char *byte = from;
	uintptr_t at = pen->at;

	if (len > pen->room) {
		pen->full = true;
		return 0;
	}
	for (size_t i = 0; i < len; i++)
		pen->next[i] = byte[i];
	pen->next += len;
	pen->at += len;
	pen->room -= len;
	return at;
}

/* A string that another thread has made longer since it was counted must not go over the end. */
static uintptr_t put_string(struct pen *pen, const char *str)
{
	return put_bytes(pen, str, str_len(str) + 1);
}

int stack_build(void *buf, size_t len, uintptr_t at, const struct stack_spec *spec,
		struct stack_out *out)
{
	size_t room = span_round_down(len, STACK_ALIGN), size;
	uintptr_t random, execfn, platform = 0, subst = 0;
	struct raw_word *word;
	unsigned char *strings;
	struct plan plan;
	struct pen pen;
	uint64_t end;
	int rc;

	rc = make_plan(spec, &plan);
	if (rc < 0)
		return rc;
	if (at % STACK_ALIGN != 0 || !span_add(at, len, &end))
		return -EINVAL;
	size = plan_size(&plan);
	if (size > room)
		return -E2BIG;

	out->argc = plan.argc;
	out->envc = plan.envc + plan.append;
	out->sp = at + room - size;
	out->argv = out->sp + sizeof(*word);
	out->envp = out->argv + (out->argc + 1) * sizeof(*word);
	out->auxv = out->envp + (out->envc + 1) * sizeof(*word);
	out->strings_end = at + room;
	out->strings_start = out->strings_end - plan.strings;
	out->env_original = 0;

	word = (struct raw_word *)((unsigned char *)buf + room - size);
	strings = (unsigned char *)buf + room - plan.strings;
	pen.next = strings;
	pen.at = out->strings_start;
	pen.room = plan.strings;
	pen.full = false;

	random = put_bytes(&pen, spec->random, STACK_RANDOM_LEN);
	if (spec->platform)
		platform = put_string(&pen, spec->platform);
	if (plan.subst)
		subst = put_string(&pen, spec->env_subst);

	word = put_word(word, out->argc);
	for (size_t i = 0; i < plan.argc; i++)
		word = put_word(word, put_string(&pen, spec->argv[i]));
	word = put_word(word, 0);

	for (size_t i = 0; i < plan.envc; i++) {
		uintptr_t copy = put_string(&pen, spec->envv[i]);

		if (i == spec->env_subst_index) {
			out->env_original = copy;
			copy = subst;
		}
		word = put_word(word, copy);
	}
	if (plan.append)
		word = put_word(word, subst);
	word = put_word(word, 0);

	execfn = put_string(&pen, spec->execfn);
	for (size_t i = 0; i < spec->naux; i++) {
		uint64_t type = spec->aux[i].type, value = spec->aux[i].value;

		if (value == 0 && type == AT_RANDOM)
			value = random;
		else if (value == 0 && type == AT_EXECFN)
			value = execfn;
		else if (value == 0 && type == AT_PLATFORM)
			value = platform;
		word = put_word(word, type);
		word = put_word(word, value);
	}
	word = put_word(word, AT_NULL);
	word = put_word(word, 0);

	for (unsigned char *gap = (unsigned char *)word; gap < strings; gap++)
		*gap = 0;
	return pen.full ? -E2BIG : 0;
}
