/*
 * space.c - the registry of one address space.
 * Entry functions: space_create(), space_guard_brk(), space_claim_slot().  Freestanding.
 */
#include "space.h"

#include <string.h>
#include <sys/prctl.h>

#include "base/memfd.h"
#include "base/stat.h"

/* The reader's side of the fixed part; see docs/ARCHITECTURE.md. */
_Static_assert(offsetof(struct task, pipid) == 12, "read by other processes");
_Static_assert(offsetof(struct task, pid) == 16, "read by other processes");
_Static_assert(offsetof(struct task, path) == 24, "read by other processes");
_Static_assert(SPACE_TASKS < SPACE_NOBODY, "owner[] holds slot + 1");

static bool range_is_free(uintptr_t start, size_t size)
{
	uintptr_t at = sys_mmap(start, size, PROT_NONE,
				MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE,
				-1, 0);

	if (sys_failed(at))
		return at !=
		       (uintptr_t)-EEXIST; /* RLIMIT_AS: each mapping will find out for itself */
	sys_munmap(at, size);
	return at == start;
}

/*
 * The width of user addresses, as the first stack shows it.  A forked child that makes a space of
 * its own is on a task's stack, perhaps, which may lie lower; but it goes on using code whose stubs
 * know the size of windows, so that has to stay what it was.
 */
static unsigned address_bits(void)
{
	static unsigned bits;

	if (!bits)
		bits = 64 - (unsigned)__builtin_clzl((uintptr_t)__builtin_frame_address(0));
	return bits;
}

/*
 * Chooses where the windows lie: a quarter of the address range, at an unpredictable place in
 * its second quarter and up to the two thirds where Linux puts position-independent programs.
 * The first quarter holds what likes fixed low addresses: non-PIE programs, AddressSanitizer's
 * shadow, allocators with hints (mimalloc: 2 to 30 TiB, Go: 0xc000000000).  Nothing is mapped
 * yet.
 */
static int choose_area(struct space *sp)
{
	unsigned bits = address_bits();
	uintptr_t low = 1UL << (bits - 2), high = (1UL << bits) / 3 * 2;
	unsigned shift = bits - 2 - (unsigned)__builtin_ctzl(SPACE_WINDOWS);

	/* A smaller one where there is no room, as in a task's forked child, which has its
	 * memory. */
	for (uint32_t n = SPACE_WINDOWS; n >= 64; n /= 2) {
		uintptr_t size = (uintptr_t)n << shift;
		size_t choices = (high - low - size) >> shift;

		for (int attempt = 0; attempt < 32; attempt++) {
			uint64_t r;

			if (sys_random(&r, sizeof(r)))
				return -EIO;
			sp->area = low + ((r % choices) << shift);
			if (range_is_free(sp->area, size)) {
				sp->nwindows = n;
				sp->window_shift = shift;
				return 0;
			}
		}
	}
	return -ENOMEM;
}

int space_create(struct task **rootp)
{
	size_t size = SPACE_SIZE;
	struct space *sp;
	uintptr_t at;
	int fd = memfd_sized(SPACE_NAME, 0, size), rc;

	if (fd < 0)
		return fd;
	at = sys_mmap(0, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd, 0);
	sys_close(fd);
	if (sys_failed(at))
		return (int)at;
	sp = (struct space *)at;
	/* A forked child has another address space; it must not write into this one's registry. */
	sys_madvise(at, size, MADV_DONTFORK);
	sp->version = SPACE_VERSION;
	sp->size = offsetof(struct space, task);
	sp->tasks_offset = offsetof(struct space, task);
	sp->task_size = sizeof(struct task);
	sp->ntasks = SPACE_TASKS;
	rc = choose_area(sp);
	if (rc) {
		sys_munmap(at, size);
		return rc;
	}
	sp->magic = SPACE_MAGIC;
	*rootp = space_claim_slot(sp);
	return 0;
}

