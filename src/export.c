/*
 * export.c - addresses that tasks publish under names.
 * Entry functions: export_named(), export_import().
 *
 * The names live in the registry, in a pool of blocks of powers of two, so that they outlast
 * the memory of their task until it is collected.  All of it is guarded by space.lock.  Every
 * prefix of a change is a valid state: an entry is complete before it is linked, and is
 * unlinked before it is freed; a killed writer loses at most the entry it was about to link.
 * Freestanding.
 */
#include "export.h"

#include <pip/pip.h>
#include <poll.h>

#include "base/str.h"
#include "root.h"

struct export_entry {
	struct export_entry *next; /* of the hash chain, or of the free list */
	struct export_entry *also; /* of the same exporter */
	void *value;
	uint32_t root_slot;
	int32_t pipid;
	uint32_t hash, class;
	char name[];
};

#define CLASS_MIN 6 /* 64 bytes */
#define CLASSES (sizeof(((struct space *)0)->free_names) / sizeof(struct export_entry *))
#define HEADS (sizeof(((struct space *)0)->names) / sizeof(struct export_entry *))

static uint32_t hash_name(const struct task *root, int pipid, const char *name)
{
	uint32_t h = 2166136261U ^ root->slot ^ (uint32_t)pipid << 12; /* FNV-1a */

	for (; *name; name++)
		h = (h ^ (unsigned char)*name) * 16777619U;
	return h;
}

static struct export_entry *allocate(struct space *sp, size_t size)
{
	struct export_entry *e;
	uint32_t class = 0;

	while ((1UL << (class + CLASS_MIN)) < size)
		if (++class >= CLASSES)
			return NULL;
	e = sp->free_names[class];
	if (e) {
		sp->free_names[class] = e->next;
	} else {
		size = 1UL << (class + CLASS_MIN);
		if (size > SPACE_NAMES - sp->names_used)
			return NULL;
		e = (struct export_entry *)((char *)(sp + 1) + sp->names_used);
		sp->names_used += size;
	}
	e->class = class;
	return e;
}

static struct export_entry *find(const struct task *root, int pipid, const char *name,
				 uint32_t hash)
{
	struct export_entry *e = root->space->names[hash % HEADS];

	while (e && (e->hash != hash || e->root_slot != root->slot || e->pipid != pipid ||
		     !str_equal(e->name, name)))
		e = e->next;
	return e;
}

/* All that one exporter has published. */
static struct export_entry **names_of(struct task *root, int pipid)
{
	return pipid == PIP_PIPID_ROOT ? &root->names : &root->names_of[pipid];
}

void export_announce(struct task *t)
{
	atomic_fetch_add(&t->export_news, 1);
	sys_futex_wake(&t->export_news, INT_MAX);
}

int export_named(struct task *t, const char *name, void *value)
{
	struct space *sp = t->space;
	struct task *root = root_of(t);
	struct export_entry *e, **own = names_of(root, t->pipid);
	uint32_t hash = hash_name(root, t->pipid, name);
	kernel_sigset_t mask = lock_acquire(&sp->lock);
	int rc = 0;

	if (find(root, t->pipid, name, hash)) {
		rc = -EBUSY;
	} else if (!(e = allocate(sp, sizeof(*e) + str_len(name) + 1))) {
		rc = -ENOMEM;
	} else {
		e->root_slot = root->slot;
		e->pipid = t->pipid;
		e->value = value;
		e->hash = hash;
		str_copy(e->name, name, str_len(name) + 1);
		e->also = *own;
		e->next = sp->names[hash % HEADS];
		atomic_signal_fence(memory_order_seq_cst); /* stores in program order, see above */
		*own = e;
		sp->names[hash % HEADS] = e;
	}
	lock_release(&sp->lock, mask);
	if (!rc)
		export_announce(t);
	return rc;
}

/*
 * Has this process ended, though nobody may have waited for it?  A pidfd tells, readable when
 * all its threads are gone (Linux 5.3); where it cannot be had, the answer is no.
 */
static bool has_ended(pid_t pid)
{
	struct pollfd end = { .events = POLLIN };
	struct timespec now = { 0, 0 };
	int rc;

	if (pid <= 0)
		return false; /* just being cloned */
	end.fd = (int)sys_call(SYS_pidfd_open, pid, 0, 0, 0, 0, 0);
	if (end.fd < 0)
		return end.fd == -ESRCH;
	do
		rc = (int)sys_call(SYS_ppoll, &end, 1, &now, NULL, 0, 0);
	while (rc == -EINTR);
	sys_close(end.fd);
	return rc > 0;
}

/* One look.  0, -EAGAIN or -ECANCELED; the task's news count goes to *seen. */
static int look(struct task *root, int pipid, const char *name, void **valuep, struct task **tp,
		uint32_t *seen)
{
	struct space *sp = root->space;
	kernel_sigset_t mask = lock_acquire(&sp->lock);
	struct task *t = pipid == PIP_PIPID_ROOT ? root : root_task(root, pipid);
	struct export_entry *e = find(root, pipid, name, hash_name(root, pipid, name));
	int rc = -EAGAIN;

	*tp = t;
	*seen = atomic_load(t ? &t->export_news : &root->export_news);
	if (t ? atomic_load(&t->export_closed) != 0 : root_had_task(root, pipid))
		rc = -ECANCELED;
	if (e) {
		if (valuep)
			*valuep = e->value;
		rc = 0;
	}
	lock_release(&sp->lock, mask);
	return rc;
}

int export_import(struct task *me, int pipid, const char *name, bool block, void **valuep)
{
	struct task *root = root_of(me), *t;
	/* A killed exporter announces nothing. */
	struct timespec limit = { 0, 1000000 };
	uint32_t seen = 0;
	int rc;

	while ((rc = look(root, pipid, name, valuep, &t, &seen)) == -EAGAIN) {
		if (t == me)
			return -EDEADLK;
		if (t && t != root && atomic_load(&t->state) == TASK_LIVE &&
		    has_ended(atomic_load(&t->pid))) {
			export_close(t);
			continue;
		}
		if (!block)
			return -EAGAIN;
		/* Without a task, the root's news: it tells of each new one, too. */
		sys_futex_wait(t ? &t->export_news : &root->export_news, seen, &limit);
		if (limit.tv_nsec < 50000000)
			limit.tv_nsec *= 2;
	}
	return rc;
}

void export_close(struct task *t)
{
	atomic_store(&t->export_closed, 1);
	export_announce(t);
}

void export_forget(struct task *root, int pipid)
{
	struct space *sp = root->space;
	struct export_entry *e, **own = names_of(root, pipid);

	while ((e = *own) != NULL) {
		struct export_entry **link = &sp->names[e->hash % HEADS];

		while (*link && *link != e)
			link = &(*link)->next;
		if (*link)
			*link = e->next;
		*own = e->also;
		e->next = sp->free_names[e->class];
		sp->free_names[e->class] = e;
	}
}
