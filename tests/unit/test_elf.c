/*
 * test_elf.c - elf_parse_header(), elf_parse_segments() and elf_dynamic_is_pie(): one sound file
 * made by hand, of which each test spoils one thing; and the real files of this machine.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "loader_check.h"

#define PAGE 4096
#define FILE_SIZE 0x5000
#define NPHDR_MAX 80

/* This program's own header, put here by the linker: tells what machine we are compiled for. */
extern const Elf64_Ehdr __ehdr_start __attribute__((visibility("hidden")));

struct file {
	Elf64_Ehdr eh;
	Elf64_Phdr ph[NPHDR_MAX];
	uint64_t size, page;
};

enum {
	PHDR,
	INTERP,
	RO,
	CODE,
	DATA,
	BSS,
	DYNAMIC,
	TLS,
	STACK,
	NPHDR
};

/* A position-independent program as linkers make it. */
static void sound(struct file *f)
{
	static const Elf64_Phdr ph[NPHDR] = {
		[PHDR] = { PT_PHDR, PF_R, 0x40, 0x40, 0x40, 0x1f8, 0x1f8, 8 },
		[INTERP] = { PT_INTERP, PF_R, 0x300, 0x300, 0x300, 0x1c, 0x1c, 1 },
		[RO] = { PT_LOAD, PF_R, 0, 0, 0, 0x628, 0x628, PAGE },
		[CODE] = { PT_LOAD, PF_R | PF_X, 0x1000, 0x1000, 0x1000, 0x1234, 0x1234, PAGE },
		[DATA] = { PT_LOAD, PF_R | PF_W, 0x2de0, 0x3de0, 0x3de0, 0x230, 0x238, PAGE },
		[BSS] = { PT_LOAD, PF_R | PF_W, 0x9000, 0x5000, 0x5000, 0, 0x10000, PAGE },
		[DYNAMIC] = { PT_DYNAMIC, PF_R | PF_W, 0x2df0, 0x3df0, 0x3df0, 0x1e0, 0x1e0, 8 },
		[TLS] = { PT_TLS, PF_R, 0x2de0, 0x3de0, 0x3de0, 4, 0x24, 16 },
		[STACK] = { PT_GNU_STACK, PF_R | PF_W, 0, 0, 0, 0, 0, 16 },
	};

	memset(f, 0, sizeof(*f));
	memcpy(f->eh.e_ident, ELFMAG, SELFMAG);
	f->eh.e_ident[EI_CLASS] = ELFCLASS64;
	f->eh.e_ident[EI_DATA] = ELFDATA2LSB;
	f->eh.e_ident[EI_VERSION] = EV_CURRENT;
	f->eh.e_type = ET_DYN;
	f->eh.e_machine = __ehdr_start.e_machine;
	f->eh.e_version = EV_CURRENT;
	f->eh.e_entry = 0x1040;
	f->eh.e_phoff = sizeof(Elf64_Ehdr);
	f->eh.e_ehsize = sizeof(Elf64_Ehdr);
	f->eh.e_phentsize = sizeof(Elf64_Phdr);
	f->eh.e_phnum = NPHDR;
	memcpy(f->ph, ph, sizeof(ph));
	f->size = FILE_SIZE;
	f->page = PAGE;
}

/* From exactly as many bytes as there are, so that a sanitizer sees a read beyond them. */
static int header(const void *bytes, size_t len, struct elf_info *out)
{
	void *exact = malloc(len);
	int rc;

	assert_true(exact || len == 0);
	if (len)
		memcpy(exact, bytes, len);
	rc = elf_parse_header(exact, len, out);
	free(exact);
	return rc;
}

/* The headers are read at an odd address: nothing aligns them in a buffer. */
static int segments(const struct file *f, struct elf_info *out)
{
	size_t len = f->eh.e_phnum * sizeof(Elf64_Phdr);
	unsigned char *exact = malloc(len + 1);
	int rc;

	assert_non_null(exact);
	assert_true(f->eh.e_phnum <= NPHDR_MAX);
	memcpy(exact + 1, f->ph, len);
	rc = elf_parse_segments(exact + 1, len, f->size, f->page, out);
	free(exact);
	return rc;
}

