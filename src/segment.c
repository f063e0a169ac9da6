/*
 * segment.c - the table of segments.
 * Entry functions: pip_segment_make(), pip_segment_remove(), pip_segment_find().
 *
 * The table lies in the registry, since all programs read it, and needs no lock.  It is divided
 * into chunks; a program that makes segments owns one or more, and nobody else writes there.  Who
 * owns a chunk is a word that names a slot and its incarnation, so with its owner's end, however
 * that came, a chunk is void at once, and the next one who looks for a chunk may have it.
 *
 * An id is the entry's place in the table and, above that, a number that no other segment of the
 * chunk ever has.  These numbers begin at a random one, because an id that was made in another
 * space must not be taken for one of this.
 */
#include "segment.h"

#include <stdlib.h>
#include <sys/random.h>

#include "embryo/window.h"
#include "lib.h"
#include "self.h"
#include "space.h"

#define ENTRIES 64U  /* of a chunk, a bit each */
#define CHUNKS 8192U /* more than twice the slots */
#define INDEX_BITS 19
#define SERIAL_MASK ((1UL << (63 - INDEX_BITS)) - 1)

/* struct chunk.owner: incarnation << 32 | OWNER_CLEANS | slot + 1; 0 = nobody yet. */
#define OWNER_CLEANS (1UL << 31) /* and its ids are not valid */

struct entry {
	_Atomic uint64_t id; /* 0 = none; the following are valid while it stays the same */
	_Atomic uintptr_t start;
	_Atomic size_t size;
	_Atomic uint32_t mode, uid, gid;
};

struct chunk {
	_Atomic uint64_t owner;
	/* The owner's: */
	_Atomic uint64_t serial; /* of the last id; outlives owners */
	_Atomic uint64_t taken;  /* a bit for each entry */
	uint32_t next;           /* another of its chunks, index + 1 */
	struct entry entry[ENTRIES];
};

_Static_assert(CHUNKS *ENTRIES == 1U << INDEX_BITS, "an index is all places");
_Static_assert(CHUNKS * sizeof(struct chunk) <= SPACE_SEGMENTS, "their room");
_Static_assert(CHUNKS >= 2 * SPACE_TASKS, "at least one for each program");

static struct chunk *table(struct space *sp)
{
	return space_segments(sp);
}

static uint64_t owner_word(const struct task *t)
{
	return (uint64_t)t->incarnation << 32 | (t->slot + 1);
}

static bool owner_lives(struct space *sp, uint64_t owner)
{
	struct task *t = &sp->task[(owner & (OWNER_CLEANS - 1)) - 1];

	return atomic_load(&t->state) == TASK_LIVE &&
	       __atomic_load_n(&t->incarnation, __ATOMIC_RELAXED) == owner >> 32;
}

/* ---- An entry of one's own ----------------------------------------------------------------- */

static struct entry *take_entry(struct chunk *c)
{
	uint64_t taken = atomic_load(&c->taken);

	while (~taken) {
		uint64_t bit = ~taken & (taken + 1);

		if (atomic_compare_exchange_weak(&c->taken, &taken, taken | bit))
			return &c->entry[__builtin_ctzl(bit)];
	}
	return NULL;
}

/* Makes the first chunk that nobody alive owns the task's.  NULL = there is none. */
static struct chunk *claim_chunk(struct task *t)
{
	struct chunk *chunks = table(t->space);
	uint64_t me = owner_word(t), serial;

	/* Each slot begins at a place of its own, so that it finds its predecessor's. */
	for (uint32_t i = 0; i < CHUNKS; i++) {
		uint32_t index = (t->slot * 2 + i) % CHUNKS, next = atomic_load(&t->segments);
		struct chunk *c = &chunks[index];
		uint64_t owner = atomic_load(&c->owner);

		if ((owner && owner_lives(t->space, owner)) ||
		    !atomic_compare_exchange_strong(&c->owner, &owner, me | OWNER_CLEANS))
			continue;
		for (uint32_t k = 0; k < ENTRIES; k++)
			atomic_store(&c->entry[k].id, 0);
		atomic_store(&c->taken, 0);
		if (atomic_load(&c->serial) == 0 &&
		    getrandom(&serial, sizeof(serial), 0) == sizeof(serial))
			atomic_store(&c->serial, serial);
		do
			c->next = next;
		while (!atomic_compare_exchange_weak(&t->segments, &next, index + 1));
		atomic_store(&c->owner, me);
		return c;
	}
	return NULL;
}

static struct entry *find_room(struct task *t, struct chunk **cp)
{
	static _Atomic uint32_t last; /* the chunk that had room the last time */
	struct chunk *chunks = table(t->space), *c = &chunks[atomic_load(&last)];
	uint64_t me = owner_word(t);
	struct entry *e = atomic_load(&c->owner) == me ? take_entry(c) : NULL;
	uint32_t next = atomic_load(&t->segments);