void space_destroy(struct space *sp)
{
	for (int i = 0; i < SPACE_IDLE; i++)
		if (sp->idle[i] && sp->owner[sp->idle[i] - 1] == SPACE_NOBODY)
			sys_munmap(sp->area + ((uintptr_t)(sp->idle[i] - 1) << sp->window_shift),
				   1UL << sp->window_shift);
	sys_munmap((uintptr_t)sp, SPACE_SIZE);
}

/*
 * Makes the kernel's break an empty one that begins and ends at `edge`, so that nobody can lower it
 * either.  UCX does that, which has a brk call of its own and is in every MPICH program of some
 * distributions: it believes that the break is its process's, and would unmap the end of the
 * root's heap.  A kernel without this call (CONFIG_CHECKPOINT_RESTORE) leaves it as it was.
 */
static void empty_brk(uintptr_t edge)
{
	struct prctl_mm_map map = { .start_brk = edge, .brk = edge, .exe_fd = (uint32_t)-1 };
	char stat[1024];
	const char *p = stat_read(0, stat, sizeof(stat));

	if (!p)
		return;
	map.start_code = stat_field(p, 26);
	map.end_code = stat_field(p, 27);
	map.start_stack = stat_field(p, 28);
	map.start_data = stat_field(p, 45);
	map.end_data = stat_field(p, 46);
	map.arg_start = stat_field(p, 48);
	map.arg_end = stat_field(p, 49);
	map.env_start = stat_field(p, 50);
	map.env_end = stat_field(p, 51);
	sys_call(SYS_prctl, PR_SET_MM, PR_SET_MM_MAP, &map, sizeof(map), 0, 0);
}

int space_guard_brk(struct space *sp)
{
	uintptr_t now, edge, page;

	if (atomic_load(&sp->brk_guarded))
		return 0;
	now = (uintptr_t)sys_call(SYS_brk, 0, 0, 0, 0, 0, 0);
	edge = page_up(now);
	if (edge != now)
		sys_call(SYS_brk, edge, 0, 0, 0, 0, 0);
	/* Every libc that still moves the kernel's break would believe that the heap behind it
	 * is its own.  A page in the way makes each brk fail, and every malloc then uses mmap. */
	page = sys_mmap(edge, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE,
			-1, 0);
	if (sys_failed(page) && page != (uintptr_t)-EEXIST)
		return (int)page;
	if (!sys_failed(page))
		sys_madvise(page, PAGE, MADV_DONTFORK);
	empty_brk(edge);
	atomic_store(&sp->brk_guarded, 1);
	return 0;
}

static struct task *claim_record(struct space *sp, uint32_t slot)
{
	struct task *t = &sp->task[slot];
	uint32_t incarnation = t->incarnation;

	atomic_store(&t->state, TASK_CLAIMED);
	memset((char *)t + sizeof(t->state), 0,
	       offsetof(struct task, memory.gaps) - sizeof(t->state));
	t->slot = slot;
	t->space = sp;
	t->incarnation = incarnation + 1;
	if (atomic_load(&sp->nslots) <= slot)
		atomic_store(&sp->nslots, slot + 1);
	return t;
}

struct task *space_claim_slot(struct space *sp)
{
	kernel_sigset_t mask = lock_acquire(&sp->lock);
	struct task *t = NULL;

	for (uint32_t word = 0; word < SPACE_TASKS / 64; word++) {
		uint64_t unused = ~atomic_load(&sp->used[word]);

		if (unused) {
			atomic_fetch_or(&sp->used[word], unused & -unused);
			t = claim_record(sp, word * 64 + (uint32_t)__builtin_ctzl(unused));
			break;
		}
	}
	lock_release(&sp->lock, mask);
	return t;
}

void space_free_slot(struct task *t)
{
	atomic_store(&t->pid, 0);
	t->path[0] = '\0';
	atomic_store(&t->state, TASK_FREE);
	atomic_fetch_and(&t->space->used[t->slot / 64], ~(1UL << t->slot % 64));
}