static int parse(const struct file *f, struct elf_info *out)
{
	int rc = header(&f->eh, sizeof(f->eh), out);

	if (rc < 0)
		return rc;
	rc = segments(f, out);
	assert_true(rc == 0 || rc == -ENOEXEC);
	if (rc == 0) {
		const char *broken = elf_check(out, f->size, f->page);

		if (broken)
			fail_msg("accepted, but not: %s", broken);
	}
	return rc;
}

/* SPOIL(CODE, p_vaddr, 5): the sound file with that one change is refused. */
#define SPOIL(index, field, value)                                                                 \
	do {                                                                                       \
		struct elf_info info_;                                                             \
		struct file file_;                                                                 \
		sound(&file_);                                                                     \
		file_.ph[index].field = (value);                                                   \
		assert_int_equal(parse(&file_, &info_), -ENOEXEC);                                 \
	} while (0)

#define SPOIL_HEADER(field, value, error)                                                          \
	do {                                                                                       \
		struct elf_info info_;                                                             \
		struct file file_;                                                                 \
		sound(&file_);                                                                     \
		file_.eh.field = (value);                                                          \
		assert_int_equal(parse(&file_, &info_), error);                                    \
	} while (0)

static void sound_file(void **state)
{
	struct elf_info info;
	struct file f;

	(void)state;
	sound(&f);
	assert_int_equal(parse(&f, &info), 0);
	assert_int_equal(info.machine, __ehdr_start.e_machine);
	assert_int_equal(info.entry, 0x1040);
	assert_int_equal(info.phoff, 64);
	assert_int_equal(info.phnum, NPHDR);
	assert_int_equal(info.span_start, 0);
	assert_int_equal(info.span_len, 0x15000);
	assert_int_equal(info.align, PAGE);
	assert_int_equal(info.nload, 4);
	assert_int_equal(info.load[1].flags, PF_R | PF_X);
	assert_int_equal(info.load[2].vaddr, 0x3de0);
	assert_int_equal(info.load[2].offset, 0x2de0);
	assert_int_equal(info.load[2].filesz, 0x230);
	assert_int_equal(info.load[2].memsz, 0x238);
	assert_int_equal(info.interp_off, 0x300);
	assert_int_equal(info.interp_len, 0x1c);
	assert_int_equal(info.phdr_vaddr, 0x40);
	assert_int_equal(info.dyn_off, 0x2df0);
	assert_int_equal(info.dyn_len, 0x1e0);
	assert_int_equal(info.tls_memsz, 0x24);
	assert_int_equal(info.tls_align, 16);
	assert_false(info.stack_exec);
	assert_int_equal(info.stack_size, 0);
}

static void header_truncated(void **state)
{
	struct elf_info info;
	struct file f;

	(void)state;
	sound(&f);
	for (size_t len = 0; len < sizeof(f.eh); len++)
		assert_int_equal(header(&f.eh, len, &info), -EUNATCH);
	assert_int_equal(header(&f.eh, sizeof(f.eh), &info), 0);
}

static void header_not_elf(void **state)
{
	static const char script[] = "#!/bin/sh\n";
	struct elf_info info;
	struct file f;

	(void)state;
	assert_int_equal(header(script, sizeof(script) - 1, &info), -ELIBSCN);
	assert_int_equal(header(script, 2, &info), -ELIBSCN);
	assert_int_equal(header(script, 1, &info), -EUNATCH);
	for (int i = 0; i < SELFMAG; i++) {
		sound(&f);
		f.eh.e_ident[i] ^= 0x20;
		assert_int_equal(header(&f.eh, sizeof(f.eh), &info), -ELIBBAD);
	}
	memset(&f, 0, sizeof(f));
	assert_int_equal(header(&f.eh, sizeof(f.eh), &info), -ELIBBAD);
}

