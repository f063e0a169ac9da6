/*
 * trap.c - the system calls of a task that the runtime must see: where its mappings go, its own
 * break, its forks, its own name; peer.c, guard.c and fatal.c have
 * others.
 * Entry function: trap_syscall().
 *
 * Runs on the task's thread, in the middle of its libc or its ld.so: on any thread pointer, on any
 * stack (a signal stack of 2 KiB, too), and on top of itself, if a signal handler makes a call.
 */
#include "embryo/trap.h"

#include <linux/sched.h>
#include <sys/ipc.h>
#include <sys/shm.h>

#include "base/str.h"
#include "copies.h"
#include "embryo/birth.h"
#include "embryo/embryo.h"
#include "embryo/end.h"
#include "embryo/exec.h"
#include "embryo/fatal.h"
#include "embryo/fork.h"
#include "embryo/guard.h"
#include "embryo/kept.h"
#include "embryo/part.h"
#include "embryo/peer.h"
#include "embryo/standin.h"
#include "embryo/thread.h"
#include "embryo/window.h"
#include "loader/code.h"
#include "place.h"

/* First what processes do to themselves and others, then what only a task's own libc needs. */
static const uint16_t trapped[] = {
#ifdef SYS_fork
	SYS_fork,
#endif
#ifdef SYS_vfork
	SYS_vfork,
#endif
#ifdef SYS_getpgrp
	SYS_getpgrp,
#endif
	SYS_clone,
	SYS_clone3,
	SYS_execve,
	SYS_execveat,
	SYS_getpid,
	SYS_gettid,
	SYS_getppid,
	SYS_getpgid,
	SYS_getsid,
	SYS_setpgid,
	SYS_setsid,
	SYS_kill,
	SYS_tgkill,
	SYS_tkill,
	SYS_rt_sigqueueinfo,
	SYS_rt_tgsigqueueinfo,
	SYS_ioctl,
	SYS_close_range,
	SYS_unshare,
	SYS_setns,
	SYS_chroot,
	SYS_pivot_root,
	SYS_seccomp,
	SYS_ptrace,
	SYS_setuid,
	SYS_setgid,
	SYS_setreuid,
	SYS_setregid,
	SYS_setresuid,
	SYS_setresgid,
	SYS_setgroups,
	SYS_setfsuid,
	SYS_setfsgid,
	SYS_capget,
	SYS_capset,
	SYS_openat,
	SYS_sched_setaffinity,
	SYS_sched_getaffinity,
	SYS_sched_setscheduler,
	SYS_sched_getscheduler,
	SYS_sched_setparam,
	SYS_sched_getparam,
	SYS_prlimit64,
	SYS_setpriority,
	SYS_getpriority,
	SYS_rt_sigaction,
	PEER_CALLS,
	SYS_readlinkat, /* the first of the second kind: trap_process_calls() */
#ifdef SYS_readlink
	SYS_readlink,
#endif
	SYS_newfstatat,
	SYS_mmap,
	SYS_munmap,
	SYS_mremap,
	SYS_mprotect,
	SYS_pkey_mprotect,
	SYS_madvise,
	SYS_mlock,
	SYS_mlock2,
	SYS_munlock,
	SYS_mlockall,
	SYS_mbind,
	SYS_brk,
	SYS_shmat,
	SYS_rseq,
	SYS_set_robust_list,
	SYS_timer_create,
	SYS_rt_sigaction,
	SYS_sigaltstack,
	SYS_exit_group, /* and the next: where tasks are threads */
	SYS_exit,
};

struct code_traps trap_traps(const struct space *sp)
{
	return (struct code_traps){ trapped, sizeof(trapped) / sizeof(trapped[0]),
				    sp->window_shift };
}

