/*
 * kept.c - what a window keeps for its next program.
 * Entry functions: kept_open(), kept_interp(), kept_repeat(), kept_hold().
 *
 *	start		guard	stack	(a page)	ld.so	libc	cache	small	end
 *
 * cache is /etc/ld.so.cache; small is memory for what ld.so allocates.  The record of what is
 * mapped lies in the window's head (struct kept).
 *
 * A program is free to change all this, by calls of its own or through a debugger.  What can be
 * seen of that, so that nothing is kept then:
 *
 * 	calls of libc, such as mprotect()	kept_change()
 * 	pages written to, by whomever		check(): they are no longer the file's
 */
#include "embryo/kept.h"

#include <elf.h>
#include <string.h>

#include <pip/pip.h>

#include "base/str.h"
#include "copies.h"

#define SMALL (64UL << 10) /* for TLS and the like of a program with few libraries */
#define CACHE_MOST (256UL << 10)
#define STACK_KEPT (64UL << 10) /* of a used one: to zero is quicker than to unmap and fault */

#define PAGEMAP_USED (3UL << 62) /* in memory, or swapped out: Documentation/admin-guide/mm */
#define PAGEMAP_FILE (1UL << 61) /* a file's, or of shared memory */
#define ENTRIES 1024

static struct kept *kept_of(const struct task *t)
{
	return t->window ? &t->window->kept : NULL;
}

static uintptr_t stack_of(const struct kept *k)
{
	return k->start + KEPT_STACK_GUARD;
}

static uintptr_t stack_end(const struct kept *k)
{
	return stack_of(k) + PIP_STACK_SIZE;
}

/* The last two are at the end, whatever the libraries' sizes. */
static uintptr_t small_of(const struct kept *k)
{
	return k->end - SMALL;
}

static uintptr_t cache_of(const struct kept *k)
{
	return small_of(k) - CACHE_MOST;
}

uintptr_t kept_open(struct task *t, uintptr_t at)
{
	struct kept *k = kept_of(t);
	size_t room = k->start ? 0 : copies_room();

	if (room) {
		k->start = at;
		k->end = stack_end(k) + PAGE + room + CACHE_MOST + SMALL;
	}
	return k->start ? k->end : at;
}

/* ---- What a program has left ---------------------------------------------------------------- */

static bool is_within(uintptr_t at, size_t len, const struct kept_range *r)
{
	return at >= r->start && at + len <= r->end;
}

/* May a page be the program's own?  One of what was zero at first is made so again. */
static bool reset_page(const struct kept *k, uintptr_t page)
{
	if (page < stack_end(k) || is_within(page, PAGE, &k->bss) ||
	    is_within(page, PAGE, &k->small)) {
		memset((void *)page, 0, PAGE);
		return true;
	}
	return is_within(page, PAGE, &k->data[0]) || is_within(page, PAGE, &k->data[1]);
}

/* Have only those pages been written to that a program is meant to write to? */
static bool check(const struct kept *k)
{
	uint64_t entry[ENTRIES];
	int fd = sys_open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	uintptr_t at = stack_end(k) - STACK_KEPT;

	if (fd < 0)
		return false;
	while (at < k->end) {
		size_t n = (k->end - at) / PAGE;

		n = n < ENTRIES ? n : ENTRIES;
		if (sys_pread(fd, entry, n * 8, (off_t)(at / PAGE * 8)) != (ssize_t)(n * 8))
			break;
		for (size_t i = 0; i < n; i++, at += PAGE)
			if (entry[i] & PAGEMAP_USED && !(entry[i] & PAGEMAP_FILE) &&
			    !reset_page(k, at))
				goto out;
	}
out:
	sys_close(fd);
	return at >= k->end;
}

static void give_up(struct kept *k)
{
	sys_munmap(k->start, k->end - k->start);
	*k = (struct kept){ .start = k->start, .end = k->end };
}

/* ---- The dynamic linker and the stack ------------------------------------------------------- */

