/* intercept.c - leads system calls of a loaded C library to stubs.  Entry function: intercept(). */
#include "intercept.h"

#include <fcntl.h>
#include <link.h>
#include <string.h>
#include <sys/stat.h>

#include "embryo/trap.h"

#define SITES 255
#define STEP (256UL << 10)
#define AROUND 64 /* bytes before and behind a site that its shape may depend on */

struct search {
	struct intercepted *code;
	uintptr_t inside;
};

static bool match(struct intercepted *c, const Elf64_Phdr *ph, size_t n, uintptr_t base,
		  uintptr_t inside)
{
	for (size_t i = 0; i < n; i++) {
		uintptr_t start = base + ph[i].p_vaddr;

		if (ph[i].p_type != PT_LOAD || !(ph[i].p_flags & PF_X))
			continue;
		if (inside && (inside < start || inside >= start + ph[i].p_memsz))
			continue;
		c->start = page_down(start);
		c->end = page_up(start + ph[i].p_memsz);
		c->off = (off_t)page_down(ph[i].p_offset);
		return true;
	}
	return false;
}

static int try_object(struct dl_phdr_info *info, size_t size, void *arg)
{
	struct search *s = arg;

	(void)size;
	s->code->file = info->dlpi_name;
	return match(s->code, info->dlpi_phdr, info->dlpi_phnum, info->dlpi_addr, s->inside);
}

int intercept_find(struct intercepted *c, const void *inside)
{
	struct search s = { c, (uintptr_t)inside };

	return dl_iterate_phdr(try_object, &s) ? 0 : -ENOTSUP;
}

int intercept_find_at(struct intercepted *c, uintptr_t base)
{
	const Elf64_Ehdr *ehdr = (const Elf64_Ehdr *)base;

	return match(c, (const Elf64_Phdr *)(base + ehdr->e_phoff), ehdr->e_phnum, base, 0)
		       ? 0
		       : -ENOTSUP;
}

static uintptr_t map_at(uintptr_t at, size_t len)
{
	uintptr_t got = sys_mmap(at, len, PROT_READ | PROT_WRITE,
				 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

	return sys_failed(got) ? 0 : got;
}

/* Room for stubs near the code: libraries lie close together, so it is sought at both sides. */
static uintptr_t map_stubs(const struct intercepted *c, size_t len)
{
	uintptr_t got = 0;

	for (size_t away = 0; away < ARCH_NEAR && !got; away += STEP) {
		got = map_at(c->end + away, len);
		if (!got)
			got = map_at(c->start - len - away, len);
	}
	return got;
}

/* Is the code in memory, which is writable, what it is in the file? */
static bool same_around(char *text, const char *copy, size_t len, const struct arch_site *s)
{
	size_t from = s->offset < AROUND ? 0 : s->offset - AROUND,
	       to = s->offset + AROUND > len ? len : s->offset + AROUND;

	/* The kernel maps the pages around one that is read, and for one that is written it does
	 * not. */
	__atomic_fetch_or(&text[s->offset], 0, __ATOMIC_RELAXED);
	return memcmp(text + from, copy + from, to - from) == 0;
}

static uintptr_t map_file(const struct intercepted *c, size_t len)
{
	int fd = c->file && *c->file ? sys_open(c->file, O_RDONLY | O_CLOEXEC) : -ENOENT;
	struct stat st;
	uintptr_t at = (uintptr_t)fd;

	if (fd < 0)
		return at;
	if (fstat(fd, &st) == 0 && page_up((uintptr_t)st.st_size) >= (uintptr_t)c->off + len)
		at = sys_mmap(0, len, PROT_READ, MAP_PRIVATE, fd, c->off);
	else
		at = (uintptr_t)-EIO;
	sys_close(fd);
	return at;
}

/*
 * Looked for in the file: of code that has been written to a fork copies all that is mapped, so
 * what nobody else has looked at is better left alone.  If the code in memory is another one, or
 * somebody has changed it there, it is looked for in memory.
 */
static size_t find_sites(const struct intercepted *c, const uint16_t *nr, size_t nnr,
			 struct arch_site *site)
{
	size_t len = c->end - c->start, n = 0;
	uintptr_t copy = map_file(c, len);

	if (!sys_failed(copy)) {
		n = arch_find_sites((void *)copy, len, 0, nr, nnr, site, SITES);
		for (size_t i = 0; i < n && i < SITES; i++)
			if (!same_around((char *)c->start, (char *)copy, len, &site[i]))
				n = 0;
		sys_munmap(copy, len);
	}
	return n ? n : arch_find_sites((void *)c->start, len, 0, nr, nnr, site, SITES);
}

/* The stubs, and the jumps to them.  0 or -errno. */
static int lead(struct intercepted *c, const struct window_head *head, const struct arch_site *site,
		size_t n)
{
	size_t len = page_up((n + 1) * ARCH_STUB_SIZE);
	uintptr_t stubs;

	if (n == 0 || n > SITES)
		return -ENOTSUP;
	stubs = map_stubs(c, len);
	if (!stubs)
		return -ENOMEM;
	arch_write_stub_head((void *)stubs, 0, head);
	for (size_t i = 0; i < n; i++)
		if (!arch_write_stub((void *)(stubs + (i + 1) * ARCH_STUB_SIZE), (void *)stubs,
				     &site[i], (void *)(c->start + site[i].offset)))
			goto fail;
	if (mprotect((void *)stubs, len, PROT_READ | PROT_EXEC))
		goto fail;
	for (size_t i = 0; i < n; i++)
		arch_write_jump((void *)(c->start + site[i].offset), &site[i],
				(void *)(stubs + (i + 1) * ARCH_STUB_SIZE));
	c->stubs = stubs;
	c->stubs_len = len;
	c->sees = code_sees(site, n);
	return 0;
fail:
	munmap((void *)stubs, len);
	return -ENOTSUP;
}

int intercept(struct intercepted *c, const struct window_head *head, const uint16_t *nr, size_t nnr)
{
	struct arch_site site[SITES];
	size_t len = c->end - c->start;
	int rc;

	if (mprotect((void *)c->start, len, PROT_READ | PROT_WRITE | PROT_EXEC))
		return -errno;
	rc = lead(c, head, site, find_sites(c, nr, nnr, site));
	mprotect((void *)c->start, len, PROT_READ | PROT_EXEC);
	__builtin___clear_cache((char *)c->start, (char *)c->end);
	return rc;
}
