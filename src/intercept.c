/* intercept.c - leads system calls of a loaded C library to stubs.  Entry function: intercept(). */
#include "intercept.h"

#include <link.h>
#include <string.h>
#include <sys/stat.h>

#include "copies.h"
#include "embryo/trap.h"

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

/* Is such a site in memory, too, at this offset of the code? */
static bool is_there(const struct intercepted *c, const struct arch_site *s, size_t offset)
{
	size_t from = offset < AROUND ? 0 : offset - AROUND, len = c->end - c->start;
	struct arch_site site[8];
	size_t n = arch_find_sites((void *)(c->start + from),
				   (offset + AROUND > len ? len : offset + AROUND) - from, from,
				   &s->nr, 1, site, 8);

	for (size_t i = 0; i < n && i < 8; i++)
		if (site[i].offset == offset && site[i].nr == s->nr && site[i].any == s->any &&
		    site[i].moved == s->moved)
			return true;
	return false;
}

/* As they were found in the file; 0 if that is not known, or if somebody has changed the code in
 * memory. */
static size_t known_sites(const struct intercepted *c, const uint16_t *nr, size_t nnr,
			  struct arch_site *site)
{
	const struct code_sites *sites = copies_libc_sites();
	const struct code *known;
	struct stat st;
	size_t n = 0;

	if (!c->file || !*c->file || stat(c->file, &st))
		return 0;
	known = copies_libc(&st);
	if (!known || (uint64_t)c->off != known->off || c->end - c->start != known->len)
		return 0;
	for (uint32_t i = 0; i < sites->n; i++) {
		const struct arch_site *s = &sites->site[i];

		if (!arch_site_is_wanted(s, nr, nnr))
			continue;
		site[n] = *s;
		site[n].offset -= (uint32_t)known->off;
		if (!is_there(c, s, site[n++].offset))
			return 0;
	}
	return n;
}

static size_t find_sites(const struct intercepted *c, const uint16_t *nr, size_t nnr,
			 struct arch_site *site)
{
	size_t n = known_sites(c, nr, nnr, site);

	return n ? n
		 : arch_find_sites((void *)c->start, c->end - c->start, 0, nr, nnr, site,
				   CODE_SITES);
}

/* The stubs, and the jumps to them.  0 or -errno. */
static int lead(struct intercepted *c, const struct window_head *head, const struct arch_site *site,
		size_t n)
{
	size_t len = page_up((n + 1) * ARCH_STUB_SIZE);
	uintptr_t stubs;

	if (n == 0 || n > CODE_SITES)
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
	struct arch_site site[CODE_SITES];
	size_t len = c->end - c->start;
	int rc;

	if (mprotect((void *)c->start, len, PROT_READ | PROT_WRITE | PROT_EXEC))
		return -errno;
	rc = lead(c, head, site, find_sites(c, nr, nnr, site));
	mprotect((void *)c->start, len, PROT_READ | PROT_EXEC);
	__builtin___clear_cache((char *)c->start, (char *)c->end);
	return rc;
}