/* What ld.so allocates before libc's malloc() is there. */
static void map_small(struct kept *k)
{
	uintptr_t at = sys_mmap(small_of(k), SMALL, PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

	if (!sys_failed(at))
		k->small = (struct kept_range){ at, at + SMALL };
}

uintptr_t kept_interp(struct task *t, const struct image *interp, const struct code *c,
		      bool *is_there)
{
	struct kept *k = kept_of(t);
	size_t align = interp->elf.align;
	uintptr_t at;

	*is_there = false;
	if (!k->start)
		return 0;
	if (k->interp.end && (k->object != c->fd_ino || !check(k)))
		give_up(k);
	*is_there = k->interp.end;
	k->use = *is_there ? KEPT_READY : KEPT_NEW;
	if (!*is_there) {
		k->object = c->fd_ino;
		map_small(k);
	}
	at = (stack_end(k) + PAGE + c->front + align - 1) & ~(align - 1);
	return at + interp->elf.span_len <= cache_of(k) ? at : 0;
}

void kept_has_interp(struct task *t, const struct image *interp)
{
	struct kept *k = kept_of(t);
	const struct elf_info *elf = &interp->elf;
	uintptr_t at = interp->bias + elf->span_start;

	/* Of several data segments, or one with more than its file has, the others are unknown:
	 * check() will find them. */
	for (unsigned i = 0; i < elf->nload; i++) {
		const struct elf_load *s = &elf->load[i];

		if (s->flags & PF_W)
			k->data[0] =
				(struct kept_range){ interp->bias + page_down(s->vaddr),
						     interp->bias + page_up(s->vaddr + s->filesz) };
	}
	k->interp = (struct kept_range){ at, at + elf->span_len };
}

uintptr_t kept_stack(struct task *t, size_t size, int prot, bool *is_there)
{
	struct kept *k = kept_of(t);

	*is_there = false;
	if (k->use == KEPT_NOT || size != PIP_STACK_SIZE || prot & PROT_EXEC ||
	    (k->use == KEPT_READY && !k->has_stack))
		return 0;
	*is_there = k->has_stack;
	return stack_of(k);
}

void kept_has_stack(struct task *t, uintptr_t at)
{
	struct kept *k = kept_of(t);

	k->has_stack |= k->use == KEPT_NEW && at == stack_of(k);
}

/* ---- The C library -------------------------------------------------------------------------- */

uintptr_t kept_libc(struct task *t, const struct code *c, size_t len)
{
	struct kept *k = kept_of(t);
	uintptr_t at = k->interp.end + c->front;

	if (k->use != KEPT_NEW || !k->interp.end || k->nparts || c->fd_ino != k->object ||
	    page_up(len) > cache_of(k) - at)
		return 0;
	return at;
}

void kept_note(struct task *t, uintptr_t at, size_t len, int prot, int flags, off_t off)
{
	struct kept *k = kept_of(t);

	if (!k || k->use != KEPT_NEW || at < k->interp.end || at + len > cache_of(k))
		return;
	if (k->nparts == KEPT_PARTS) {
		k->changed = 1;
		return;
	}
	if (prot & PROT_WRITE)
		*(flags & MAP_ANONYMOUS ? &k->bss : &k->data[1]) =
			(struct kept_range){ at, at + page_up(len) };
	k->part[k->nparts++] = (struct kept_part){ at, len, off, prot, flags };
}

bool kept_repeat(struct task *t, uintptr_t at, size_t len, int prot, int flags, int fd, off_t off,
		 uintptr_t *ret)
{
	struct kept *k = kept_of(t);
	const struct kept_part *p;

	if (!k || k->use != KEPT_READY || k->next == k->nparts)
		return false;
	p = &k->part[k->next];
	if (at ? at != p->at : k->next != 0)
		return false;
	if (len != p->len || prot != p->prot || off != p->off || flags != p->flags ||
	    (!(flags & MAP_ANONYMOUS) && load_restore(p->at, len, prot, fd, off))) {
		k->changed = 1;
		return false;
	}
	k->next++;
	*ret = p->at;
	return true;
}

/* ---- Other mappings of the dynamic linker --------------------------------------------------- */

static uintptr_t small_mapping(struct kept *k, size_t len)
{
	uintptr_t at = k->small.start + k->small_used;

	if (page_up(len) > k->small.end - at)
		return 0;
	k->small_used += page_up(len);
	return at;
}

static bool is_cache(const struct stat *st)
{
	struct stat cache;

	return sys_call(SYS_newfstatat, AT_FDCWD, "/etc/ld.so.cache", &cache, 0, 0, 0) == 0 &&
	       cache.st_dev == st->st_dev && cache.st_ino == st->st_ino;
}

static uintptr_t cache_mapping(struct kept *k, size_t len, int fd)
{
	struct stat st;
	uintptr_t at = cache_of(k);

	if (len > CACHE_MOST || sys_fstat(fd, &st))
		return 0;
	if (k->cache.end)
		return st.st_dev == k->cache_dev && st.st_ino == k->cache_ino &&
				       page_up(len) == k->cache.end - at
			       ? at
			       : 0;
	if (k->use != KEPT_NEW || !is_cache(&st) ||
	    sys_failed(sys_mmap(at, len, PROT_READ, MAP_PRIVATE | MAP_FIXED_NOREPLACE, fd, 0)))
		return 0;
	k->cache_dev = st.st_dev;
	k->cache_ino = st.st_ino;
	k->cache = (struct kept_range){ at, at + page_up(len) };
	return at;
}

uintptr_t kept_mapping(struct task *t, size_t len, int prot, int flags, int fd, off_t off)
{
	struct kept *k = kept_of(t);

	if (!k || k->use == KEPT_NOT)
		return 0;
	if (prot == (PROT_READ | PROT_WRITE) && flags == (MAP_PRIVATE | MAP_ANONYMOUS))
		return small_mapping(k, len);
	if (prot == PROT_READ && flags == MAP_PRIVATE && off == 0)
		return cache_mapping(k, len, fd);
	return 0;
}

bool kept_stays(struct task *t, uintptr_t at, size_t len)
{
	struct kept *k = kept_of(t);

	return k && len && at == k->cache.start && at + page_up(len) == k->cache.end;
}

/* ---- The program ---------------------------------------------------------------------------- */

void kept_begin(struct task *t)
{
	struct kept *k = kept_of(t);

	if (k && k->use == KEPT_NEW)
		k->use = KEPT_READY;
}

void kept_change(struct task *t, uintptr_t at, size_t len, bool data_too)
{
	struct kept *k = kept_of(t);

	if (!k || at >= k->end || at + len <= k->start)
		return;
	if (data_too || !(is_within(at, len, &k->data[0]) || is_within(at, len, &k->data[1])))
		k->changed = 1;
}

uintptr_t kept_hold(struct task *t)
{
	struct kept *k = kept_of(t);

	/* Memory that is locked cannot be emptied; another program may have locked all there is. */
	if (!k->interp.end || k->use == KEPT_NEW || k->changed ||
	    (k->has_stack &&
	     sys_madvise(stack_of(k), PIP_STACK_SIZE - STACK_KEPT, MADV_DONTNEED))) {
		*k = (struct kept){ .start = 0 };
		return 0;
	}
	if (!k->left_out)
		sys_madvise(k->start, k->end - k->start, MADV_DONTFORK);
	k->left_out = 1;
	k->use = KEPT_NOT;
	k->next = k->small_used = 0;
	return k->end;
}