static void header_type(void **state)
{
	(void)state;
	SPOIL_HEADER(e_type, ET_EXEC, -ELIBEXEC);
	SPOIL_HEADER(e_type, ET_REL, -ELIBEXEC);
	SPOIL_HEADER(e_type, ET_CORE, -ELIBEXEC);
	SPOIL_HEADER(e_type, ET_NONE, -ELIBEXEC);
	SPOIL_HEADER(e_type, 0xffff, -ELIBEXEC);
}

static void header_foreign(void **state)
{
	(void)state;
	SPOIL_HEADER(e_ident[EI_CLASS], ELFCLASS32, -ENOEXEC);
	SPOIL_HEADER(e_ident[EI_CLASS], ELFCLASSNONE, -ENOEXEC);
	SPOIL_HEADER(e_ident[EI_DATA], ELFDATA2MSB, -ENOEXEC);
	SPOIL_HEADER(e_ident[EI_VERSION], 0, -ENOEXEC);
	SPOIL_HEADER(e_version, 2, -ENOEXEC);
	SPOIL_HEADER(e_machine, EM_S390, -ENOEXEC);
	SPOIL_HEADER(e_machine, EM_386, -ENOEXEC);
	SPOIL_HEADER(e_ident[EI_OSABI], ELFOSABI_GNU, 0);
}

static void header_table(void **state)
{
	(void)state;
	SPOIL_HEADER(e_phentsize, 0, -ENOEXEC);
	SPOIL_HEADER(e_phentsize, sizeof(Elf64_Phdr) + 1, -ENOEXEC);
	SPOIL_HEADER(e_phnum, 0, -ENOEXEC);
	SPOIL_HEADER(e_phnum, 65536 / sizeof(Elf64_Phdr) + 1, -ENOEXEC);
	SPOIL_HEADER(e_phnum, 0xffff, -ENOEXEC);
	SPOIL_HEADER(e_phoff, 0, -ENOEXEC);
	SPOIL_HEADER(e_phoff, UINT64_MAX, -ENOEXEC);
	SPOIL_HEADER(e_phoff, UINT64_MAX - NPHDR * sizeof(Elf64_Phdr) + 1, -ENOEXEC);
	SPOIL_HEADER(e_phoff, INT64_MAX, -ENOEXEC);
	SPOIL_HEADER(e_phoff, FILE_SIZE - NPHDR * sizeof(Elf64_Phdr) + 1, -ENOEXEC);
	SPOIL_HEADER(e_phoff, FILE_SIZE - NPHDR * sizeof(Elf64_Phdr), 0);
}

static void table_truncated(void **state)
{
	struct elf_info info;
	struct file f;

	(void)state;
	sound(&f);
	for (size_t len = 0; len < NPHDR * sizeof(Elf64_Phdr); len++) {
		void *exact = malloc(len);

		assert_true(exact || len == 0);
		memcpy(exact, f.ph, len);
		assert_int_equal(header(&f.eh, sizeof(f.eh), &info), 0);
		assert_int_equal(elf_parse_segments(exact, len, f.size, f.page, &info), -ENOEXEC);
		free(exact);
	}
}

static void page_size_wrong(void **state)
{
	static const uint64_t sizes[] = { 0, 3, PAGE - 1, PAGE + 1, ELF_ALIGN_MAX * 2, UINT64_MAX };
	struct elf_info info;
	struct file f;

	(void)state;
	sound(&f);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		f.page = sizes[i];
		assert_int_equal(header(&f.eh, sizeof(f.eh), &info), 0);
		assert_int_equal(segments(&f, &info), -EINVAL);
	}
	f.page = ELF_ALIGN_MAX;
	assert_int_equal(parse(&f, &info), -ENOEXEC); /* possible, but not with this file */
}

