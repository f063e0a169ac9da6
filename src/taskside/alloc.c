/*
 * alloc.c - malloc and free in one space.  Entry functions: free() and its kin, in libc's place.
 *
 * Each program has an allocator of its own, and only its own threads may enter it.  A block that
 * another program frees is therefore put on its owner's list, which the owner empties at its next
 * call.  Whose block it is shows by its address: a task's lies in its windows, all others are the
 * root's.
 */
#include <dlfcn.h>
#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "embryo/window.h"
#include "lib.h"
#include "root.h"
#include "self.h"

static struct {
	void *(*malloc)(size_t);
	void (*free)(void *);
	void *(*calloc)(size_t, size_t);
	void *(*realloc)(void *, size_t);
	void *(*memalign)(size_t, size_t);
	void *(*aligned_alloc)(size_t, size_t);
	int (*posix_memalign)(void **, size_t, size_t);
} real;

static _Atomic int bound;

/* What dlsym() itself may ask for while the real functions are being looked up; never freed. */
static _Alignas(16) char early[8192];
static _Atomic size_t early_used;

static void *early_malloc(size_t size)
{
	size_t at = atomic_fetch_add(&early_used, (size + 15) & ~(size_t)15);

	return at + size <= sizeof(early) ? early + at : NULL;
}

static bool is_early(const void *p)
{
	return (const char *)p >= early && (const char *)p < early + sizeof(early);
}

/* Returns whether the real functions are known. */
static bool bind_all(void)
{
	static _Atomic int binding;

	if (atomic_load_explicit(&bound, memory_order_acquire))
		return true;
	/* The first calls come from ld.so or bind_early(), before there is a second thread. */
	if (atomic_exchange(&binding, 1))
		return atomic_load(&bound);
	*(void **)&real.malloc = dlsym(RTLD_NEXT, "malloc");
	*(void **)&real.free = dlsym(RTLD_NEXT, "free");
	*(void **)&real.calloc = dlsym(RTLD_NEXT, "calloc");
	*(void **)&real.realloc = dlsym(RTLD_NEXT, "realloc");
	*(void **)&real.memalign = dlsym(RTLD_NEXT, "memalign");
	*(void **)&real.aligned_alloc = dlsym(RTLD_NEXT, "aligned_alloc");
	*(void **)&real.posix_memalign = dlsym(RTLD_NEXT, "posix_memalign");
	atomic_store_explicit(&bound, 1, memory_order_release);
	return true;
}

/*
 * For a task of the dlmopen loader this is on the root's thread.  Later, its first call would wait
 * for the dynamic linker's lock, and other threads' calls fail meanwhile; and who is killed with
 * that lock has it for ever.
 */
__attribute__((constructor)) static void bind_early(void)
{
	bind_all();
}

static void empty_list(struct task *t)
{
	void *p = atomic_exchange(&t->remote_free, NULL), *next;

	for (; p; p = next) {
		next = *(void **)p;
		real.free(p);
	}
}

/* Before each call: what others have freed meanwhile. */
static inline bool enter(void)
{
	struct task *t = self->task;

	if (__builtin_expect(!atomic_load_explicit(&bound, memory_order_acquire), 0) && !bind_all())
		return false;
	if (t && __builtin_expect(
			 atomic_load_explicit(&t->remote_free, memory_order_relaxed) != NULL, 0))
		empty_list(t);
	return true;
}

static bool is_foreign_mapping(const struct task *t, uintptr_t p)
{
	for (int i = 0; i < TASK_FOREIGN; i++)
		if (t->memory.foreign[i].start <= p && p < t->memory.foreign[i].end)
			return true;
	return false;
}

/* Another program's block: whose; NULL for an own one. */
static inline struct task *other_owner(const void *p)
{
	struct task *me = self->task, *owner;

	if (!me)
		return NULL;
	owner = window_owner(me->space, p);
	if (owner == NULL)
		owner = root_of(me) == me || is_foreign_mapping(me, (uintptr_t)p) ? me
										  : root_of(me);
	return owner == me ? NULL : owner;
}

static void give_back(struct task *owner, void *p)
{
	void *head = atomic_load(&owner->remote_free);

	if (atomic_load(&owner->state) != TASK_LIVE)
		return; /* its memory is going as a whole */
	do
		*(void **)p = head;
	while (!atomic_compare_exchange_weak(&owner->remote_free, &head, p));
}

PIP_API void *malloc(size_t size)
{
	return enter() ? real.malloc(size) : early_malloc(size);
}

PIP_API void free(void *p)
{
	struct task *owner;

	if (!p || is_early(p) || !enter())
		return;
	owner = other_owner(p);
	if (__builtin_expect(owner != NULL, 0))
		give_back(owner, p);
	else
		real.free(p);
}

PIP_API void *calloc(size_t n, size_t size)
{
	size_t total;

	if (enter())
		return real.calloc(n, size);
	return __builtin_mul_overflow(n, size, &total) ? NULL : early_malloc(total);
}

/* An own block with the content of another program's, which is given back. */
static void *move_here(struct task *owner, void *p, size_t size)
{
	void *q = real.malloc(size);
	size_t usable;

	if (!q)
		return NULL;
	usable = malloc_usable_size(p);
	memcpy(q, p, size < usable ? size : usable);
	give_back(owner, p);
	return q;
}

PIP_API void *realloc(void *p, size_t size)
{
	struct task *owner;

	if (!enter())
		return early_malloc(size);
	if (p && is_early(p)) {
		size_t most = (size_t)(early + sizeof(early) - (char *)p);
		void *q = real.malloc(size);

		return q ? memcpy(q, p, size < most ? size : most) : NULL;
	}
	owner = p ? other_owner(p) : NULL;
	return __builtin_expect(owner != NULL, 0) ? move_here(owner, p, size)
						  : real.realloc(p, size);
}

/* libc's own reallocarray() calls its realloc() directly. */
PIP_API void *reallocarray(void *p, size_t n, size_t size)
{
	size_t total;

	if (__builtin_mul_overflow(n, size, &total)) {
		errno = ENOMEM;
		return NULL;
	}
	return realloc(p, total);
}

PIP_API void *memalign(size_t align, size_t size)
{
	return enter() ? real.memalign(align, size) : NULL;
}

PIP_API void *aligned_alloc(size_t align, size_t size)
{
	return enter() ? real.aligned_alloc(align, size) : NULL;
}

PIP_API int posix_memalign(void **pp, size_t align, size_t size)
{
	return enter() ? real.posix_memalign(pp, align, size) : ENOMEM;
}
