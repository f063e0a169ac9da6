/* intercept.c - leads system calls of a loaded C library to stubs.  Entry function: intercept(). */
#include "intercept.h"

#include <link.h>

#include "embryo/trap.h"

#define SITES 255
#define STEP (256UL << 10)
#define NEAR (100UL << 20) /* within the reach of a branch on every CPU (aarch64: 128 MiB) */

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
		return true;
	}
	return false;
}

static int try_object(struct dl_phdr_info *info, size_t size, void *arg)
{
	struct search *s = arg;

	(void)size;
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

	for (size_t away = 0; away < NEAR && !got; away += STEP) {
		got = map_at(c->end + away, len);
		if (!got)
			got = map_at(c->start - len - away, len);
	}
	return got;
}

int intercept(struct intercepted *c, const struct window_head *head, const uint16_t *nr, size_t nnr)
{
	struct arch_site site[SITES];
	size_t len, text_len = c->end - c->start;
	void *text = (void *)c->start;
	size_t n = arch_find_sites(text, text_len, 0, nr, nnr, site, SITES);
	uintptr_t stubs;

	if (n == 0 || n > SITES)
		return -ENOTSUP;
	len = page_up((n + 1) * ARCH_STUB_SIZE);
	stubs = map_stubs(c, len);
	if (!stubs)
		return -ENOMEM;
	arch_write_stub_head((void *)stubs, 0, head, (void *)(uintptr_t)arch_trap_entry);
	for (size_t i = 0; i < n; i++)
		if (!arch_write_stub((void *)(stubs + (i + 1) * ARCH_STUB_SIZE), (void *)stubs,
				     &site[i], (void *)(c->start + site[i].offset)))
			return -ENOTSUP;
	if (mprotect((void *)stubs, len, PROT_READ | PROT_EXEC) ||
	    mprotect(text, text_len, PROT_READ | PROT_WRITE | PROT_EXEC)) {
		int rc = -errno;

		munmap((void *)stubs, len);
		return rc;
	}
	for (size_t i = 0; i < n; i++)
		arch_write_jump((void *)(c->start + site[i].offset), &site[i],
				(void *)(stubs + (i + 1) * ARCH_STUB_SIZE));
	mprotect(text, text_len, PROT_READ | PROT_EXEC);
	__builtin___clear_cache((char *)c->start, (char *)c->end);
	c->stubs = stubs;
	c->stubs_len = len;
	c->sees = code_sees(site, n);
	return 0;
}
