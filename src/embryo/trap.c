/*
 * trap.c - the system calls of a task that the runtime must see: where its mappings go, its own
 * break, its forks, its own name.  Entry function: trap_syscall().
 *
 * Runs on the task's thread, in the middle of its libc or its ld.so: on any thread pointer, on any
 * stack (a signal stack of 2 KiB, too), and on top of itself, if a signal handler makes a call.
 */
#include "embryo/trap.h"

#include <linux/sched.h>
#include <sys/ipc.h>
#include <sys/shm.h>

#include "base/str.h"
#include "loader/code.h"
#include "embryo/embryo.h"
#include "embryo/window.h"

#ifdef SYS_fork
#define FORK_CALLS SYS_fork, SYS_clone
#else
#define FORK_CALLS SYS_clone
#endif

#ifdef SYS_readlink
#define READLINK_CALLS SYS_readlink, SYS_readlinkat
#else
#define READLINK_CALLS SYS_readlinkat
#endif

static const uint16_t trapped[] = {
	SYS_mmap,   SYS_munmap,     SYS_mremap, SYS_brk,        SYS_shmat,
	FORK_CALLS, READLINK_CALLS, SYS_openat, SYS_newfstatat, SYS_execve,
};

struct code_traps trap_traps(const struct space *sp)
{
	return (struct code_traps){ trapped, sizeof(trapped) / sizeof(trapped[0]), sp->window_shift,
				    arch_trap_entry };
}

/* ---- A library's code ---------------------------------------------------------------------- */

static bool is_libc(int fd)
{
	char link[32] = "/proc/self/fd/", path[PATH_MAX];
	const char *base;
	ssize_t n;

	str_decimal(link + str_len(link), (unsigned long)fd);
	n = sys_readlink(link, path, sizeof(path) - 1);
	if (n < 0)
		return false;
	path[n] = '\0';
	base = str_base(path);
	return str_starts(base, "libc.so.") || str_starts(base, "libc-2.");
}

/* Another C library than the root's: the task makes a copy of its code for itself. */
static const struct code *own_code(struct task *t, int fd, const struct stat *st)
{
	struct code_traps traps = trap_traps(t->space);
	struct image img = { .fd = fd, .st = *st };
	const char *what;

	if (!is_libc(fd) || load_image_read(&img, &what) ||
	    code_make(&t->own_code, fd, &img.elf, st, &traps))
		return NULL;
	return &t->own_code;
}

/*
 * ld.so maps a library: the whole of it first, then its parts over that.  If it is a C library,
 * this leaves room in front of it, where the stubs go, and remembers where it is.  0 = nothing
 * to do.
 */
static uintptr_t map_libc(struct task *t, size_t len, int prot, int flags, int fd)
{
	const struct code *c = NULL;
	struct stat st;
	uintptr_t at, base, ret;

	if (sys_fstat(fd, &st))
		return 0;
	if (!t->same_interp) {
		c = own_code(t, fd, &st);
		t->code_fd[1] = t->own_code.fd;
	} else if (code_is_of(&t->space->code[1], &st)) {
		c = &t->space->code[1];
	}
	if (!c || t->code_fd[1] < 0)
		return 0;
	at = window_reserve_code(t, len + c->front, PAGE);
	if (!at)
		return 0;
	base = at + c->front;
	ret = sys_mmap(base, len, prot, flags | MAP_FIXED_NOREPLACE, fd, 0);
	if (sys_failed(ret))
		return 0;
	if (code_map_stubs(c, t->code_fd[1], base) == 0) {
		t->code = c;
		t->code_base = base;
	}
	return base;
}

/* The code itself, in the place where map_libc() expects it: from the memory object. */
static int replace_code(struct task *t, uintptr_t at, size_t len, off_t off, off_t *copy_off)
{
	const struct code *c = t->code;

	if (!c || at != t->code_base + c->vaddr || (uint64_t)off != c->off ||
	    page_up(len) != c->len)
		return -1;
	t->code = NULL;
	t->sees_forks = c->sees_forks;
	*copy_off = (off_t)c->front;
	return t->code_fd[1];
}

