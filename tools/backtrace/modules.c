/* modules.c - what is loaded in task and root.  Entry functions: modules_find(), module_at(). */
#include "backtrace.h"

#include <fcntl.h>
#include <limits.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define PHDRS_MAX 64
#define MODULES_MAX 4096

static struct module *modules;

struct module *module_at(uintptr_t address)
{
	for (struct module *m = modules; m; m = m->next)
		if (address >= m->code && address < m->code_end)
			return m;
	return NULL;
}

void module_open(struct module *m)
{
	struct stat st;
	void *map;
	int fd;

	if (m->file_tried)
		return;
	m->file_tried = true;
	fd = open(m->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > (off_t)sizeof(ElfW(Ehdr))) {
		map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
		if (map != MAP_FAILED) {
			m->file = map;
			m->file_size = (size_t)st.st_size;
		}
	}
	close(fd);
}

/* Its program headers, from the file or, for what has none (the vdso), from memory. */
static size_t program_headers(struct module *m, ElfW(Phdr) * phdr)
{
	ElfW(Ehdr) ehdr;

	module_open(m);
	if (m->file)
		memcpy(&ehdr, m->file, sizeof(ehdr));
	else if (!memory_read(m->bias, &ehdr, sizeof(ehdr)))
		return 0;
	if (memcmp(ehdr.e_ident, ELFMAG, SELFMAG) != 0 || ehdr.e_phentsize != sizeof(*phdr) ||
	    ehdr.e_phnum > PHDRS_MAX)
		return 0;
	if (m->file) {
		size_t size = ehdr.e_phnum * sizeof(*phdr);

		if (ehdr.e_phoff > m->file_size || size > m->file_size - ehdr.e_phoff)
			return 0;
		memcpy(phdr, m->file + ehdr.e_phoff, size);
	} else if (!memory_read(m->bias + ehdr.e_phoff, phdr, ehdr.e_phnum * sizeof(*phdr))) {
		return 0;
	}
	return ehdr.e_phnum;
}

static struct module *add(const char *path, uintptr_t bias)
{
	struct module *m = calloc(1, sizeof(*m));
	ElfW(Phdr) phdr[PHDRS_MAX];
	size_t n;

	if (!m || !(m->path = strdup(path)))
		exit(EXIT_FAILURE);
	m->bias = bias;
	m->start = m->code = UINTPTR_MAX;
	n = program_headers(m, phdr);
	for (size_t i = 0; i < n; i++) {
		uintptr_t at = bias + phdr[i].p_vaddr;

		if (phdr[i].p_type == PT_GNU_EH_FRAME)
			m->unwind_table = at;
		if (phdr[i].p_type != PT_LOAD)
			continue;
		m->start = at < m->start ? at : m->start;
		m->end = at + phdr[i].p_memsz > m->end ? at + phdr[i].p_memsz : m->end;
		if (!(phdr[i].p_flags & PF_X))
			continue;
		m->code = at < m->code ? at : m->code;
		/* With the stubs that a task's copy has behind it, it fills its last page. */
		at = (at + phdr[i].p_memsz + 4095) & ~4095UL;
		m->code_end = at > m->code_end ? at : m->code_end;
	}
	m->next = modules;
	modules = m;
	return m;
}

/* Follows the list that the dynamic linker keeps for debuggers. */
static void follow(uintptr_t dynamic, const char *program)
{
	ElfW(Dyn) dyn = { .d_tag = DT_NULL };
	struct r_debug debug;
	struct link_map map;
	uintptr_t at = 0;

	for (; memory_read(dynamic, &dyn, sizeof(dyn)) && dyn.d_tag != DT_NULL;
	     dynamic += sizeof(dyn)) {
		if (dyn.d_tag == DT_DEBUG)
			at = dyn.d_un.d_ptr;
	}
	if (!at || !memory_read(at, &debug, sizeof(debug)))
		return;
	at = (uintptr_t)debug.r_map;
	for (int i = 0; i < MODULES_MAX && at && memory_read(at, &map, sizeof(map)); i++) {
		char name[PATH_MAX];

		memory_string((uintptr_t)map.l_name, name, sizeof(name));
		/* The first is the program, which the caller has added; it has no name here. */
		if (i > 0 || name[0])
			add(name[0] ? name : program, map.l_addr);
		at = (uintptr_t)map.l_next;
	}
}

static void find_root(pid_t pid)
{
	ElfW(auxv_t) aux;
	ElfW(Phdr) phdr[PHDRS_MAX];
	uintptr_t at = 0, count = 0, bias, dynamic = 0;
	char name[64], path[PATH_MAX];
	ssize_t n;
	int fd;

	snprintf(name, sizeof(name), "/proc/%d/auxv", pid);
	fd = open(name, O_RDONLY | O_CLOEXEC);
	while (fd >= 0 && read(fd, &aux, sizeof(aux)) == sizeof(aux)) {
		if (aux.a_type == AT_PHDR)
			at = aux.a_un.a_val;
		if (aux.a_type == AT_PHNUM)
			count = aux.a_un.a_val;
	}
	if (fd >= 0)
		close(fd);
	if (count == 0 || count > PHDRS_MAX || !memory_read(at, phdr, count * sizeof(*phdr)))
		return;
	bias = at & ~4095UL;
	for (size_t i = 0; i < count; i++)
		if (phdr[i].p_type == PT_PHDR)
			bias = at - phdr[i].p_vaddr;
	for (size_t i = 0; i < count; i++)
		if (phdr[i].p_type == PT_DYNAMIC)
			dynamic = bias + phdr[i].p_vaddr;
	snprintf(name, sizeof(name), "/proc/%d/exe", pid);
	n = readlink(name, path, sizeof(path) - 1);
	path[n > 0 ? n : 0] = '\0';
	add(path, bias);
	if (dynamic)
		follow(dynamic, path);
}

void modules_find(pid_t pid, uintptr_t base, const char *program)
{
	ElfW(Phdr) phdr[PHDRS_MAX];

	if (base) {
		struct module *m = add(program, base);
		size_t n = program_headers(m, phdr);

		for (size_t i = 0; i < n; i++)
			if (phdr[i].p_type == PT_DYNAMIC)
				follow(base + phdr[i].p_vaddr, program);
	}
	find_root(pid);
}