static void load_hostile(void **state)
{
	(void)state;
	for (int i = RO; i <= BSS; i++) {
		SPOIL(i, p_vaddr, UINT64_MAX);
		SPOIL(i, p_vaddr, UINT64_MAX - PAGE + 1);
		SPOIL(i, p_memsz, UINT64_MAX);
		SPOIL(i, p_memsz, UINT64_MAX - 2 * PAGE);
		SPOIL(i, p_memsz, ELF_SPAN_MAX + 1);
		SPOIL(i, p_filesz, UINT64_MAX);
		SPOIL(i, p_offset, UINT64_MAX);
		SPOIL(i, p_offset, i * PAGE + 1);
		SPOIL(i, p_align, 3);
		SPOIL(i, p_align, PAGE + 1);
		SPOIL(i, p_align, ELF_ALIGN_MAX * 2);
		SPOIL(i, p_align, UINT64_MAX);
	}
	for (int i = RO; i <= DATA; i++) {
		SPOIL(i, p_filesz, FILE_SIZE + 1);
		SPOIL(i, p_offset, UINT64_MAX << 12 | 0xde0);
		SPOIL(i, p_offset, INT64_MAX & (UINT64_MAX << 12));
	}
	SPOIL(CODE, p_filesz, 0x1235); /* > memsz */
	SPOIL(CODE, p_offset, 0x4000); /* ends behind the file's end */
}

static void load_overlap(void **state)
{
	struct elf_info info;
	Elf64_Phdr swap;
	struct file f;

	(void)state;
	SPOIL(RO, p_memsz, 0x1001);
	SPOIL(DATA, p_vaddr, 0x1de0);
	SPOIL(DATA, p_vaddr, 0x0de0);
	SPOIL(BSS, p_vaddr, 0x1000);
	SPOIL(CODE, p_memsz, 0x2de1);

	/* In wrong order. */
	sound(&f);
	swap = f.ph[CODE];
	f.ph[CODE] = f.ph[DATA];
	f.ph[DATA] = swap;
	assert_int_equal(parse(&f, &info), -ENOEXEC);

	/* Side by side without a gap, and on one page: fine. */
	sound(&f);
	f.ph[CODE].p_memsz = 0x2de0;
	assert_int_equal(parse(&f, &info), 0);
}

static void load_count(void **state)
{
	struct elf_info info;
	struct file f;

	(void)state;
	sound(&f);
	for (int i = NPHDR; i < NPHDR + ELF_LOADS_MAX - 3; i++) {
		assert_int_equal(parse(&f, &info), 0);
		f.ph[i] = f.ph[BSS];
		f.ph[i].p_vaddr = 0x100000 + (uint64_t)i * 0x20000;
		f.eh.e_phnum++;
	}
	assert_int_equal(info.nload, ELF_LOADS_MAX);
	assert_int_equal(parse(&f, &info), -ENOEXEC);
	f.eh.e_phnum--;
	f.eh.e_entry = 0;
	assert_int_equal(parse(&f, &info), -ENOEXEC);

	/* None at all. */
	sound(&f);
	for (int i = RO; i <= BSS; i++)
		f.ph[i].p_type = PT_NULL;
	assert_int_equal(parse(&f, &info), -ENOEXEC);
}

/* An empty one is ignored, wherever it claims to be; but it must really be empty. */
static void load_empty(void **state)
{
	struct elf_info info;
	struct file f;

	(void)state;
	sound(&f);
	f.ph[RO].p_filesz = f.ph[RO].p_memsz = 0;
	f.ph[RO].p_vaddr = UINT64_MAX;
	assert_int_equal(parse(&f, &info), 0);
	assert_int_equal(info.nload, 3);
	assert_int_equal(info.span_start, 0x1000);
	assert_int_equal(info.phdr_vaddr, 0);
	f.ph[RO].p_filesz = 1;
	assert_int_equal(parse(&f, &info), -ENOEXEC);
}