/* From now on a fork may be missed, so the task's memory is left in everybody's. */
static void keep_on_fork(struct task *t)
{
	struct task_memory *m = &t->memory;
	kernel_sigset_t mask = lock_acquire(&m->fork_lock);

	if (!atomic_exchange(&m->keep_on_fork, 1) && atomic_exchange(&m->left_out, 0))
		window_advise(t, MADV_DOFORK);
	lock_release(&m->fork_lock, mask);
}

/* ---- Mappings ------------------------------------------------------------------------------ */

static void saw_mapping(struct task *t, uintptr_t at, size_t len)
{
	if (window_owns(t, at, len))
		window_used(t, at, len);
	window_adopt(t, at, len);
}

static uintptr_t map_fixed(struct task *t, uintptr_t at, size_t len, int prot, int flags, int fd,
			   off_t off)
{
	off_t copy_off = 0;
	uintptr_t ret;
	int copy = -1;

	if (fd >= 0 && !(flags & MAP_ANONYMOUS) && (flags & MAP_PRIVATE)) {
		if ((prot & (PROT_EXEC | PROT_WRITE)) == PROT_EXEC && t->code)
			copy = replace_code(t, at, len, off, &copy_off);
		/* ld.so is about to relocate a library's data: one call instead of a fault a
		 * page. */
		if ((prot & PROT_WRITE) && len <= LOAD_POPULATE_MAX)
			flags |= MAP_POPULATE;
	}
	if (copy >= 0)
		ret = sys_mmap(at, len, prot, flags, copy, copy_off);
	else
		ret = sys_mmap(at, len, prot, flags, fd, off);
	if (copy >= 0 && t->own_code.fd == copy) {
		sys_close(copy);
		t->own_code.fd = -1;
	}
	if (!sys_failed(ret))
		saw_mapping(t, ret, len);
	return ret;
}

static uintptr_t map_anywhere(struct task *t, uintptr_t hint, size_t len, int prot, int flags,
			      int fd, off_t off)
{
	size_t align = 0;
	uintptr_t ret;

	if (flags & MAP_HUGETLB)
		align = (flags >> MAP_HUGE_SHIFT & MAP_HUGE_MASK)
				? 1UL << (flags >> MAP_HUGE_SHIFT & MAP_HUGE_MASK)
				: 2UL << 20;
	else if (flags & MAP_STACK)
		align = PAGE; /* a stack is no place for a huge page */
	/* A hint is worth something only where the task's own mappings are. */
	if (hint && hint % PAGE == 0 && window_owns(t, hint, len)) {
		ret = sys_mmap(hint, len, prot, flags | MAP_FIXED_NOREPLACE, fd, off);
		if (!sys_failed(ret)) {
			saw_mapping(t, ret, len);
			return ret;
		}
	}
	if (fd >= 0 && off == 0 && !(flags & MAP_ANONYMOUS) && (flags & MAP_PRIVATE)) {
		if (!t->begun && (ret = map_libc(t, len, prot, flags, fd)) != 0)
			return ret;
		if (t->begun && (prot & PROT_WRITE) == 0 && !atomic_load(&t->memory.keep_on_fork) &&
		    is_libc(fd))
			keep_on_fork(t);
	}
	return window_map(t, len, align, prot, flags, fd, off);
}

static int trap_mmap(struct task *t, struct arch_trap *tr)
{
	uintptr_t at = (uintptr_t)tr->arg[0], ret;
	size_t len = (size_t)tr->arg[1];
	int prot = (int)tr->arg[2], flags = (int)tr->arg[3], fd = (int)tr->arg[4];
	off_t off = tr->arg[5];
	int fixed = MAP_FIXED | MAP_FIXED_NOREPLACE;

#ifdef MAP_32BIT
	fixed |= MAP_32BIT; /* no window is down there */
#endif
	ret = flags & fixed ? map_fixed(t, at, len, prot, flags, fd, off)
			    : map_anywhere(t, at, len, prot, flags, fd, off);
	tr->nr = (long)ret;
	return 1;
}

