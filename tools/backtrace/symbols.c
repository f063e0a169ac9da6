/* symbols.c - names of functions.  Entry function: symbol_at(). */
#include "backtrace.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct found {
	const char *name;
	uintptr_t value;
	bool sized; /* the address lies within its size */
};

/* n entries of `size` bytes at `off` lie in the file. */
static bool inside(size_t total, uint64_t off, uint64_t n, size_t size)
{
	return off <= total && n <= (total - off) / size;
}

static bool is_better(const struct found *old, const char *name, uintptr_t value, bool sized)
{
	if (!old->name || sized != old->sized)
		return !old->name || sized;
	if (value != old->value)
		return value > old->value;
	return old->name[0] == '_' && name[0] != '_';
}

/* The function at `want` in one symbol table. */
static void search_table(const unsigned char *file, size_t size, const ElfW(Shdr) * table,
			 const ElfW(Shdr) * strings, uintptr_t want, struct found *best)
{
	size_t n = table->sh_size / sizeof(ElfW(Sym));

	if (!inside(size, table->sh_offset, n, sizeof(ElfW(Sym))) ||
	    !inside(size, strings->sh_offset, strings->sh_size, 1) || strings->sh_size == 0 ||
	    file[strings->sh_offset + strings->sh_size - 1])
		return;
	for (size_t i = 0; i < n; i++) {
		ElfW(Sym) sym;
		const char *name;
		bool sized;

		memcpy(&sym, file + table->sh_offset + i * sizeof(sym), sizeof(sym));
		if (sym.st_shndx == SHN_UNDEF || sym.st_value > want ||
		    sym.st_name >= strings->sh_size)
			continue;
		/* Those without a type are written in assembly, or mark the end of something. */
		if (ELF64_ST_TYPE(sym.st_info) != STT_FUNC &&
		    ELF64_ST_TYPE(sym.st_info) != STT_GNU_IFUNC &&
		    (ELF64_ST_TYPE(sym.st_info) != STT_NOTYPE ||
		     ELF64_ST_BIND(sym.st_info) != STB_LOCAL))
			continue;
		sized = want < sym.st_value + sym.st_size;
		if (!sized && sym.st_size)
			continue; /* it is behind this one */
		name = (const char *)file + strings->sh_offset + sym.st_name;
		/* "$x" marks code on aarch64. */
		if (name[0] && name[0] != '$' && is_better(best, name, sym.st_value, sized))
			*best = (struct found){ name, sym.st_value, sized };
	}
}

static void search(const unsigned char *file, size_t size, uintptr_t want, struct found *best)
{
	ElfW(Ehdr) ehdr;

	if (size < sizeof(ehdr))
		return;
	memcpy(&ehdr, file, sizeof(ehdr));
	if (memcmp(ehdr.e_ident, ELFMAG, SELFMAG) != 0 || ehdr.e_shentsize != sizeof(ElfW(Shdr)) ||
	    !inside(size, ehdr.e_shoff, ehdr.e_shnum, sizeof(ElfW(Shdr))))
		return;
	for (size_t i = 0; i < ehdr.e_shnum; i++) {
		ElfW(Shdr) table, strings;

		memcpy(&table, file + ehdr.e_shoff + i * sizeof(table), sizeof(table));
		if ((table.sh_type != SHT_SYMTAB && table.sh_type != SHT_DYNSYM) ||
		    table.sh_link >= ehdr.e_shnum)
			continue;
		memcpy(&strings, file + ehdr.e_shoff + table.sh_link * sizeof(strings),
		       sizeof(strings));
		search_table(file, size, &table, &strings, want, best);
	}
}

/* Debian's place for what was stripped off, by build-id. */
static void open_debug(struct module *m)
{
	ElfW(Ehdr) ehdr;
	char path[64 + 128];
	struct stat st;
	void *map;
	int fd, n;

	if (m->debug_tried)
		return;
	m->debug_tried = true;
	memcpy(&ehdr, m->file, sizeof(ehdr));
	if (ehdr.e_phentsize != sizeof(ElfW(Phdr)) ||
	    !inside(m->file_size, ehdr.e_phoff, ehdr.e_phnum, sizeof(ElfW(Phdr))))
		return;
	n = 0;
	for (size_t i = 0; i < ehdr.e_phnum && !n; i++) {
		ElfW(Phdr) p;
		ElfW(Nhdr) note;

		memcpy(&p, m->file + ehdr.e_phoff + i * sizeof(p), sizeof(p));
		if (p.p_type != PT_NOTE || !inside(m->file_size, p.p_offset, p.p_filesz, 1))
			continue;
		for (uint64_t at = p.p_offset, end = at + p.p_filesz; end - at >= sizeof(note);) {
			const unsigned char *id = m->file + at + sizeof(note) + 4;
			uint64_t len;

			memcpy(&note, m->file + at, sizeof(note));
			len = sizeof(note) + ((note.n_namesz + 3ULL) & ~3ULL) +
			      ((note.n_descsz + 3ULL) & ~3ULL);
			if (len > end - at)
				break;
			at += len;
			if (note.n_type != NT_GNU_BUILD_ID || note.n_namesz != 4 ||
			    note.n_descsz < 2 || note.n_descsz > 32)
				continue;
			n = snprintf(path, sizeof(path), "/usr/lib/debug/.build-id/%02x/", id[0]);
			for (unsigned k = 1; k < note.n_descsz; k++)
				n += snprintf(path + n, sizeof(path) - (size_t)n, "%02x", id[k]);
			snprintf(path + n, sizeof(path) - (size_t)n, ".debug");
			break;
		}
	}
	if (!n || (fd = open(path, O_RDONLY | O_CLOEXEC)) < 0)
		return;
	if (fstat(fd, &st) == 0 && st.st_size > 0) {
		map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
		if (map != MAP_FAILED) {
			m->debug = map;
			m->debug_size = (size_t)st.st_size;
		}
	}
	close(fd);
}

/* With the C++ library's function, where there is one. */
static char *demangle(const char *name)
{
	static char *(*function)(const char *, char *, size_t *, int *);
	static void *library;
	static bool tried;
	int status;

	if (strncmp(name, "_Z", 2) != 0)
		return NULL;
	if (!tried) {
		library = dlopen("libstdc++.so.6", RTLD_LAZY);
		if (library)
			*(void **)&function = dlsym(library, "__cxa_demangle");
		tried = true;
	}
	return function ? function(name, NULL, NULL, &status) : NULL;
}

bool symbol_at(struct module *m, uintptr_t address, char *name, size_t size, uintptr_t *offset)
{
	struct found best = { NULL, 0, false };
	uintptr_t want = address - m->bias;
	char *plain;

	module_open(m);
	if (!m->file)
		return false;
	search(m->file, m->file_size, want, &best);
	if (!best.sized) {
		open_debug(m);
		if (m->debug)
			search(m->debug, m->debug_size, want, &best);
	}
	/* A symbol without a size may be anything's before the address; only a near one is told. */
	if (!best.name || (!best.sized && want - best.value > 4096))
		return false;
	plain = demangle(best.name);
	if ((size_t)snprintf(name, size, "%s", plain ? plain : best.name) >= size)
		memcpy(name + size - 4, "...", 4);
	free(plain);
	*offset = want - best.value;
	return true;
}