static void load_align(void **state)
{
	struct elf_info info;
	struct file f;

	(void)state;
	sound(&f);
	f.ph[RO].p_align = 0;
	f.ph[CODE].p_align = 1;
	f.ph[DATA].p_align = 16;
	f.ph[BSS].p_align = 0;
	assert_int_equal(parse(&f, &info), 0);
	assert_int_equal(info.align, PAGE);
	f.ph[CODE].p_align = 0x200000;
	assert_int_equal(parse(&f, &info), 0);
	assert_int_equal(info.align, 0x200000);
	f.ph[CODE].p_align = ELF_ALIGN_MAX;
	assert_int_equal(parse(&f, &info), 0);
	assert_int_equal(info.align, ELF_ALIGN_MAX);

	/* The place that suits the alignment may be well below the first load. */
	f.ph[RO].p_type = PT_NULL;
	for (int i = 0; i < STACK; i++)
		f.ph[i].p_vaddr += ELF_ALIGN_MAX + 0x200000;
	f.eh.e_entry += ELF_ALIGN_MAX + 0x200000;
	assert_int_equal(parse(&f, &info), 0);
	assert_int_equal(info.span_start, ELF_ALIGN_MAX);
	assert_int_equal(info.span_len, 0x215000);
}

/* A file made for small pages does not fit on a machine with large ones; others do. */
static void load_large_pages(void **state)
{
	struct elf_info info;
	struct file f;

	(void)state;
	sound(&f);
	f.page = 65536;
	assert_int_equal(parse(&f, &info), -ENOEXEC);
	f.ph[DATA].p_vaddr = 0x12de0;
	f.ph[BSS].p_vaddr = 0x29000;
	assert_int_equal(parse(&f, &info), 0);
	assert_int_equal(info.align, 65536);
	assert_int_equal(info.span_len, 0x40000);
}

static void load_span(void **state)
{
	struct elf_info info;
	struct file f;

	(void)state;
	sound(&f);
	f.ph[BSS].p_memsz = ELF_SPAN_MAX - f.ph[BSS].p_vaddr;
	assert_int_equal(parse(&f, &info), 0);
	assert_int_equal(info.span_len, ELF_SPAN_MAX);
	f.ph[BSS].p_memsz++;
	assert_int_equal(parse(&f, &info), -ENOEXEC);

	/* Not at 0: linked for some address, as prelink did. */
	sound(&f);
	for (int i = 0; i < STACK; i++)
		f.ph[i].p_vaddr += 0x3f12345000;
	f.eh.e_entry += 0x3f12345000;
	assert_int_equal(parse(&f, &info), 0);
	assert_int_equal(info.span_start, 0x3f12345000);
	assert_int_equal(info.span_len, 0x15000);
	assert_int_equal(info.phdr_vaddr, 0x3f12345040);
}

static void entry_wrong(void **state)
{
	(void)state;
	SPOIL_HEADER(e_entry, 0, -ENOEXEC);
	SPOIL_HEADER(e_entry, 0xfff, -ENOEXEC);
	SPOIL_HEADER(e_entry, 0x1000, 0);
	SPOIL_HEADER(e_entry, 0x2233, 0);
	SPOIL_HEADER(e_entry, 0x2234, -ENOEXEC);
	SPOIL_HEADER(e_entry, 0x3de0, -ENOEXEC);
	SPOIL_HEADER(e_entry, UINT64_MAX, -ENOEXEC);
	SPOIL(CODE, p_flags, PF_R);
}

static void interp(void **state)
{
	struct elf_info info;
	struct file f;

	(void)state;
	SPOIL(INTERP, p_filesz, 0);
	SPOIL(INTERP, p_filesz, 1);
	SPOIL(INTERP, p_filesz, ELF_INTERP_MAX + 1);
	SPOIL(INTERP, p_filesz, UINT64_MAX);
	SPOIL(INTERP, p_offset, FILE_SIZE - 0x1b);
	SPOIL(INTERP, p_offset, UINT64_MAX);
	SPOIL(INTERP, p_offset, UINT64_MAX - 0x1b);

	sound(&f);
	f.ph[INTERP].p_filesz = 2;
	assert_int_equal(parse(&f, &info), 0);
	f.ph[INTERP].p_filesz = ELF_INTERP_MAX;
	assert_int_equal(parse(&f, &info), 0);

	/* Static PIE. */
	sound(&f);
	f.ph[INTERP].p_type = PT_NULL;
	assert_int_equal(parse(&f, &info), 0);
	assert_int_equal(info.interp_len, 0);

	/* The first one counts. */
	sound(&f);
	f.ph[NPHDR] = f.ph[INTERP];
	f.ph[NPHDR].p_offset += 16;
	f.eh.e_phnum++;
	assert_int_equal(parse(&f, &info), 0);
	assert_int_equal(info.interp_off, 0x300);
}

