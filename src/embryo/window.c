/*
 * window.c - the address allocator of a task.
 * Entry functions: window_open(), window_map(), window_unused(), window_close(), window_owner().
 *
 * The truth about what is mapped is the kernel's.  What is kept here are free ranges it is
 * worth trying: a never-used part (between bump and limit, handed out by an atomic addition)
 * and a list of gaps that unmapping left.  Every range is mapped with MAP_FIXED_NOREPLACE, so a
 * wrong entry costs one more attempt and nothing else.  That is why losing entries is allowed:
 * when the list is full, or busy (it is never waited for: the caller may be a signal handler on
 * top of its holder, or the holder may be dead), a range is simply forgotten until the task's
 * end.
 */
#include "embryo/window.h"

#include <string.h>

#include "embryo/kept.h"

#define HUGE (2UL << 20)
#define SPREAD (256UL << 10)

static uintptr_t round_up(uintptr_t v, size_t align)
{
	return (v + align - 1) & ~(align - 1);
}

static uintptr_t window_start(struct space *sp, uint32_t index)
{
	return sp->area + ((uintptr_t)index << sp->window_shift);
}

static size_t window_size(const struct space *sp)
{
	return (size_t)1 << sp->window_shift;
}

struct task *window_owner(struct space *sp, const void *at)
{
	uintptr_t off = (uintptr_t)at - sp->area;
	uint16_t owner;

	if (off >> sp->window_shift >= sp->nwindows)
		return NULL;
	owner = atomic_load_explicit(&sp->owner[off >> sp->window_shift], memory_order_relaxed);
	return owner && owner != SPACE_NOBODY ? &sp->task[owner - 1] : NULL;
}

bool window_owns(struct task *t, uintptr_t at, size_t len)
{
	uintptr_t end = at + len - 1;

	if (len == 0 || end < at)
		return false;
	for (; at < end; at = round_up(at + 1, window_size(t->space)))
		if (window_owner(t->space, (void *)at) != t)
			return false;
	return window_owner(t->space, (void *)end) == t;
}

/* Takes n neighbouring windows, searching from a given index; returns the first one's or -1. */
static int64_t claim(struct task *t, uint32_t n, uint32_t from)
{
	struct space *sp = t->space;
	uint16_t mark = (uint16_t)(t->slot + 1);

	atomic_fetch_add(&t->nwindows,
			 n); /* before, so that a task killed here has not one too few */
	for (uint32_t tried = 0; tried < sp->nwindows; tried++) {
		uint32_t first = (from + tried) % sp->nwindows, got = 0;

		if (n > sp->nwindows - first)
			continue;
		while (got < n) {
			uint16_t nobody = 0;

			if (!atomic_compare_exchange_strong(&sp->owner[first + got], &nobody, mark))
				break;
			got++;
		}
		if (got == n)
			return first;
		tried += got; /* the one that stopped us cannot be part of a run either */
		while (got)
			atomic_store(&sp->owner[first + --got], 0);
	}
	atomic_fetch_sub(&t->nwindows, n);
	return -1;
}

/*
 * The first page of each window tells whose it is: the stubs of the system call traps look there
 * (loader/code.h).  A fork's child finds it empty, so what runs there makes its calls as they are.
 */