	while (!e && next) {
		c = &chunks[next - 1];
		next = c->next;
		if (atomic_load(&c->owner) == me)
			e = take_entry(c);
	}
	/* Other threads may be the first to use what this one has claimed. */
	while (!e && (c = claim_chunk(t)))
		e = take_entry(c);
	if (e)
		atomic_store(&last, (uint32_t)(c - chunks));
	*cp = c;
	return e;
}

/* ---- What libxpmem calls ------------------------------------------------------------------- */

PIP_API int pip_segment_init(void)
{
	return self_task() ? 0 : -ENOENT;
}

PIP_API int64_t pip_segment_make(const struct segment *s)
{
	struct task *t = self_task();
	uint64_t serial, index;
	uintptr_t limit;
	struct chunk *c;
	struct entry *e;

	if (!t)
		return -ENOENT;
	limit = space_limit(t->space);
	if (s->size == 0 || s->start >= limit)
		return -EINVAL;
	if (s->size != SIZE_MAX && (page_down(s->start) != s->start ||
				    page_down(s->size) != s->size || s->size > limit - s->start))
		return -EINVAL;
	e = find_room(t, &c);
	if (!e)
		return -ENOMEM;
	/* Who sees one of these on an entry that was in use before sees that its id is gone. */
	atomic_thread_fence(memory_order_release);
	atomic_store_explicit(&e->start, s->start, memory_order_relaxed);
	atomic_store_explicit(&e->size, s->size == SIZE_MAX ? limit - s->start : s->size,
			      memory_order_relaxed);
	atomic_store_explicit(&e->mode, s->mode, memory_order_relaxed);
	atomic_store_explicit(&e->uid, s->uid, memory_order_relaxed);
	atomic_store_explicit(&e->gid, s->gid, memory_order_relaxed);
	do
		serial = (atomic_fetch_add(&c->serial, 1) + 1) & SERIAL_MASK;
	while (serial == 0);
	index = (uint64_t)(c - table(t->space)) * ENTRIES + (uint64_t)(e - c->entry);
	atomic_store_explicit(&e->id, serial << INDEX_BITS | index, memory_order_release);
	return (int64_t)(serial << INDEX_BITS | index);
}

/* A copy of an entry; the word that names its owner to *ownerp. */
static int look(struct task *t, int64_t id, struct segment *s, uint64_t *ownerp)
{
	uint64_t index = (uint64_t)id & ((1UL << INDEX_BITS) - 1);
	struct chunk *c;
	struct entry *e;

	if (id <= 0)
		return -EINVAL;
	if (!t)
		return -ENOENT;
	c = &table(t->space)[index / ENTRIES];
	e = &c->entry[index % ENTRIES];
	if (atomic_load(&e->id) != (uint64_t)id)
		return -ENOENT;
	*ownerp = atomic_load(&c->owner);
	s->start = atomic_load_explicit(&e->start, memory_order_relaxed);
	s->size = atomic_load_explicit(&e->size, memory_order_relaxed);
	s->mode = atomic_load_explicit(&e->mode, memory_order_relaxed);
	s->uid = atomic_load_explicit(&e->uid, memory_order_relaxed);
	s->gid = atomic_load_explicit(&e->gid, memory_order_relaxed);
	atomic_thread_fence(memory_order_acquire);
	s->own = *ownerp == owner_word(t);
	/* A new owner of the chunk is its owner only when the old one's ids are gone. */
	if (*ownerp & OWNER_CLEANS || !owner_lives(t->space, *ownerp) ||
	    atomic_load(&e->id) != (uint64_t)id)
		return -ENOENT;
	return 0;
}

PIP_API int pip_segment_find(int64_t id, struct segment *s)
{
	uint64_t owner;

	return look(self_task(), id, s, &owner);
}

PIP_API int pip_segment_remove(int64_t id)
{
	struct task *t = self_task();
	uint64_t owner, expected = (uint64_t)id, index;
	struct segment s;
	struct chunk *c;
	int rc = look(t, id, &s, &owner);

	if (rc)
		return rc;
	if (!s.own)
		return -EACCES;
	index = (uint64_t)id & ((1UL << INDEX_BITS) - 1);
	c = &table(t->space)[index / ENTRIES];
	/* One of several threads gets it. */
	if (!atomic_compare_exchange_strong(&c->entry[index % ENTRIES].id, &expected, 0))
		return -ENOENT;
	atomic_fetch_and(&c->taken, ~(1UL << index % ENTRIES));
	return 0;
}

PIP_API bool pip_segment_own_memory(const void *at)
{
	struct task *t = self_task();
	struct task *owner = t ? window_owner(t->space, at) : NULL;

	return owner ? owner == t : self_is_root();
}

/* After exit() nobody gets access any more, though the memory is there until it is waited for. */
__attribute__((destructor)) static void forget(void)
{
	struct task *t = self_task();

	for (uint32_t next = t ? atomic_load(&t->segments) : 0; next;) {
		struct chunk *c = &table(t->space)[next - 1];

		for (uint32_t k = 0; k < ENTRIES; k++)
			atomic_store(&c->entry[k].id, 0);
		next = c->next;
	}
}