static void phdr_mapped(void **state)
{
	struct elf_info info;
	struct file f;

	(void)state;
	/* Elsewhere, as patchelf leaves them. */
	sound(&f);
	f.eh.e_phoff = 0x1100;
	assert_int_equal(parse(&f, &info), 0);
	assert_int_equal(info.phdr_vaddr, 0x1100);
	f.eh.e_phoff = 0x2e00;
	f.ph[DATA].p_filesz = 0x20 + NPHDR * sizeof(Elf64_Phdr);
	f.ph[DATA].p_memsz = f.ph[DATA].p_filesz;
	assert_int_equal(parse(&f, &info), 0);
	assert_int_equal(info.phdr_vaddr, 0x3e00);

	/* Not all of them are mapped. */
	f.ph[DATA].p_filesz--;
	assert_int_equal(parse(&f, &info), 0);
	assert_int_equal(info.phdr_vaddr, 0);
}

static void dynamic_segment(void **state)
{
	struct elf_info info;
	struct file f;

	(void)state;
	SPOIL(DYNAMIC, p_offset, UINT64_MAX);
	SPOIL(DYNAMIC, p_filesz, UINT64_MAX);
	SPOIL(DYNAMIC, p_filesz, FILE_SIZE - 0x2df0 + 1);
	sound(&f);
	f.size = UINT64_C(1) << 40;
	f.ph[DYNAMIC].p_filesz = ELF_DYNAMIC_MAX;
	assert_int_equal(parse(&f, &info), 0);
	f.ph[DYNAMIC].p_filesz++;
	assert_int_equal(parse(&f, &info), -ENOEXEC);
	f.ph[DYNAMIC].p_type = PT_NULL;
	assert_int_equal(parse(&f, &info), 0);
	assert_int_equal(info.dyn_len, 0);
}

static void tls_and_stack(void **state)
{
	struct elf_info info;
	struct file f;

	(void)state;
	SPOIL(TLS, p_filesz, 0x25);
	SPOIL(TLS, p_memsz, UINT64_MAX);
	SPOIL(TLS, p_memsz, ELF_SPAN_MAX + 1);
	SPOIL(TLS, p_align, 24);
	sound(&f);
	f.ph[TLS].p_align = 0;
	assert_int_equal(parse(&f, &info), 0);
	assert_int_equal(info.tls_align, 1);
	f.ph[TLS].p_filesz = f.ph[TLS].p_memsz;
	assert_int_equal(parse(&f, &info), 0);
	f.ph[TLS].p_memsz = ELF_SPAN_MAX;
	assert_int_equal(parse(&f, &info), 0);
	f.ph[TLS].p_memsz = 0;
	assert_int_equal(parse(&f, &info), 0);
	assert_int_equal(info.tls_memsz, 0);

	f.ph[STACK].p_flags |= PF_X;
	f.ph[STACK].p_memsz = 0x123000;
	assert_int_equal(parse(&f, &info), 0);
	assert_true(info.stack_exec);
	assert_int_equal(info.stack_size, 0x123000);
	f.ph[STACK].p_type = PT_NULL;
	assert_int_equal(parse(&f, &info), 0);
	assert_false(info.stack_exec);
	assert_int_equal(info.stack_size, 0);
}

