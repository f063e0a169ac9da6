/* symbol.c - finds functions of the running program, exported or not.  Entry: symbol_find(). */
#include "taskside/symbol.h"

#include <dlfcn.h>
#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/span.h"
#include "log.h"

#define TABLE_MAX (1UL << 30) /* no symbol table is larger */

struct search {
	const char *name, *program;
	unsigned types; /* bits 1 << STT_... */
	void *global, *local;
	int nlocal;
	uintptr_t own; /* load address of this library, which is not searched */
	bool first;    /* the program itself, whose name is empty */
};

static void *read_part(int fd, uint64_t off, uint64_t len, uint64_t size)
{
	char *buf;

	if (!span_ok(off, len, size) || len > TABLE_MAX || !(buf = malloc(len + 1)))
		return NULL;
	if (pread(fd, buf, len, (off_t)off) != (ssize_t)len) {
		free(buf);
		return NULL;
	}
	buf[len] = '\0'; /* so that the last string of a table ends */
	return buf;
}

static void search_table(struct search *s, const Elf64_Sym *sym, size_t n, const char *names,
			 size_t names_len, uintptr_t base)
{
	for (size_t i = 0; i < n; i++) {
		if (!(s->types >> ELF64_ST_TYPE(sym[i].st_info) & 1) ||
		    sym[i].st_shndx == SHN_UNDEF || sym[i].st_name >= names_len ||
		    strcmp(names + sym[i].st_name, s->name) != 0)
			continue;
		if (ELF64_ST_BIND(sym[i].st_info) != STB_LOCAL) {
			if (!s->global)
				s->global = (void *)(base + sym[i].st_value);
		} else {
			s->local = (void *)(base + sym[i].st_value);
			s->nlocal++; /* .dynsym has no local functions, so none counts twice */
		}
	}
}

static void search_file(struct search *s, const char *path, uintptr_t base)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	Elf64_Shdr *sh = NULL;
	struct stat st;
	Elf64_Ehdr eh;
	uint64_t size;

	if (fd < 0)
		return;
	if (fstat(fd, &st) || pread(fd, &eh, sizeof(eh), 0) != sizeof(eh) ||
	    eh.e_shentsize != sizeof(Elf64_Shdr))
		goto out;
	size = (uint64_t)st.st_size;
	sh = read_part(fd, eh.e_shoff, (uint64_t)eh.e_shnum * sizeof(Elf64_Shdr), size);
	for (unsigned i = 0; sh && i < eh.e_shnum; i++) {
		Elf64_Sym *sym;
		char *names;

		if ((sh[i].sh_type != SHT_SYMTAB && sh[i].sh_type != SHT_DYNSYM) ||
		    sh[i].sh_link >= eh.e_shnum)
			continue;
		sym = read_part(fd, sh[i].sh_offset, sh[i].sh_size, size);
		names = read_part(fd, sh[sh[i].sh_link].sh_offset, sh[sh[i].sh_link].sh_size, size);
		if (sym && names)
			search_table(s, sym, sh[i].sh_size / sizeof(*sym), names,
				     sh[sh[i].sh_link].sh_size, base);
		free(sym);
		free(names);
	}
out:
	free(sh);
	close(fd);
}

static int search_object(struct dl_phdr_info *info, size_t size, void *arg)
{
	const char *path = info->dlpi_name;
	struct search *s = arg;

	(void)size;
	if (s->first)
		path = s->program;
	s->first = false;
	if (info->dlpi_addr != s->own && path[0] == '/')
		search_file(s, path, info->dlpi_addr);
	return s->global != NULL;
}

static int result(const struct search *s, const char *program, void **addr)
{
	if (s->global) {
		*addr = s->global;
		return 1;
	}
	if (s->nlocal == 1) {
		log_warn("%s: function '%s' is a local symbol", program, s->name);
		*addr = s->local;
	}
	return s->nlocal;
}

int symbol_find(const char *program, const char *name, void **addr)
{
	struct search s = {
		.name = name, .program = program, .types = 1 << STT_FUNC, .first = true
	};
	Dl_info info;

	if (dladdr((void *)symbol_find, &info))
		s.own = (uintptr_t)info.dli_fbase;
	s.global = dlsym(RTLD_DEFAULT, name);
	if (s.global && dladdr(s.global, &info) && (uintptr_t)info.dli_fbase == s.own)
		s.global = NULL;
	if (!s.global)
		dl_iterate_phdr(search_object, &s);
	return result(&s, program, addr);
}

int symbol_find_in(const char *path, uintptr_t base, const char *name, void **addr)
{
	struct search s = { .name = name, .types = 1 << STT_FUNC };

	search_file(&s, path, base);
	return result(&s, path, addr);
}

void *symbol_find_global(const char *path, uintptr_t base, const char *name)
{
	struct search s = { .name = name, .types = 1 << STT_FUNC | 1 << STT_OBJECT };

	search_file(&s, path, base);
	return s.global;
}
