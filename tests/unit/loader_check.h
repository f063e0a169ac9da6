/*
 * loader_check.h - what src/loader/elf.h and stack.h promise, as functions: elf_check() for what
 * was accepted, stack_check() for what was drawn.  Each returns NULL, or what is not as promised.
 * For the unit tests and the fuzzers; written without the helpers that it is to check.
 */
#ifndef TESTS_LOADER_CHECK_H
#define TESTS_LOADER_CHECK_H

#include <elf.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "loader/elf.h"
#include "loader/stack.h"

#define CHECK(cond)                                                                                \
	do {                                                                                       \
		if (!(cond))                                                                       \
			return #cond;                                                              \
	} while (0)

typedef unsigned __int128 wide; /* sums of two uint64_t that cannot wrap */

static inline bool check_range(uint64_t off, uint64_t len, uint64_t total)
{
	return (wide)off + len <= total;
}

/* out: what elf_parse_header() and elf_parse_segments() have accepted. */
static inline const char *elf_check(const struct elf_info *out, uint64_t file_size,
				    uint64_t page_size)
{
	bool entry_found = false, phdr_found = false;
	wide prev_end = 0;
	uint64_t end = 0;

	CHECK(out->phnum > 0 && out->phnum * sizeof(Elf64_Phdr) <= 65536);
	CHECK(out->phoff > 0 && out->phoff <= INT64_MAX);
	CHECK(check_range(out->phoff, out->phnum * sizeof(Elf64_Phdr), file_size));
	CHECK(out->nload > 0 && out->nload <= ELF_LOADS_MAX);
	CHECK(out->align >= page_size && out->align <= ELF_ALIGN_MAX);
	CHECK((out->align & (out->align - 1)) == 0);
	CHECK(out->span_start % out->align == 0 && out->span_len % page_size == 0);
	CHECK(out->span_len > 0 && out->span_len <= ELF_SPAN_MAX);
	CHECK(check_range(out->span_start, out->span_len, UINT64_MAX));

	for (unsigned i = 0; i < out->nload; i++) {
		const struct elf_load *l = &out->load[i];

		CHECK(l->memsz > 0 && l->filesz <= l->memsz);
		CHECK(l->vaddr >= prev_end);
		prev_end = (wide)l->vaddr + l->memsz;
		CHECK(l->vaddr >= out->span_start);
		CHECK(prev_end <= (wide)out->span_start + out->span_len);
		CHECK(l->vaddr % page_size == l->offset % page_size);
		CHECK(l->filesz == 0 || check_range(l->offset, l->filesz, file_size));
		end = l->vaddr + l->memsz;
		if ((l->flags & PF_X) && out->entry >= l->vaddr && out->entry < end)
			entry_found = true;
		if (out->phdr_vaddr >= l->vaddr &&
		    (wide)out->phdr_vaddr + out->phnum * sizeof(Elf64_Phdr) <= l->vaddr + l->filesz)
			phdr_found = true;
	}
	CHECK(entry_found);
	CHECK(out->phdr_vaddr == 0 || phdr_found);
	CHECK(out->load[0].vaddr - out->span_start < out->align);
	CHECK(out->span_start + out->span_len - end < page_size);

	CHECK(out->interp_len != 1 && out->interp_len <= ELF_INTERP_MAX);
	CHECK(check_range(out->interp_off, out->interp_len, file_size));
	CHECK(out->dyn_len <= ELF_DYNAMIC_MAX);
	CHECK(check_range(out->dyn_off, out->dyn_len, file_size));
	CHECK(out->tls_memsz <= ELF_SPAN_MAX);
	CHECK(out->tls_memsz == 0 || out->tls_align > 0);
	CHECK((out->tls_align & (out->tls_align - 1)) == 0);
	return NULL;
}

/* A picture that was drawn at buf for address at, and how far the check has come in it. */
struct stack_view {
	const unsigned char *buf;
	uintptr_t at;
	const struct stack_out *out;
	uintptr_t next; /* the address of the next word */
};

