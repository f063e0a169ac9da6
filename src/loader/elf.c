/*
 * elf.c - validate and read the headers of a program file.  Entry functions: elf_parse_header(),
 * elf_parse_segments(), elf_dynamic_is_pie().
 *
 * The rule throughout: what execve and ld.so take from a real program is taken, and what is left
 * must not be able to make the loader's arithmetic lie.  The root maps the file into its own
 * address space, so a bad file has to be an error here: there is no exec to fail afterwards.
 *
 * No libc.  Structures in the file are read field by field, where they lie: at any address.
 */
#include <elf.h>
#include <errno.h>

#include "arch/arch.h"
#include "base/span.h"
#include "loader/elf.h"

#define PHDRS_SIZE_MAX 65536 /* the kernel's limit, fs/binfmt_elf.c load_elf_phdrs() */

/* The structures as they lie in a file: at any address. */
#define RAW __attribute__((packed, may_alias))
struct RAW raw_ehdr {
	Elf64_Ehdr e;
};
struct RAW raw_phdr {
	Elf64_Phdr p;
};
struct RAW raw_dyn {
	Elf64_Dyn d;
};

static void clear(struct elf_info *info)
{
	unsigned char *byte = (unsigned char *)info;

	for (size_t i = 0; i < sizeof(*info); i++)
		byte[i] = 0;
}

static uint64_t phdrs_size(const struct elf_info *info)
{
	return (uint64_t)info->phnum * sizeof(Elf64_Phdr);
}

int elf_parse_header(const void *buf, size_t len, struct elf_info *out)
{
	const unsigned char *byte = buf;
	const struct raw_ehdr *raw = buf;

	clear(out);
	if (len >= 2 && byte[0] == '#' && byte[1] == '!')
		return -ELIBSCN;
	if (len < sizeof(*raw))
		return -EUNATCH;
	if (byte[EI_MAG0] != ELFMAG0 || byte[EI_MAG1] != ELFMAG1 || byte[EI_MAG2] != ELFMAG2 ||
	    byte[EI_MAG3] != ELFMAG3)
		return -ELIBBAD;
	/* These decide how the rest is to be read.  EI_OSABI is ignored, as the kernel does. */
	if (byte[EI_CLASS] != ELFCLASS64 || byte[EI_DATA] != ELFDATA2LSB ||
	    byte[EI_VERSION] != EV_CURRENT)
		return -ENOEXEC;
	if (raw->e.e_type != ET_DYN)
		return -ELIBEXEC;
	if (raw->e.e_machine != ARCH_ELF_MACHINE || raw->e.e_version != EV_CURRENT)
		return -ENOEXEC;

	out->machine = raw->e.e_machine;
	out->entry = raw->e.e_entry;
	out->phoff = raw->e.e_phoff;
	out->phnum = raw->e.e_phnum;
	if (raw->e.e_phentsize != sizeof(Elf64_Phdr) || out->phnum == 0 ||
	    phdrs_size(out) > PHDRS_SIZE_MAX)
		return -ENOEXEC;
	/* An offset of 0 means "no table"; the end has to be an off_t, for the read that
	 * follows. */
	if (out->phoff == 0 || !span_ok(out->phoff, phdrs_size(out), INT64_MAX))
		return -ENOEXEC;
	return 0;
}

static bool take_load(const struct raw_phdr *raw, uint64_t file_size, uint64_t page_size,
		      struct elf_info *out)
{
	struct elf_load *load = &out->load[out->nload];
	uint64_t align = raw->p.p_align, end, prev_end;

	if (raw->p.p_filesz > raw->p.p_memsz)
		return false;
	if (raw->p.p_memsz == 0)
		return true; /* linkers leave such behind; nothing to map */
	if (out->nload == ELF_LOADS_MAX)
		return false;

	/* 0 and 1 mean no alignment.  More than the page size is honoured, less makes no sense. */
	if (align > 1 && !span_pow2(align))
		return false;
	if (align > ELF_ALIGN_MAX)
		return false;
	if (align > out->align)
		out->align = align;

	if (((raw->p.p_vaddr ^ raw->p.p_offset) & (page_size - 1)) != 0)
		return false; /* mmap could not put it there */
	if (raw->p.p_filesz != 0 && !span_ok(raw->p.p_offset, raw->p.p_filesz, file_size))
		return false;
	if (!span_add(raw->p.p_vaddr, raw->p.p_memsz, &end) || !span_round_up(end, page_size, &end))
		return false;

	if (out->nload == 0) {
		out->span_start = span_round_down(raw->p.p_vaddr, page_size);
	} else {
		prev_end = load[-1].vaddr + load[-1].memsz; /* it did not wrap above */
		if (raw->p.p_vaddr < prev_end)
			return false;
	}
	out->span_len = end - out->span_start;