size_t trap_process_calls(const uint16_t **nr)
{
	size_t n = 0;

	while (trapped[n] != SYS_readlinkat)
		n++;
	*nr = trapped;
	return n;
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

/* A C library whose end of a process is not seen would end the root with it. */
static void refuse_thread(struct task *t, const struct code *c)
{
	if (t->thread.on && !(c && c->sees.exit))
		thread_end(t, 127 << 8);
}

/* Another C library than the root's: the task makes a copy of its code for itself. */
static const struct code *own_code(struct task *t, int fd, const struct stat *st)
{
	struct code_traps traps = trap_traps(t->space);
	struct image img = { .fd = fd, .st = *st };
	const struct code *c = &t->own_code;
	const char *what;

	if (!is_libc(fd))
		return NULL;
	if (load_image_read(&img, &what) || code_make_alone(&t->own_code, &img, &traps))
		c = NULL;
	refuse_thread(t, c);
	return c;
}

/* A launched program's has served; the others' is the root's, but for one of their own. */
static void close_copy(struct task *t)
{
	int fd = t->code_fd[1];

	if (fd < 0 || !(t->own_code.fd == fd || t->launched))
		return;
	sys_close(fd);
	t->own_code.fd = t->code_fd[1] = -1;
}

/*
 * ld.so maps a library: the whole of it first, then its parts over that.  If it is a C library,
 * this leaves room in front of it, where the stubs go, and remembers where it is.  at: where it has
 * to be, in room that ld.so has made for what must be aligned (see map_room()); 0 = anywhere.
 * 0 = nothing to do.
 */
static uintptr_t map_libc(struct task *t, uintptr_t at, size_t len, int prot, int flags, int fd)
{
	const struct code *c = NULL;
	struct stat st;
	uintptr_t ret;
	int fixed = 0;

	if (sys_fstat(fd, &st))
		return 0;
	if (!t->same_interp) {
		c = own_code(t, fd, &st);
		t->code_fd[1] = t->own_code.fd;
	} else {
		c = copies_libc(&st);
	}
	if (!c || t->code_fd[1] < 0)
		return 0;
	if (!at) {
		if (t->same_interp && kept_repeat(t, 0, len, prot, flags, fd, 0, &at)) {
			close_copy(t);
			t->sees = c->sees;
			return at;
		}
		at = t->same_interp ? kept_libc(t, c, len) : 0;
		if (!at)
			at = window_reserve_code(t, len + c->front, PAGE) + c->front;
		if (at == c->front)
			return 0;
		fixed = MAP_FIXED_NOREPLACE;
	}
	ret = sys_mmap(at, len, prot, flags | fixed, fd, 0);
	if (sys_failed(ret))
		return 0;
	kept_note(t, at, len, prot, flags, 0);
	if (code_map_stubs(c, t->code_fd[1], at) == 0) {
		t->code = c;
		t->code_base = at;
	} else {
		kept_change(t, at, len, true);
	}
	return at;
}

/* The code itself, in the place where map_libc() expects it: from the memory object. */
static int replace_code(struct task *t, uintptr_t at, size_t len, off_t off, off_t *copy_off)
{
	const struct code *c = t->code;

	if (!c || at != t->code_base + c->vaddr || (uint64_t)off != c->off ||
	    page_up(len) != c->len)
		return -1;
	t->code = NULL;
	t->sees = c->sees;
	*copy_off = (off_t)c->at;
	return t->code_fd[1];
}

/* ---- Mappings ------------------------------------------------------------------------------ */

static void saw_mapping(struct task *t, uintptr_t at, size_t len)
{
	if (window_owns(t, at, len))
		window_used(t, at, len);
	window_adopt(t, at, len);
}

static uintptr_t map_part(struct task *t, uintptr_t at, size_t len, int prot, int flags, int fd,
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
	if (copy >= 0)
		close_copy(t);
	return ret;
}

/* The first mapping of a file, perhaps of a library.  0 = it is none of ours. */
static uintptr_t map_library(struct task *t, uintptr_t at, size_t len, int prot, int flags, int fd)
{
	uintptr_t ret = t->begun ? 0 : map_libc(t, at, len, prot, flags, fd), code = 0;
	const struct code *c = t->code;

	/* Where linkers put the code first (for aarch64), that is all of it. */
	if (ret && c && (prot & PROT_EXEC))
		code = map_part(t, ret + c->vaddr, c->len, prot, flags | MAP_FIXED, fd,
				(off_t)c->off);
	if (!ret && (flags & MAP_DENYWRITE) && !atomic_load(&t->memory.keep_on_fork) &&
	    is_libc(fd)) {
		if (!t->begun)
			refuse_thread(t, NULL);
		fork_keep(t);
	}
	return sys_failed(code) ? code : ret;
}

static bool is_file_start(int flags, int fd, off_t off)
{
	return fd >= 0 && off == 0 && !(flags & MAP_ANONYMOUS) && (flags & MAP_PRIVATE);
}

static uintptr_t map_fixed(struct task *t, uintptr_t at, size_t len, int prot, int flags, int fd,
			   off_t off)
{
	uintptr_t ret = 0;

	if (!t->begun && kept_repeat(t, at, len, prot, flags, fd, off, &ret))
		return ret;
	if (t->begun)
		kept_change(t, at, len, true);
	if (is_file_start(flags, fd, off) && (flags & MAP_DENYWRITE) && !(prot & PROT_WRITE))
		ret = map_library(t, at, len, prot, flags, fd);
	if (!ret)
		ret = map_part(t, at, len, prot, flags, fd, off);
	if (!sys_failed(ret)) {
		saw_mapping(t, ret, len);
		kept_note(t, at, len, prot, flags, off);
	}
	/* A library's .bss, whose first page is read first, then written: one fault, not two, the
	 * second of which interrupts all processors that run in the space. */
	if (ret == at && (flags & MAP_ANONYMOUS) && (prot & PROT_WRITE) && !t->begun)
		*(volatile char *)ret = 0;
	return ret;
}

#define ROOM_ALIGN (2UL << 20) /* no linker aligns segments to more */

/*
 * Room that ld.so makes for a library whose segments are aligned to more than a page (aarch64: to
 * 64 KiB), by that much larger than the library, which goes to the first place that is aligned so.
 * Let that be the first of all, and leave room in front of it, where the stubs go.
 */
static uintptr_t map_room(struct task *t, size_t len, int flags)
{
	size_t align = PAGE;
	uintptr_t at, ret;

	while (align * 2 <= len && align < ROOM_ALIGN)
		align *= 2;
	if (align < CODE_FRONT_MOST)
		return 0;
	at = window_reserve_code(t, align + len, align);
	if (!at)
		return 0;
	window_unused(t, at, align - CODE_FRONT_MOST);
	ret = sys_mmap(at + align, len, PROT_NONE, flags | MAP_FIXED_NOREPLACE, -1, 0);
	if (sys_failed(ret))
		return 0;
	window_adopt(t, ret, len);
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
			if (t->begun)
				kept_change(t, ret, len, true);
			return ret;
		}
	}
	if (!t->begun && (ret = kept_mapping(t, len, prot, flags, fd, off)) != 0)
		return ret;
	if (is_file_start(flags, fd, off) && (ret = map_library(t, 0, len, prot, flags, fd)) != 0)
		return ret;
	if (!t->begun && prot == PROT_NONE && flags == (MAP_PRIVATE | MAP_ANONYMOUS) &&
	    (ret = map_room(t, len, flags)) != 0)
		return ret;
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
	/* Stacks of threads, which the dynamic linker has lists of: the root's. */
	if (t->name_space && (flags & MAP_STACK))
		return 0;
	ret = flags & fixed ? map_fixed(t, at, len, prot, flags, fd, off)
			    : map_anywhere(t, at, len, prot, flags, fd, off);
	tr->nr = (long)ret;
	return 1;
}

