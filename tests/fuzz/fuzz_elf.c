/*
 * fuzz_elf.c - the input is the start of a program file.  It is parsed as the loader does; what is
 * accepted has to be what elf.h promises, and elf_dynamic_is_pie() has to survive any bytes.
 * Entry function: LLVMFuzzerTestOneInput(), called by libFuzzer or by replay.c.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "loader_check.h"

#define HEAD_MAX 4096 /* as much of a file as is read at first */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

extern const Elf64_Ehdr __ehdr_start __attribute__((visibility("hidden")));

static void segments(const uint8_t *data, size_t size, uint64_t file_size, uint64_t page_size,
		     struct elf_info info)
{
	const char *broken;

	if (info.phoff > size)
		return; /* nothing was read there */
	if (elf_parse_segments(data + info.phoff, size - info.phoff, file_size, page_size, &info))
		return;
	broken = elf_check(&info, file_size, page_size);
	if (broken) {
		fprintf(stderr, "accepted, but not: %s\n", broken);
		abort();
	}
	if (info.dyn_len && info.dyn_len <= size && info.dyn_off <= size - info.dyn_len)
		elf_dynamic_is_pie(data + info.dyn_off, info.dyn_len);
}

static void parse(const uint8_t *data, size_t size)
{
	struct elf_info info;

	if (elf_parse_header(data, size < HEAD_MAX ? size : HEAD_MAX, &info))
		return;
	/* As if that were all of it, as if more followed, and on a machine with large pages. */
	segments(data, size, size, 4096, info);
	segments(data, size, INT64_MAX, 4096, info);
	segments(data, size, UINT64_MAX, 65536, info);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *native;

	parse(data, size);
	elf_dynamic_is_pie(data, size);

	/* The seeds were made on one kind of machine and are to mean something on all. */
	if (size >= sizeof(Elf64_Ehdr)) {
		native = malloc(size);
		if (!native)
			abort();
		memcpy(native, data, size);
		memcpy(native + offsetof(Elf64_Ehdr, e_machine), &__ehdr_start.e_machine,
		       sizeof(__ehdr_start.e_machine));
		parse(native, size);
		free(native);
	}
	return 0;
}