static int trap_munmap(struct task *t, struct arch_trap *tr)
{
	uintptr_t at = (uintptr_t)tr->arg[0];
	size_t len = (size_t)tr->arg[1];

	tr->nr = sys_munmap(at, len);
	if (tr->nr == 0) {
		window_unused(t, at, len);
		window_disown(t, at, len);
	}
	return 1;
}

static int trap_mremap(struct task *t, struct arch_trap *tr)
{
	uintptr_t old = (uintptr_t)tr->arg[0], ret, to;
	size_t old_len = (size_t)tr->arg[1], new_len = (size_t)tr->arg[2];
	int flags = (int)tr->arg[3];

	if (flags & MREMAP_FIXED || !(flags & MREMAP_MAYMOVE) || !window_owns(t, old, 1)) {
		ret = (uintptr_t)sys_call(SYS_mremap, old, old_len, new_len, flags, tr->arg[4], 0);
	} else {
		/* In place, if the kernel finds room behind it; else at a free place of ours. */
		ret = old_len == 0 ? (uintptr_t)-ENOMEM
				   : (uintptr_t)sys_call(SYS_mremap, old, old_len, new_len,
							 flags & ~MREMAP_MAYMOVE, 0, 0);
		if (ret == (uintptr_t)-ENOMEM) {
			to = window_map(t, new_len, 0, PROT_NONE,
					MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
			if (sys_failed(to)) {
				tr->nr = (long)to;
				return 1;
			}
			ret = (uintptr_t)sys_call(SYS_mremap, old, old_len, new_len,
						  flags | MREMAP_FIXED, to, 0);
			if (sys_failed(ret)) {
				sys_munmap(to, new_len);
				window_unused(t, to, new_len);
			}
		}
	}
	if (!sys_failed(ret)) {
		if (ret != old && old_len && !(flags & MREMAP_DONTUNMAP))
			window_unused(t, old, old_len);
		else if (ret == old && new_len < old_len)
			window_unused(t, old + new_len, old_len - new_len);
		saw_mapping(t, ret, new_len);
	}
	tr->nr = (long)ret;
	return 1;
}

/*
 * The task's own break: a range of its window that no other mapping is placed in.  A forked
 * child has it too; one that was not seen gets 0 for an answer, since the kernel's break is not
 * its own.
 */
static int trap_brk(struct window_head *h, struct arch_trap *tr)
{
	uintptr_t want = (uintptr_t)tr->arg[0];
	uintptr_t have = page_up(h->brk), need = page_up(want);

	tr->nr = (long)h->brk;
	if (want < h->brk_start || want > h->brk_limit || h->brk == 0)
		return 1;
	if (need > have) {
		uintptr_t got = sys_mmap(have, need - have, PROT_READ | PROT_WRITE,
					 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

		if (sys_failed(got))
			return 1;
		if (h->task)
			window_adopt(h->task, have, need - have);
	} else if (need < have) {
		sys_munmap(need, have - need);
	}
	h->brk = want;
	tr->nr = (long)want;
	return 1;
}

static int trap_shmat(struct task *t, struct arch_trap *tr)
{
	struct shmid_ds ds;
	uintptr_t at;

	if (tr->arg[1] != 0 || sys_call(SYS_shmctl, tr->arg[0], IPC_STAT, &ds, 0, 0, 0))
		return 0;
	at = window_reserve(t, ds.shm_segsz, PAGE);
	if (!at)
		return 0;
	tr->nr = sys_call(SYS_shmat, tr->arg[0], at, tr->arg[2], 0, 0, 0);
	if (sys_failed((uintptr_t)tr->nr)) {
		window_unused(t, at, ds.shm_segsz);
		tr->nr = sys_call(SYS_shmat, tr->arg[0], 0, tr->arg[2], 0, 0, 0);
	}
	if (!sys_failed((uintptr_t)tr->nr))
		window_adopt(t, (uintptr_t)tr->nr, ds.shm_segsz);
	return 1;
}

/*
 * A forked child is no task any more, but what the kernel says of its program and its break is
 * wrong for it as well.  It finds its window's head empty, and gets those parts back.
 */
static void fork_child(struct window_head *head, const struct window_head *before)
{
	head->exe = before->exe;
	head->brk = before->brk;
	head->brk_start = before->brk_start;
	head->brk_limit = before->brk_limit;
}

static int trap_fork_in_child(struct window_head *head, struct arch_trap *tr)
{
	struct window_head before = *head;

	tr->nr = sys_call(tr->nr, tr->arg[0], tr->arg[1], tr->arg[2], tr->arg[3], tr->arg[4],
			  tr->arg[5]);
	if (tr->nr == 0)
		fork_child(head, &before);
	return 1;
}

/* A page of the task's own that holds its program's path, for its forked children. */
static const char *exe_page(struct task *t)
{
	if (!t->exe_page) {
		uintptr_t page = window_map(t, PAGE, PAGE, PROT_READ | PROT_WRITE,
					    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (sys_failed(page))
			return NULL;
		str_copy((char *)page, t->path, PAGE);
		t->exe_page = (char *)page;
	}
	return t->exe_page;
}

/* A fork of the task itself copies its memory, which the forks of all others leave out. */
static int trap_fork(struct task *t, struct arch_trap *tr)
{
	struct task_memory *m = &t->memory;
	struct window_head *head = t->window, keep;
	kernel_sigset_t mask;
	bool left_out;

	window_leave_out(t->space, t);
	mask = lock_acquire(&m->fork_lock);
	head->exe = exe_page(t);
	keep = *head;
	left_out = atomic_load(&m->left_out);
	if (left_out) {
		atomic_store(&m->forking, 1);
		window_advise(t, MADV_DOFORK);
	}
	tr->nr = sys_call(tr->nr, tr->arg[0], tr->arg[1], tr->arg[2], tr->arg[3], tr->arg[4],
			  tr->arg[5]);
	if (tr->nr == 0) {
		fork_child(head,
			   &keep); /* the registry, and so *t and the lock, is not mapped here */
		sys_sigmask(SIG_SETMASK, &mask, NULL);
		return 1;
	}
	if (left_out) {
		atomic_store(&m->forking, 0);
		window_advise(t, MADV_DONTFORK);
	}
	lock_release(&m->fork_lock, mask);
	return 1;
}

enum fork_kind {
	NO_FORK,
	FORK,
	FORK_TO_STACK
};

static enum fork_kind fork_kind(const struct arch_trap *tr)
{
	const struct clone_args *args = (const struct clone_args *)tr->arg[0];
	uint64_t flags, stack;

	if (code_is_plain_fork(tr->nr))
		return FORK;
	if (tr->nr == SYS_clone) {
		flags = (uint64_t)tr->arg[0];
		stack = (uint64_t)tr->arg[1];
	} else if (tr->nr == SYS_clone3 && (size_t)tr->arg[1] >= CLONE_ARGS_SIZE_VER0) {
		flags = args->flags;
		stack = args->stack;
	} else {
		return NO_FORK;
	}
	return flags & CLONE_VM ? NO_FORK : stack ? FORK_TO_STACK : FORK;
}

/* ---- /proc/self/exe: for the kernel every process of the space runs the root's program ------ */

/* Reads a decimal number; *pp goes behind it. */
static int32_t number(const char **pp)
{
	int32_t n = 0;

	for (; **pp >= '0' && **pp <= '9' && n < 1 << 24; ++*pp)
		n = n * 10 + (**pp - '0');
	return n;
}

/* The PID in "PID/exe" or "PID/task/TID/exe", 0 for the caller's own in its several spellings;
 * -1 if the path has another form. */
static int32_t exe_pid(const char *path)
{
	int32_t pid = 0;

	if (str_equal(path, "self/exe") || str_equal(path, "thread-self/exe"))
		return 0;
	if (str_starts(path, "self/"))
		path += 4;
	else if ((pid = number(&path)) == 0)
		return -1;
	if (str_starts(path, "/task/")) {
		path += 6;
		if (number(&path) == 0)
			return -1;
	}
	return str_equal(path, "/exe") ? pid : -1;
}

/* The program behind such a path, if it is that of a task of this space or the caller's own. */
static const char *find_exe(const struct window_head *head, const char *path)
{
	int32_t pid = exe_pid(path);

	if (pid < 0)
		return NULL;
	if (pid == 0 || pid == sys_getpid())
		return head->task ? head->task->path : head->exe;
	for (uint32_t i = 0; head->task && i < atomic_load(&head->task->space->nslots); i++) {
		const struct task *t = &head->task->space->task[i];

		if (atomic_load(&t->pid) == pid && atomic_load(&t->state) == TASK_LIVE)
			return t->path;
	}
	return NULL;
}

static int answer_link(struct arch_trap *tr, const char *exe, char *buf, size_t size)
{
	size_t n = str_len(exe);

	if ((ssize_t)size <= 0)
		return 0;
	n = n < size ? n : size;
	for (size_t i = 0; i < n; i++)
		buf[i] = exe[i];
	tr->nr = (long)n;
	return 1;
}

/* A call whose argument number `which` is a path. */
static int trap_path(struct window_head *head, struct arch_trap *tr, int which, bool is_link)
{
	const char *path = (const char *)tr->arg[which], *exe;

	if ((uintptr_t)path < PAGE || !str_starts(path, "/proc/"))
		return 0;
	exe = find_exe(head, path + 6);
	if (!exe || !exe[0])
		return 0;
	if (is_link)
		return answer_link(tr, exe, (char *)tr->arg[which + 1], (size_t)tr->arg[which + 2]);
	tr->arg[which] = (long)exe;
	return 0;
}

int trap_syscall(struct window_head *head, struct arch_trap *tr)
{
	struct task *t = head->task;

	switch (tr->nr) {
#ifdef SYS_readlink
	case SYS_readlink:
		return trap_path(head, tr, 0, true);
#endif
	case SYS_readlinkat:
		return trap_path(head, tr, 1, true);
	case SYS_openat:
		/* ld.so keeps the string, not its place, so the first file it opens tells that
		 * it has read it; constructors and whatever they start must not see it any
		 * more. */
		if (t && t->preload_slot)
			embryo_restore_environment(t);
		/* The link itself is right, only its target is not. */
		return tr->arg[2] & O_NOFOLLOW ? 0 : trap_path(head, tr, 1, false);
	case SYS_newfstatat:
		return tr->arg[3] & AT_SYMLINK_NOFOLLOW ? 0 : trap_path(head, tr, 1, false);
	case SYS_execve:
		return trap_path(head, tr, 0, false);
	case SYS_brk:
		return trap_brk(head, tr);
	default:
		break;
	}
	if (!t)
		return head->brk && fork_kind(tr) == FORK ? trap_fork_in_child(head, tr) : 0;
	switch (tr->nr) {
	case SYS_mmap:
		return trap_mmap(t, tr);
	case SYS_munmap:
		return trap_munmap(t, tr);
	case SYS_mremap:
		return trap_mremap(t, tr);
	case SYS_shmat:
		return trap_shmat(t, tr);
	default:
		break;
	}
	switch (fork_kind(tr)) {
	case FORK:
		return trap_fork(t, tr);
	case FORK_TO_STACK: /* the child returns where we cannot follow */
		keep_on_fork(t);
		return 0;
	case NO_FORK:
	default:
		return 0;
	}
}