	/* Kernel: AT_PHDR comes from the first load that has the table, PT_PHDR is for ld.so. */
	if (out->phdr_vaddr == 0 &&
	    span_in(out->phoff, phdrs_size(out), raw->p.p_offset, raw->p.p_filesz))
		out->phdr_vaddr = raw->p.p_vaddr + (out->phoff - raw->p.p_offset);

	load->vaddr = raw->p.p_vaddr;
	load->memsz = raw->p.p_memsz;
	load->filesz = raw->p.p_filesz;
	load->offset = raw->p.p_offset;
	load->flags = raw->p.p_flags;
	out->nload++;
	return true;
}

static bool take_interp(const struct raw_phdr *raw, uint64_t file_size, struct elf_info *out)
{
	if (out->interp_len != 0)
		return true; /* the kernel takes the first one */
	if (raw->p.p_filesz < 2 || raw->p.p_filesz > ELF_INTERP_MAX)
		return false; /* one byte and its NUL at least */
	if (!span_ok(raw->p.p_offset, raw->p.p_filesz, file_size))
		return false;
	out->interp_off = raw->p.p_offset;
	out->interp_len = raw->p.p_filesz;
	return true;
}

static bool take_dynamic(const struct raw_phdr *raw, uint64_t file_size, struct elf_info *out)
{
	if (raw->p.p_filesz > ELF_DYNAMIC_MAX ||
	    !span_ok(raw->p.p_offset, raw->p.p_filesz, file_size))
		return false;
	out->dyn_off = raw->p.p_offset;
	out->dyn_len = raw->p.p_filesz;
	return true;
}

static bool take_tls(const struct raw_phdr *raw, struct elf_info *out)
{
	if (raw->p.p_memsz == 0)
		return true; /* ld.so ignores an empty one, whatever its alignment */
	if (raw->p.p_filesz > raw->p.p_memsz || raw->p.p_memsz > ELF_SPAN_MAX)
		return false;
	if (raw->p.p_align != 0 && !span_pow2(raw->p.p_align))
		return false;
	out->tls_memsz = raw->p.p_memsz;
	out->tls_align = raw->p.p_align != 0 ? raw->p.p_align : 1;
	return true;
}

/* With all loads known: let the span start where the largest alignment has a boundary. */
static bool align_span(struct elf_info *info)
{
	uint64_t end = info->span_start + info->span_len;

	info->span_start = span_round_down(info->span_start, info->align);
	info->span_len = end - info->span_start;
	return info->span_len <= ELF_SPAN_MAX;
}

static bool entry_ok(const struct elf_info *info)
{
	for (unsigned i = 0; i < info->nload; i++) {
		const struct elf_load *load = &info->load[i];

		if ((load->flags & PF_X) && span_in(info->entry, 1, load->vaddr, load->memsz))
			return true;
	}
	return false;
}

int elf_parse_segments(const void *phdrs, size_t len, uint64_t file_size, uint64_t page_size,
		       struct elf_info *out)
{
	const struct raw_phdr *raw = phdrs;
	bool ok = true;

	if (!span_pow2(page_size) || page_size > ELF_ALIGN_MAX)
		return -EINVAL;
	if (phdrs_size(out) > len || !span_ok(out->phoff, phdrs_size(out), file_size))
		return -ENOEXEC;

	out->align = page_size;
	for (unsigned i = 0; ok && i < out->phnum; i++) {
		switch (raw[i].p.p_type) {
		case PT_LOAD:
			ok = take_load(&raw[i], file_size, page_size, out);
			break;
		case PT_INTERP:
			ok = take_interp(&raw[i], file_size, out);
			break;
		case PT_DYNAMIC:
			ok = take_dynamic(&raw[i], file_size, out);
			break;
		case PT_TLS:
			ok = take_tls(&raw[i], out);
			break;
		case PT_GNU_STACK:
			out->stack_exec = (raw[i].p.p_flags & PF_X) != 0;
			out->stack_size = raw[i].p.p_memsz;
			break;
		default:
			break; /* none of our business, as for the kernel */
		}
	}
	/* No load means no executable load either. */
	return ok && align_span(out) && entry_ok(out) ? 0 : -ENOEXEC;
}

int elf_dynamic_is_pie(const void *dyn, size_t len)
{
	const struct raw_dyn *raw = dyn;
	int pie = 0;

	for (size_t i = 0; i < len / sizeof(*raw); i++) {
		if (raw[i].d.d_tag == DT_NULL)
			return pie;
		if (raw[i].d.d_tag == DT_FLAGS_1)
			pie = (raw[i].d.d_un.d_val & DF_1_PIE) != 0;
	}
	return -ENOEXEC;
}