static int trap_munmap(struct task *t, struct arch_trap *tr)
{
	uintptr_t at = (uintptr_t)tr->arg[0];
	size_t len = (size_t)tr->arg[1];

	if (!t->begun && kept_stays(t, at, len)) {
		tr->nr = 0;
		return 1;
	}
	kept_change(t, at, len, true);
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

	kept_change(t, old, old_len, true);
	if (flags & MREMAP_FIXED)
		kept_change(t, (uintptr_t)tr->arg[4], new_len, true);
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

	if (sys_call(SYS_shmctl, tr->arg[0], IPC_STAT, &ds, 0, 0, 0))
		return 0;
	if (tr->arg[1]) {
		kept_change(t, (uintptr_t)tr->arg[1], ds.shm_segsz, true);
		return 0;
	}
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

/* If the kernel finds nothing wrong with it. */
static int answer_link(struct arch_trap *tr, const char *exe, char *buf, size_t size)
{
	size_t n = str_len(exe);

	tr->nr = sys_call(tr->nr, tr->arg[0], tr->arg[1], tr->arg[2], tr->arg[3], 0, 0);
	if (tr->nr < 0)
		return 1;
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

	if (!str_starts(path, "/proc/"))
		return 0;
	exe = find_exe(head, path + 6);
	if (!exe || !exe[0])
		return 0;
	if (is_link)
		return answer_link(tr, exe, (char *)tr->arg[which + 1], (size_t)tr->arg[which + 2]);
	tr->arg[which] = (long)exe;
	return 0;
}

/* ---- What an exec within the space has to know ---------------------------------------------- */

/* The record of the calling process: a task, or a vfork's child of it. */
static struct task *caller(struct task *t)
{
	return task_is_mine(t) ? t : birth_embryo(t, sys_getpid());
}

/* From the next call on it makes none that the program does not: its forks are not seen, its
 * children are ordinary processes. */
static void seal(struct task *t)
{
	fork_keep(t);
	t->sealed = 1;
	if (t->window)
		t->window->sealed = 1;
}

static int note(struct window_head *head, struct arch_trap *tr)
{
	struct task *t = head->task, *changed;
	uint64_t flags;

	if (standin_changes_rights(tr) && (changed = caller(t)) != NULL) {
		changed->changes_rights = changed->space->changed_rights = 1;
		if (changed == t && part_is_possible(t)) {
			tr->nr = sys_trapped(tr);
			if (tr->nr >= 0)
				part_from_space(head, tr);
			return 1;
		}
	}
	if (standin_leaves_world(tr) && (changed = caller(t)) != NULL) {
		changed->left_world = 1;
		if (changed == t && standin_sets_filter(tr))
			seal(t);
	}
	switch (tr->nr) {
	case SYS_rseq:
		t->rseq_offset = tr->arg[0] - (intptr_t)arch_thread_pointer();
		t->rseq_len = (uint32_t)tr->arg[1];
		t->rseq_sig = (uint32_t)tr->arg[3];
		return 0;
	case SYS_getppid:
		tr->nr = sys_call(SYS_getppid, 0, 0, 0, 0, 0, 0);
		if (t->parent_pid && tr->nr == t->parent_pid)
			tr->nr = t->parent_shown;
		return 1;
	case SYS_clone:
	case SYS_clone3:
		flags = tr->nr == SYS_clone ? (uint64_t)tr->arg[0]
					    : ((const struct clone_args *)tr->arg[0])->flags;
		if (flags & CLONE_THREAD)
			t->thread.has_threads = 1;
		else if ((flags & (CLONE_VM | CLONE_VFORK)) == CLONE_VM)
			t->shares = 1;
		return 0;
	case SYS_exit_group:
		if (task_is_mine(t) && !t->thread.has_threads) {
			t->ended_orderly = 1;
			end_with_memory(t, (int)tr->arg[0]);
		}
		return 0;
	case SYS_timer_create:
		tr->nr = sys_call(SYS_timer_create, tr->arg[0], tr->arg[1], tr->arg[2], 0, 0, 0);
		if (tr->nr == 0 && *(int *)tr->arg[2] >= t->last_timer)
			t->last_timer = *(int *)tr->arg[2] + 1;
		return 1;
	default:
		return 0;
	}
}

/* Processes: 1 = handled. */
static int trap_process(struct window_head *head, struct arch_trap *tr)
{
	if (head->standin && standin_syscall(head, tr))
		return 1;
	if (head->task && note(head, tr))
		return 1;
	if (head->task && head->task->sealed)
		return fork_syscall(head, tr);
	if (head->task && head->task->thread.on)
		return thread_exec(head->task, tr) || fork_syscall(head, tr);
	if (tr->nr == SYS_execve && head->task && head->task->space->intercepts &&
	    exec_syscall(head, tr))
		return 1;
	if (birth_syscall(head, tr))
		return 1;
	return head->task && !head->task->window ? 0 : fork_syscall(head, tr);
}

/* Paths that are the kernel's name of the program: 1 = handled. */
static int trap_names(struct window_head *head, struct arch_trap *tr)
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
		if (peer_open(tr))
			return 1;
		/* The link itself is right, only its target is not. */
		return tr->arg[2] & O_NOFOLLOW ? 0 : trap_path(head, tr, 1, false);
	case SYS_newfstatat:
		return tr->arg[3] & AT_SYMLINK_NOFOLLOW ? 0 : trap_path(head, tr, 1, false);
	case SYS_execve:
		return trap_path(head, tr, 0, false);
	case SYS_rt_sigaction:
		return fatal_sigaction(head, tr);
	case SYS_sigaltstack:
		return fatal_sigaltstack(head, tr);
	default:
		return 0;
	}
}