static int sign(struct task *t, uintptr_t start)
{
	uintptr_t page = sys_mmap(start, PAGE, PROT_READ | PROT_WRITE,
				  MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	int rc;

	if (sys_failed(page))
		return (int)page;
	rc = sys_madvise(page, PAGE, MADV_WIPEONFORK);
	*(struct window_head *)page = (struct window_head){ .entry = arch_trap_entry, .task = t };
	t->space->headed[(start - t->space->area) >> t->space->window_shift] = 1;
	return rc;
}

/* ---- Windows that are kept with their fronts ----------------------------------------------- */

void window_empty(struct task *t)
{
	uintptr_t start = (uintptr_t)t->window, from;

	if (t->memory.is_empty)
		return;
	from = kept_hold(t);
	if (!from)
		from = start + PAGE + t->memory.front;
	sys_munmap(from, start + window_size(t->space) - from);
	t->memory.is_empty = 1;
}

/*
 * Most of what an embryo needs before it has a program is the same for the next one, and each
 * mapping, unmapping and first access holds up all other programs of the space.
 *
 * Who is killed in the middle of these two loses no window: before it is nobody's, it is found
 * among the dead program's, and from then on among the idle ones.
 */
static bool become_idle(struct task *t, uint32_t index)
{
	struct space *sp = t->space;
	uint16_t mine = (uint16_t)(index + 1);
	int i;

	for (i = 0; i < SPACE_IDLE; i++) {
		uint16_t none = 0;

		if (atomic_compare_exchange_strong(&sp->idle[i], &none, mine) || none == mine)
			break;
	}
	if (i == SPACE_IDLE)
		return false;
	window_empty(t);
	atomic_store(&sp->owner[index], SPACE_NOBODY);
	return true;
}

/* Takes one of them; false if there is none. */
static bool take_idle(struct task *t)
{
	struct space *sp = t->space;

	for (int i = 0; i < SPACE_IDLE; i++) {
		uint16_t entry = atomic_load(&sp->idle[i]), nobody = SPACE_NOBODY;
		struct window_head *head;

		if (!entry)
			continue;
		atomic_store(&t->nwindows, 1);
		if (!atomic_compare_exchange_strong(&sp->owner[entry - 1], &nobody,
						    (uint16_t)(t->slot + 1)))
			continue;
		atomic_compare_exchange_strong(&sp->idle[i], &entry, 0);
		head = (struct window_head *)window_start(sp, (uint32_t)entry - 1);
		memset(head, 0, offsetof(struct window_head, front));
		head->entry = arch_trap_entry;
		head->task = t;
		t->window = head;
		t->memory.left_out = t->memory.has_new = 1;
		return true;
	}
	atomic_store(&t->nwindows, 0);
	return false;
}

int window_open(struct task *t, uint64_t random, size_t front)
{
	struct task_memory *m = &t->memory;
	size_t size = window_size(t->space);
	uintptr_t start;

	m->front = front;
	m->keep_on_fork = 1; /* until its forks are seen: embryo/trap.c */
	if (!front || !take_idle(t)) {
		int64_t index = claim(t, 1, (uint32_t)(random >> 40) % t->space->nwindows);

		if (index < 0)
			return -EAGAIN;
		start = window_start(t->space, (uint32_t)index);
		if (sign(t, start))
			return -ENOMEM;
		t->window = (struct window_head *)start;
	}
	start = (uintptr_t)t->window;
	m->ngaps = 0;
	m->bump = start + PAGE + front;
	if (front)
		m->bump = kept_open(t, m->bump + (random >> 51) % (size / 8 / SPREAD) * SPREAD);
	m->bump += (random & 0xfffff) % (size / (front ? 8 : 4) / PAGE) * PAGE;
	m->limit = start + size / 4 * 3;
	t->window->brk_start = m->limit + (random >> 20 & 0xfffff) % (size / 16 / PAGE) * PAGE;
	t->window->brk = t->window->brk_start;
	t->window->brk_limit = start + size;
	return 0;
}

/* ---- Free ranges --------------------------------------------------------------------------- */

static bool gaps_trylock(struct task_memory *m)
{
	return !atomic_exchange_explicit(&m->gaps_busy, 1, memory_order_acquire);
}

static void gaps_unlock(struct task_memory *m)
{
	atomic_store_explicit(&m->gaps_busy, 0, memory_order_release);
}

static void gap_remove(struct task_memory *m, uint32_t i)
{
	for (; i + 1 < m->ngaps; i++)
		m->gaps[i] = m->gaps[i + 1];
	m->ngaps--;
}

/* Adds a range at its place by address, joined with its neighbours.  A full list forgets its
 * smallest range. */
static void gap_add(struct task_memory *m, uintptr_t start, uintptr_t end)
{
	uint32_t i = 0;

	if (start >= end)
		return;
	while (i < m->ngaps && m->gaps[i].end < start)
		i++;
	/* All entries from i on end at or behind start: those that touch the range join it. */
	while (i < m->ngaps && m->gaps[i].start <= end) {
		start = m->gaps[i].start < start ? m->gaps[i].start : start;
		end = m->gaps[i].end > end ? m->gaps[i].end : end;
		gap_remove(m, i);
	}
	if (m->ngaps == TASK_GAPS) {
		uint32_t least = 0;

		for (uint32_t k = 1; k < m->ngaps; k++)
			if (m->gaps[k].end - m->gaps[k].start <
			    m->gaps[least].end - m->gaps[least].start)
				least = k;
		if (m->gaps[least].end - m->gaps[least].start >= end - start)
			return;
		gap_remove(m, least);
		if (least < i)
			i--;
	}
	for (uint32_t k = m->ngaps; k > i; k--)
		m->gaps[k] = m->gaps[k - 1];
	m->gaps[i].start = start;
	m->gaps[i].end = end;
	m->ngaps++;
}

/* Takes a range out of the list; the parts around it stay. */
static void gap_cut(struct task_memory *m, uintptr_t start, uintptr_t end)
{
	for (uint32_t i = 0; i < m->ngaps;) {
		struct gap g = m->gaps[i];

		if (g.end <= start || g.start >= end) {
			i++;
			continue;
		}
		gap_remove(m, i);
		gap_add(m, g.start, start);
		gap_add(m, end, g.end);
	}
}

/* A task that maps or unmaps something in its window's front, or between that and what else is
 * kept, takes it out of use. */
static void check_front(struct task *t, uintptr_t at, size_t len)
{
	uintptr_t start = (uintptr_t)t->window, end = start + PAGE + t->memory.front;

	if (t->window && t->window->kept.start)
		end = t->window->kept.start;
	if (at < end && at + len > start)
		t->memory.front = 0;
}

void window_unused(struct task *t, uintptr_t at, size_t len)
{
	check_front(t, at, len);
	if (!window_owns(t, at, len) || !gaps_trylock(&t->memory))
		return;
	gap_add(&t->memory, at, at + page_up(len));
	gaps_unlock(&t->memory);
}

void window_used(struct task *t, uintptr_t at, size_t len)
{
	check_front(t, at, len);
	if (!gaps_trylock(&t->memory))
		return;
	gap_cut(&t->memory, at, at + page_up(len));
	gaps_unlock(&t->memory);
}

static uintptr_t reserve_gap(struct task_memory *m, size_t len, size_t align)
{
	uintptr_t found = 0;

	if (!gaps_trylock(m))
		return 0;
	for (uint32_t i = 0; i < m->ngaps && !found; i++) {
		uintptr_t at = round_up(m->gaps[i].start, align);

		if (at < m->gaps[i].end && m->gaps[i].end - at >= len)
			found = at;
	}
	if (found)
		gap_cut(m, found, found + len);
	gaps_unlock(m);
	return found;
}

static uintptr_t reserve_new(struct task *t, size_t len, size_t align)
{
	struct task_memory *m = &t->memory;
	uintptr_t from = atomic_load(&m->bump);

	for (;;) {
		uintptr_t at = round_up(from, align);

		if (at + len < at || at + len > atomic_load(&m->limit))
			return 0;
		if (atomic_compare_exchange_weak(&m->bump, &from, at + len)) {
			if (at != from)
				window_unused(t, from, at - from);
			return at;
		}
	}
}

static uintptr_t reserve_more_windows(struct task *t, size_t len, size_t align)
{
	struct space *sp = t->space;
	size_t size = window_size(sp), span = len + align + PAGE;
	uint32_t n = (uint32_t)((span + size - 1) >> sp->window_shift);
	uintptr_t start, at;
	int64_t index;

	if (span < len || (span + size - 1) >> sp->window_shift > sp->nwindows)
		return 0;
	index = claim(t, n, (uint32_t)((t->memory.limit - sp->area) >> sp->window_shift));
	if (index < 0)
		return 0;
	start = window_start(sp, (uint32_t)index);
	if (sign(t, start))
		return 0;
	at = round_up(start + PAGE, align);
	window_unused(t, start + PAGE, at - start - PAGE);
	window_unused(t, at + len, start + n * size - at - len);
	return at;
}

uintptr_t window_reserve(struct task *t, size_t len, size_t align)
{
	uintptr_t at;

	if (len == 0 || len > (size_t)1 << 46)
		return 0;
	len = page_up(len);
	at = reserve_gap(&t->memory, len, align);
	if (!at)
		at = reserve_new(t, len, align);
	if (!at)
		at = reserve_more_windows(t, len, align);
	return at;
}

/* Of several windows that were taken for something large, only the first has a head. */
static bool has_head(struct space *sp, uintptr_t at)
{
	return sp->headed[(at - sp->area) >> sp->window_shift];
}

uintptr_t window_reserve_code(struct task *t, size_t len, size_t align)
{
	uintptr_t at = window_reserve(t, len, align);

	if (!at || has_head(t->space, at))
		return at;
	window_unused(t, at, len);
	at = reserve_new(t, page_up(len), align);
	return at ? at : reserve_more_windows(t, page_up(len), align);
}

/*
 * Once others' forks leave this task out, they have to leave out what it maps from now on, too.
 * Who forks next advises the kernel of all of it at once; a fork in between copies it for nothing.
 */
static void note_new(struct task *t)
{
	if (!atomic_load(&t->memory.has_new))
		atomic_store(&t->memory.has_new, 1);
}

static bool is_left_out(struct task_memory *m)
{
	return atomic_load(&m->left_out) && !atomic_load(&m->has_new);
}

/* Has it mappings that no fork of its own needs?  A program's, or those of an embryo that has
 * forked and may be placing one. */
static bool may_leave_out(const struct task *t)
{
	if (atomic_load(&t->memory.keep_on_fork))
		return false;
	return atomic_load(&t->state) == TASK_LIVE ||
	       (t->launched == LAUNCH_EMBRYO && atomic_load(&t->stage) == STAGE_LOADED);
}

void window_leave_out(struct space *sp, const struct task *except)
{
	for (uint32_t i = 0; i < atomic_load(&sp->nslots); i++) {
		struct task *t = &sp->task[i];
		struct task_memory *m = &t->memory;
		kernel_sigset_t mask;

		if (t == except || !may_leave_out(t) || is_left_out(m))
			continue;
		/* Not while it forks itself; its memory is copied then, for nothing. */
		if (!lock_try(&m->fork_lock, &mask))
			continue;
		if (may_leave_out(t)) {
			atomic_store(&m->left_out, 1);
			atomic_store(&m->has_new, 0);
			window_advise(t, MADV_DONTFORK);
		}
		lock_release(&m->fork_lock, mask);
	}
}

void window_adopt(struct task *t, uintptr_t at, size_t len)
{
	note_new(t);
	if (window_owns(t, at, len))
		return;
	for (int i = 0; i < TASK_FOREIGN; i++) {
		struct gap *g = &t->memory.foreign[i];

		if (g->start == 0) {
			g->end = at + page_up(len);
			g->start = at;
			return;
		}
	}
}

uintptr_t window_map(struct task *t, size_t len, size_t align, int prot, int flags, int fd,
		     off_t off)
{
	uintptr_t at, ret;

	if (align < PAGE)
		align = len >= HUGE ? HUGE
				    : PAGE; /* as the kernel does for transparent huge pages */
	for (int attempt = 0; attempt < 64; attempt++) {
		at = window_reserve(t, len, align);
		if (!at)
			break;
		ret = sys_mmap(at, len, prot, flags | MAP_FIXED_NOREPLACE, fd, off);
		if (!sys_failed(ret)) {
			note_new(t);
			return ret;
		}
		if (ret == (uintptr_t)-EEXIST)
			continue; /* something grew into this range: it is not free after all */
		window_unused(t, at, len);
		if (ret != (uintptr_t)-EINVAL)
			return ret;
		break; /* a file system may want an alignment that only the kernel knows */
	}
	ret = sys_mmap(0, len, prot, flags, fd, off);
	if (!sys_failed(ret))
		window_adopt(t, ret, len);
	return ret;
}

void window_disown(struct task *t, uintptr_t at, size_t len)
{
	for (int i = 0; i < TASK_FOREIGN; i++) {
		struct gap *g = &t->memory.foreign[i];

		if (g->start >= at && g->end <= at + page_up(len))
			g->start = 0;
	}
}

/* The next window of a task at or behind *i; false when there is none. */
static bool next_window(struct task *t, uint32_t *i)
{
	struct space *sp = t->space;
	uint16_t mark = (uint16_t)(t->slot + 1);

	if (atomic_load(&t->nwindows) == 1 &&
	    t->window) { /* nearly all have their first one only */
		uint32_t only = (uint32_t)(((uintptr_t)t->window - sp->area) >> sp->window_shift);

		*i = *i <= only ? only : sp->nwindows;
	}
	while (*i < sp->nwindows &&
	       atomic_load_explicit(&sp->owner[*i], memory_order_relaxed) != mark)
		++*i;
	return *i < sp->nwindows;
}

void window_close(struct task *t)
{
	struct space *sp = t->space;
	/* Who forks must not take for this task's what is another's already. */
	kernel_sigset_t mask = lock_acquire(&t->memory.fork_lock);

	for (uint32_t i = 0; next_window(t, &i); i++) {
		if (t->memory.front && window_start(sp, i) == (uintptr_t)t->window &&
		    become_idle(t, i))
			continue;
		sys_munmap(window_start(sp, i), window_size(sp));
		sp->headed[i] = 0;
		atomic_store(&sp->owner[i], 0);
	}
	lock_release(&t->memory.fork_lock, mask);
	t->window = NULL;
	t->nwindows = 0;
	for (int i = 0; i < TASK_FOREIGN; i++) {
		struct gap *g = &t->memory.foreign[i];

		if (g->start)
			sys_munmap(g->start, g->end - g->start);
		g->start = 0;
	}
}

/*
 * The call skips the holes of the range (and says ENOMEM about them, which is no error here),
 * but at a device's mapping it stops with EINVAL: then the parts are tried, the larger first.
 */
static void advise(uintptr_t at, size_t len, int advice)
{
	uintptr_t end = at + len;

	while (at < end) {
		size_t part = end - at;

		while (sys_madvise(at, part, advice) == -EINVAL && part > PAGE)
			part = page_up(part / 2);
		at += part;
	}
}

void window_advise(struct task *t, int advice)
{
	struct space *sp = t->space;

	if (advice == MADV_DOFORK && t->window)
		t->window->kept.left_out = 0;
	for (uint32_t i = 0; next_window(t, &i); i++) {
		uintptr_t from = window_start(sp, i), end = from + window_size(sp);

		if (advice == MADV_DOFORK && t->memory.front && from == (uintptr_t)t->window) {
			advise(from, PAGE, advice);
			from += PAGE + t->memory.front;
		}
		advise(from, end - from, advice);
	}
	for (int i = 0; i < TASK_FOREIGN; i++) {
		struct gap *g = &t->memory.foreign[i];

		if (g->start)
			advise(g->start, g->end - g->start, advice);
	}
}