static void dynamic_is_pie(void **state)
{
	Elf64_Dyn dyn[] = {
		{ DT_NEEDED, { 1 } },
		{ DT_FLAGS_1, { DF_1_NOW | DF_1_PIE } },
		{ DT_NULL, { 0 } },
		{ DT_FLAGS_1, { DF_1_PIE } },
	};

	(void)state;
	assert_int_equal(elf_dynamic_is_pie(dyn, sizeof(dyn)), 1);
	dyn[1].d_un.d_val = DF_1_NOW;
	assert_int_equal(elf_dynamic_is_pie(dyn, sizeof(dyn)), 0);
	dyn[1].d_tag = DT_FLAGS;
	assert_int_equal(elf_dynamic_is_pie(dyn, sizeof(dyn)), 0);

	for (size_t len = 0; len < 3 * sizeof(*dyn); len++) {
		void *exact = malloc(len);

		assert_true(exact || len == 0);
		memcpy(exact, dyn, len);
		assert_int_equal(elf_dynamic_is_pie(exact, len), -ENOEXEC);
		free(exact);
	}
}

/* Parses a real file as the loader will, and tells whether it is one for this machine. */
static bool real_file(const char *path, struct elf_info *info, int *pie)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	const unsigned char *bytes;
	const Elf64_Ehdr *eh;
	const char *broken;
	struct stat st;
	bool ours;

	assert_true(fd >= 0);
	assert_return_code(fstat(fd, &st), errno);
	bytes = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	assert_true(bytes != MAP_FAILED);
	close(fd);

	eh = (const void *)bytes;
	ours = eh->e_machine == __ehdr_start.e_machine;
	assert_int_equal(elf_parse_header(bytes, sizeof(*eh), info), ours ? 0 : -ENOEXEC);
	if (ours) {
		int rc = elf_parse_segments(bytes + info->phoff, info->phnum * sizeof(Elf64_Phdr),
					    (uint64_t)st.st_size, page, info);

		assert_int_equal(rc, 0);
		broken = elf_check(info, (uint64_t)st.st_size, page);
		if (broken)
			fail_msg("%s was accepted, but not: %s", path, broken);
		if (info->interp_len)
			assert_int_equal(bytes[info->interp_off + info->interp_len - 1], '\0');
		*pie = elf_dynamic_is_pie(bytes + info->dyn_off, info->dyn_len);
	}
	munmap((void *)bytes, (size_t)st.st_size);
	return ours;
}

/* This program, as the kernel has mapped it: what it told us is what we read. */
static void real_self(void **state)
{
	struct elf_info info;
	uintptr_t bias;
	int pie;

	(void)state;
	assert_true(real_file("/proc/self/exe", &info, &pie));
	bias = (uintptr_t)&__ehdr_start - info.span_start;
	assert_int_equal(bias % info.align, 0);
	assert_int_equal(bias + info.phdr_vaddr, getauxval(AT_PHDR));
	assert_int_equal(bias + info.entry, getauxval(AT_ENTRY));
	assert_int_equal(info.phnum, getauxval(AT_PHNUM));
	assert_int_not_equal(info.interp_len, 0);
	assert_int_equal(pie, 1);
}

/* Under an emulator this is the host's, for another machine, and rightly refused. */
static void real_shell(void **state)
{
	struct elf_info info;
	int pie;

	(void)state;
	if (real_file("/bin/sh", &info, &pie)) {
		assert_int_not_equal(info.interp_len, 0);
		assert_int_equal(pie, 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sound_file),      cmocka_unit_test(header_truncated),
		cmocka_unit_test(header_not_elf),  cmocka_unit_test(header_type),
		cmocka_unit_test(header_foreign),  cmocka_unit_test(header_table),
		cmocka_unit_test(table_truncated), cmocka_unit_test(page_size_wrong),
		cmocka_unit_test(load_hostile),    cmocka_unit_test(load_overlap),
		cmocka_unit_test(load_count),      cmocka_unit_test(load_empty),
		cmocka_unit_test(load_align),      cmocka_unit_test(load_large_pages),
		cmocka_unit_test(load_span),       cmocka_unit_test(entry_wrong),
		cmocka_unit_test(interp),          cmocka_unit_test(phdr_mapped),
		cmocka_unit_test(dynamic_segment), cmocka_unit_test(tls_and_stack),
		cmocka_unit_test(dynamic_is_pie),  cmocka_unit_test(real_self),
		cmocka_unit_test(real_shell),
	};

	return cmocka_run_group_tests_name("elf", tests, NULL, NULL);
}