static inline uint64_t view_word(struct stack_view *view)
{
	uint64_t word;

	memcpy(&word, view->buf + (view->next - view->at), sizeof(word));
	view->next += sizeof(word);
	return word;
}

/* Are the len bytes at addr, which have to be among the strings, those at want? */
static inline bool view_equal(const struct stack_view *view, uint64_t addr, const void *want,
			      size_t len)
{
	return addr >= view->out->strings_start && (wide)addr + len <= view->out->strings_end &&
	       memcmp(view->buf + (addr - view->at), want, len) == 0;
}

static inline bool view_string(const struct stack_view *view, uint64_t addr, const char *want)
{
	return view_equal(view, addr, want, strlen(want) + 1);
}

/* out: what stack_build() has made of spec in the len bytes at buf. */
static inline const char *stack_check(const struct stack_spec *spec, const void *buf, size_t len,
				      uintptr_t at, const struct stack_out *out)
{
	struct stack_view view = { .buf = buf, .at = at, .out = out, .next = out->sp };
	bool subst = spec->env_subst_index != STACK_NO_SUBST;
	uintptr_t block = 0; /* the end of the last argv or envv string: they are one piece */
	size_t argc = 0, envc = 0;
	uint64_t word;

	while (spec->argv[argc])
		argc++;
	while (spec->envv && spec->envv[envc])
		envc++;

	CHECK(out->sp % STACK_ALIGN == 0);
	CHECK(out->sp >= at && out->sp <= at + len);
	CHECK(out->strings_end <= at + len && at + len - out->strings_end < STACK_ALIGN);

	CHECK(out->argc == argc);
	CHECK(view_word(&view) == argc);
	CHECK(view.next == out->argv);
	for (size_t i = 0; i < argc; i++) {
		word = view_word(&view);
		CHECK(view_string(&view, word, spec->argv[i]));
		CHECK(block == 0 || block == word);
		block = word + strlen(spec->argv[i]) + 1;
	}
	CHECK(view_word(&view) == 0);

	CHECK(view.next == out->envp);
	for (size_t i = 0; i < envc; i++) {
		word = view_word(&view);
		if (i == spec->env_subst_index) {
			CHECK(view_string(&view, word, spec->env_subst));
			word = out->env_original;
		}
		CHECK(view_string(&view, word, spec->envv[i]));
		CHECK(block == 0 || block == word);
		block = word + strlen(spec->envv[i]) + 1;
	}
	if (subst && spec->env_subst_index == envc) {
		CHECK(view_string(&view, view_word(&view), spec->env_subst));
		envc++;
	}
	CHECK(out->envc == envc);
	CHECK(view_word(&view) == 0);
	CHECK(!out->env_original ==
	      (!subst || (spec->envv ? !spec->envv[spec->env_subst_index] : 1)));

	CHECK(view.next == out->auxv);
	for (size_t i = 0; i < spec->naux; i++) {
		const struct stack_aux *aux = &spec->aux[i];

		CHECK(view_word(&view) == aux->type);
		word = view_word(&view);
		if (aux->value == 0 && aux->type == AT_RANDOM)
			CHECK(view_equal(&view, word, spec->random, STACK_RANDOM_LEN));
		else if (aux->value == 0 && aux->type == AT_EXECFN)
			CHECK(view_string(&view, word, spec->execfn));
		else if (aux->value == 0 && aux->type == AT_PLATFORM && spec->platform)
			CHECK(view_string(&view, word, spec->platform));
		else
			CHECK(word == aux->value);
	}
	CHECK(view_word(&view) == AT_NULL);
	CHECK(view_word(&view) == 0);

	CHECK(out->strings_start >= view.next && out->strings_start - view.next < STACK_ALIGN);
	while (view.next < out->strings_start)
		CHECK(view.buf[view.next++ - at] == 0);
	return NULL;
}

#undef CHECK
#endif