/* Does it point to what cannot be read, and would be here?  The kernel's answer is an error. */
static bool is_bad(const struct arch_trap *tr)
{
	size_t len = 1;
	long at;

	switch (tr->nr) {
#ifdef SYS_readlink
	case SYS_readlink:
#endif
	case SYS_execve:
		at = tr->arg[0];
		break;
	case SYS_clone3:
		at = tr->arg[0];
		len = (size_t)tr->arg[1] - 1 < PAGE ? (size_t)tr->arg[1] : 1;
		break;
	case SYS_openat:
	case SYS_newfstatat:
	case SYS_readlinkat:
		at = tr->arg[1];
		break;
	default:
		return false;
	}
	return !sys_readable((void *)at) ||
	       (len > 1 && !sys_readable((void *)(at + (long)len - 1)));
}

int trap_syscall(struct window_head *head, struct arch_trap *tr)
{
	struct task *t = head->task;

	if (!head->sealed && is_bad(tr))
		return 0;
	if (t && t->thread.on && thread_syscall(t, tr))
		return 1;
	if (trap_names(head, tr) || trap_process(head, tr) || peer_syscall(head, tr))
		return 1;
	/* The kernel's break is a root's that lies in no window, but not a task's forked
	 * child's. */
	if (tr->nr == SYS_brk && (head->brk || !t))
		return trap_brk(head, tr);
	if (!t || !t->window)
		return 0;
	switch (tr->nr) {
	case SYS_mmap:
		return trap_mmap(t, tr);
	case SYS_munmap:
		return trap_munmap(t, tr);
	case SYS_mremap:
		return trap_mremap(t, tr);
	case SYS_mprotect:
	case SYS_pkey_mprotect:
	case SYS_madvise:
	case SYS_mlock:
	case SYS_mlock2:
	case SYS_munlock:
	case SYS_mbind:
		kept_change(t, (uintptr_t)tr->arg[0], (size_t)tr->arg[1], tr->nr != SYS_mprotect);
		return 0;
	case SYS_mlockall:
		kept_change(t, 0, ~0UL, true);
		return 0;
	case SYS_shmat:
		return trap_shmat(t, tr);
	default:
		return 0;
	}
}
