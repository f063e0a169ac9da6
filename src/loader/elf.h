/*
 * elf.h - what the loader wants to know about a program file, checked.
 *
 * The file's bytes come from anywhere and may be hostile: whatever these functions accept can be
 * used in offset and address arithmetic without a second look, as far as the comments say.
 * Pure: no libc, no system call, no state; safe to call between clone and the program's entry.
 *
 * Use: elf_parse_header() on the first bytes of the file, elf_parse_segments() on the phnum
 * program headers read from phoff, then, if wanted, elf_dynamic_is_pie() on the dynamic section.
 */
#ifndef LOADER_ELF_H
#define LOADER_ELF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ELF_LOADS_MAX 32
#define ELF_ALIGN_MAX (UINT64_C(1) << 30) /* the largest huge page there is to align for */
#define ELF_SPAN_MAX (UINT64_C(1) << 46)  /* half of the smallest user address space we run in */
#define ELF_INTERP_MAX 4096               /* PATH_MAX, the kernel's limit for PT_INTERP */
#define ELF_DYNAMIC_MAX (UINT64_C(1) << 20)

/*
 * One PT_LOAD that is not empty.  vaddr + memsz does not wrap, filesz <= memsz, the filesz bytes
 * at offset are inside the file, vaddr and offset are congruent modulo the page size.  If filesz
 * is 0, offset means nothing: it may lie beyond the file's end.
 */
struct elf_load {
	uint64_t vaddr, memsz, filesz, offset;
	uint32_t flags; /* PF_* */
};

struct elf_info {
	uint16_t machine;
	uint64_t entry; /* e_entry as in the file (load bias 0), in an executable load */
	uint64_t phoff;
	uint16_t phnum; /* 1 ... 64 KiB worth of headers */

	/*
	 * The cover of all loads, at most ELF_SPAN_MAX long: starts at a multiple of align, ends at
	 * the end of a page.  align is the largest p_align: a power of two, page size ...
	 * ELF_ALIGN_MAX.  So a place for the span that is a multiple of align makes the load bias
	 * (that place minus span_start) one too, as it has to be.
	 */
	uint64_t span_start, span_len;
	uint64_t align;

	/*
	 * Ascending by vaddr and without common bytes.  Two of them may share a page all the
	 * same, then the later one's mapping is the one that counts, as with the kernel: map in
	 * order, and zero what follows a load's data no further than to the page where the next
	 * one begins.
	 */
	unsigned nload;
	struct elf_load load[ELF_LOADS_MAX];

	/*
	 * PT_INTERP in the file: 2 ... ELF_INTERP_MAX bytes, or interp_len 0 for none (static PIE).
	 * Whether its last byte is the NUL that has to be there shows only when it is read.
	 */
	uint64_t interp_off, interp_len;
	uint64_t phdr_vaddr;       /* where the program headers lie in the image, 0 = not mapped */
	uint64_t dyn_off, dyn_len; /* PT_DYNAMIC in the file, at most ELF_DYNAMIC_MAX; 0 = none */
	uint64_t tls_memsz;        /* PT_TLS, 0 = none */
	uint64_t tls_align;        /* a power of two if there is a PT_TLS */
	bool stack_exec;           /* PT_GNU_STACK with PF_X; without a PT_GNU_STACK: false */
	uint64_t stack_size; /* p_memsz of PT_GNU_STACK, 0 = unset.  Any value at all: bound it */
};

/*
 * First bytes of the file -> machine, entry, phoff, phnum; everything else is cleared.
 * 0, -ELIBSCN: a script ("#!"); -EUNATCH: shorter than an ELF header; -ELIBBAD: not ELF;
 * -ELIBEXEC: not ET_DYN; -ENOEXEC: anything else that is wrong.
 */
int elf_parse_header(const void *buf, size_t len, struct elf_info *out);

/*
 * The program headers -> the rest of *out.  phdrs holds (at least) the phnum headers from phoff
 * on; it need not be aligned.  0 or -ENOEXEC, after which *out is not to be used; -EINVAL if
 * page_size is no power of two or above ELF_ALIGN_MAX.
 */
int elf_parse_segments(const void *phdrs, size_t len, uint64_t file_size, uint64_t page_size,
		       struct elf_info *out);

/* 1 if DT_FLAGS_1 has DF_1_PIE, 0 if not, -ENOEXEC if there is no DT_NULL within len bytes. */
int elf_dynamic_is_pie(const void *dyn, size_t len);

#endif
