/*
 * birth.c - the processes that a program launches.  Entry function: birth_syscall().
 */
#include "embryo/birth.h"

#include <linux/sched.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <pip/pip.h>

#include "base/str.h"
#include "copies.h"
#include "embryo/fork.h"
#include "embryo/peer.h"
#include "embryo/rights.h"
#include "embryo/standin.h"
#include "embryo/window.h"
#include "export.h"
#include "place.h"
#include "root.h"

/* ---- Records ------------------------------------------------------------------------------- */

static struct task *child_of(struct space *sp, uint32_t link)
{
	return link ? &sp->task[link - 1] : NULL;
}

static void link_child(struct task *launcher, struct task *t)
{
	kernel_sigset_t mask = lock_acquire(&launcher->space->lock);

	t->next_child = launcher->first_child;
	launcher->first_child = t->slot + 1;
	lock_release(&launcher->space->lock, mask);
}

static void unlink_child(struct task *launcher, const struct task *t)
{
	struct space *sp = launcher->space;
	kernel_sigset_t mask = lock_acquire(&sp->lock);
	uint32_t *link = &launcher->first_child;

	while (*link && *link != t->slot + 1)
		link = &child_of(sp, *link)->next_child;
	if (*link)
		*link = t->next_child;
	lock_release(&sp->lock, mask);
}

/* A launcher's tables hold what the last user of its slot left. */
static void become_launcher(struct task *t)
{
	if (t->launches)
		return;
	if (t->root_slot != t->slot) {
		memset(t->slot_of, 0, sizeof(t->slot_of));
		memset(t->names_of, 0, sizeof(t->names_of));
		t->last_pipid = -1;
	}
	t->launches = 1;
}

/* What is mapped in the front of a window: window_head.front. */
enum {
	FRONT_STANDIN = 1,
	FRONT_ROOM = 2,
};

#define FRONT_PROT (PROT_READ | PROT_WRITE)
#define FRONT_FLAGS (MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE)

/* The stacks: what runs there forks, and its child has no use for them. */
static bool map_room(struct task *t)
{
	size_t len = BIRTH_STACK + BIRTH_WAIT;

	t->room = (uintptr_t)t->window + PAGE + BIRTH_STANDIN;
	if (t->window->front & FRONT_ROOM)
		return true;
	if (sys_failed(sys_mmap(t->room, len, FRONT_PROT, MAP_PRIVATE | FRONT_FLAGS, -1, 0)))
		return false;
	sys_madvise(t->room, len, MADV_DONTFORK);
	t->window->front |= FRONT_ROOM;
	return true;
}

struct standin *birth_map_standin(struct task *t)
{
	uintptr_t at = (uintptr_t)t->window + PAGE;
	struct standin *s = (struct standin *)at;

	if (t->window->front & FRONT_STANDIN) {
		if (sys_madvise(at, sizeof(*s), MADV_DOFORK))
			return NULL;
		memset(s, 0, offsetof(struct standin, strings));
		return s;
	}
	if (sys_failed(sys_mmap(at, sizeof(*s), FRONT_PROT, MAP_SHARED | FRONT_FLAGS, -1, 0)))
		return NULL;
	t->window->front |= FRONT_STANDIN;
	return s;
}

/* Another pair has it next, unless a process may be left that writes to it and should not, or much
 * memory is in use. */
static void leave_standin(struct task *t)
{
	const struct standin *s = t->standin;

	if (!s || (s->gone && s->length <= STANDIN_FEW && !t->standin_rights && !t->parted))
		return;
	sys_munmap((uintptr_t)t->standin, sizeof(struct standin));
	t->window->front &= ~(uint32_t)FRONT_STANDIN;
}

/* of: whose next program it is, or NULL.  It is on the launcher's list first of all: who is killed
 * before it has a window, or a process, leaves nothing that nobody knows of. */
static struct task *claim(struct task *launcher, const struct task *of)
{
	struct task *t = space_claim_slot(launcher->space);
	uint64_t random;

	if (!t)
		return NULL;
	become_launcher(launcher);
	t->root_slot = launcher->slot;
	t->pipid = PIP_PIPID_NULL;
	t->mode = PIP_MODE_PROCESS_PRELOAD;
	t->ntasks = launcher->ntasks;
	t->quiet = launcher->quiet;
	t->changes_rights = launcher->changes_rights;
	t->launched = of ? LAUNCH_HUSK : LAUNCH_EMBRYO;
	t->stage = STAGE_LOADING;
	if (of) {
		t->orphan = of->orphan;
		atomic_store(&t->pid, of->pid);
	}
	link_child(launcher, t);
	if (!sys_random(&random, sizeof(random)) && !window_open(t, random, BIRTH_FRONT) &&
	    map_room(t))
		return t;
	window_close(t);
	unlink_child(launcher, t);
	space_free_slot(t);
	return NULL;
}

struct task *birth_claim(struct task *launcher)
{
	return claim(launcher, NULL);
}

struct task *birth_claim_husk(struct task *t)
{
	return claim(root_of(t), t);
}

/* The children of an ended launcher go to its own, who gives back what they leave. */
static void orphan_children(struct task *t, struct task *heir)
{
	struct space *sp = t->space;
	kernel_sigset_t mask;
	struct task *child;

	if (!t->first_child)
		return;
	mask = lock_acquire(&sp->lock);
	while ((child = child_of(sp, t->first_child)) != NULL) {
		t->first_child = child->next_child;
		child->orphan = 1;
		child->root_slot = heir->slot;
		child->next_child = heir->first_child;
		heir->first_child = child->slot + 1;
	}
	lock_release(&sp->lock, mask);
}

/* Does a child of this ended launcher still run on its memory?  One of fork until it has forked,
 * one of vfork until its exec.  Under space.lock. */
static bool has_guests(const struct task *t)
{
	struct space *sp = t->space;
	const struct task *child;

	for (child = child_of(sp, t->first_child); child; child = child_of(sp, child->next_child))
		if (child->launched == LAUNCH_EMBRYO && child->pid > 0 &&
		    atomic_load(&child->stage) == STAGE_LOADING &&
		    sys_call(SYS_kill, child->pid, 0, 0, 0, 0, 0) != -ESRCH)
			return true;
	return false;
}

bool birth_keep_memory(struct task *t)
{
	struct space *sp = t->space;
	kernel_sigset_t mask;
	bool keeps;

	if (!t->first_child || t->launched == LAUNCH_HUSK)
		return false;
	mask = lock_acquire(&sp->lock);
	keeps = has_guests(t);
	lock_release(&sp->lock, mask);
	if (!keeps)
		return false;
	if (!t->orphan)
		root_forget(root_of(t), t);
	if (!t->launched)
		link_child(root_of(t), t);
	t->orphan = t->is_host = 1;
	t->launched = LAUNCH_HUSK;
	atomic_store(&t->state, TASK_CLAIMED);
	return true;
}

void birth_bereave(struct task *t)
{
	orphan_children(t, root_of(t));
}

void birth_discard(struct task *t)
{
	struct task *launcher = root_of(t);

	if (t->launched == LAUNCH_TASK && birth_keep_memory(t))
		return;
	orphan_children(t, launcher);
	if (t->launched != LAUNCH_HUSK)
		export_close(t);
	leave_standin(t);
	window_close(t);
	/* Last, since a process that discards its own husk can be killed in between. */
	unlink_child(launcher, t);
	/* One that was killed just before it was a task has a PIPID, too. */
	if (!t->orphan && t->pipid >= 0 && root_task(launcher, t->pipid) == t)
		root_release(launcher, t);
	else
		space_free_slot(t);
}

/*
 * Has the process left the space?  For an embryo the kernel clears t->stage when it lets go of the
 * memory, at its end or at an exec.  A program's libc has given the kernel another word, and other
 * threads may outlive the main one, so the process is asked for; and if it is nobody's child any
 * more, it has been waited for.
 */
static bool has_left(struct task *t)
{
	siginfo_t info = { .si_pid = 0 };
	long rc;

	if (t->is_host)
		return !has_guests(t);
	/* What an ended launcher had begun nobody goes on with. */
	if (t->pid <= 0)
		return t->orphan;
	if (t->parent_waits && !t->orphan)
		return false;
	if (t->launched == LAUNCH_EMBRYO)
		return atomic_load(&t->stage) == STAGE_GONE;
	if (t->leaving && t->tid_word && *(const volatile int32_t *)t->tid_word == 0)
		return true;
	if (t->orphan) /* nobody's child here: certain only when the PID is nobody's any more */
		return sys_call(SYS_kill, t->pid, 0, 0, 0, 0, 0) == -ESRCH;
	do
		rc = sys_call(SYS_waitid, P_PID, t->pid, &info,
			      WEXITED | WNOHANG | WNOWAIT | __WALL, NULL, 0);
	while (rc == -EINTR);
	return rc == 0 ? info.si_pid != 0 : rc == -ECHILD;
}

#define ENDED 64 /* looked at in one go */

/* The children of a launcher that have left the space; how many. */
static size_t list_ended(struct task *launcher, struct task *ended[ENDED])
{
	struct space *sp = launcher->space;
	kernel_sigset_t mask = lock_acquire(&sp->lock);
	size_t n = 0;

	for (struct task *t = child_of(sp, launcher->first_child); t && n < ENDED;
	     t = child_of(sp, t->next_child))
		if (has_left(t))
			ended[n++] = t;
	lock_release(&sp->lock, mask);
	return n;
}

void birth_collect(struct task *launcher)
{
	struct task *ended[ENDED]; /* more of them wait for the next time */
	kernel_sigset_t outer;
	bool again;

	if (!launcher->first_child)
		return;
	outer = lock_acquire(&launcher->collect_lock);
	do {
		/* A child that replaces its program changes the list; an ended one does not. */
		size_t n = list_ended(launcher, ended);

		again = false;
		while (n) {
			struct task *t = ended[--n];

			again |= t->first_child != 0; /* those come to this launcher now */
			birth_discard(t);
		}
	} while (again);
	lock_release(&launcher->collect_lock, outer);
}

bool birth_restore_dumpable(struct space *sp)
{
	if (sys_call(SYS_prctl, PR_GET_DUMPABLE, 0, 0, 0, 0, 0) == 1)
		return true;
	for (uint32_t i = 0; i < atomic_load(&sp->nslots); i++) {
		struct task *t = &sp->task[i];
		uint32_t state = atomic_load(&t->state);

		if (state == TASK_FREE || !t->changes_rights)
			continue;
		/* It may still be running its last instructions here. */
		if (!t->leaving || !t->tid_word || *(const volatile int32_t *)t->tid_word != 0)
			return false;
	}
	return sp->changed_rights && sys_call(SYS_prctl, PR_SET_DUMPABLE, 1, 0, 0, 0, 0) == 0;
}

struct task *birth_embryo(struct task *launcher, pid_t pid)
{
	struct space *sp = launcher->space;

	for (struct task *t = child_of(sp, launcher->first_child); t;
	     t = child_of(sp, t->next_child))
		if (atomic_load(&t->pid) == pid && t->launched == LAUNCH_EMBRYO)
			return t;
	return NULL;
}

void birth_replace(struct task *old, struct task *new)
{
	struct space *sp = old->space;
	struct task *root = root_of(old);
	kernel_sigset_t mask;

	mask = lock_acquire(&sp->lock);
	new->pipid = old->pipid;
	new->root_export = old->root_export;
	new->left_world = old->left_world;
	new->changes_rights = old->changes_rights;
	if (old->launches) {
		memcpy(new->slot_of, old->slot_of, sizeof(new->slot_of));
		memcpy(new->names_of, old->names_of, sizeof(new->names_of));
		new->last_pipid = old->last_pipid;
		new->first_child = old->first_child;
		new->launches = 1;
		for (struct task *t = child_of(sp, new->first_child); t;
		     t = child_of(sp, t->next_child))
			t->root_slot = new->slot;
		old->first_child = 0;
		old->launches = 0;
	}
	atomic_store(&old->state, TASK_CLAIMED);
	old->launched = LAUNCH_HUSK;
	new->launched = LAUNCH_TASK;
	atomic_store(&new->state, TASK_LIVE);
	new->orphan = old->orphan;
	new->parent_pid = old->parent_pid;
	new->parent_shown = old->parent_shown;
	if (!new->orphan)
		root->slot_of[new->pipid] = new->slot + 1;
	lock_release(&sp->lock, mask);
}

/* ---- fork ---------------------------------------------------------------------------------- */

/* What is handed to the new process; lies on the launcher's stack, or on the embryo's. */
struct birth {
	struct task *t;
	struct window_head *head;
	struct window_head keep; /* what of it a forked child gets back */
	struct standin *standin; /* of a fork */
	struct arch_trap frame;
	kernel_sigset_t mask;
	uint64_t flags; /* of the call */
	uintptr_t stack, parent_tid, child_tid, tls;
	pid_t parent;
	_Atomic uint32_t go, failed;
};

_Static_assert(sizeof(struct birth) + 64 <= PAGE, "its room above birth_stack()");

static long clone_embryo(struct birth *b, uintptr_t top, void (*fn)(void *))
{
	struct task *t = b->t;
	struct clone_args args = {
		.flags = CLONE_VM | CLONE_CHILD_CLEARTID | CLONE_PARENT_SETTID |
			 (b->flags & CLONE_CLEAR_SIGHAND),
		.child_tid = (uintptr_t)&t->stage,
		.parent_tid = (uintptr_t)&t->pid,
		.exit_signal = SIGCHLD,
		.stack = t->room,
		.stack_size = top - t->room,
	};
	long pid = arch_clone3(&args, sizeof(args), fn, b);

	if (pid == -ENOSYS || pid == -EINVAL) {
		pid = arch_clone(CLONE_VM | CLONE_CHILD_CLEARTID | SIGCHLD, (void *)top,
				 (int *)&t->stage, fn, b);
		if (pid > 0)
			atomic_store(&t->pid, (int)pid);
	}
	return pid;
}

/* The stand-in, on its own copy of the launcher's stack: nothing below *b is in use there. */
static void standin_returns(void *arg)
{
	struct birth *b = arg;

	fork_in_child(b->head, &b->keep);
	standin_begin(b->head, b->standin);
	b->frame.nr = 0;
	sys_sigmask(SIG_SETMASK, &b->mask, NULL);
	arch_trap_resume(&b->frame);
}

/*
 * In the embryo: makes the stand-in, which returns from the call, and serves it.
 *
 * Each page of the launcher's memory that either of the two writes to from now on is copied, and
 * each copy interrupts all processors that run in the space; so what happens here leaves that
 * memory alone.
 */
static void fork_embryo(void *arg)
{
	struct birth *b = arg;
	struct task *t = b->t;
	struct standin *s = b->standin;
	long pid;

	s->embryo = sys_getpid();
	/* At the last moment: what the others map from here on is copied for nothing. */
	window_leave_out(t->space, root_of(t));
	pid = arch_clone(CLONE_FILES | CLONE_FS | SIGCHLD |
				 (b->flags & (CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID)),
			 (void *)((uintptr_t)b & ~63UL), (int *)b->child_tid, standin_returns, b);
	s->pid = (int32_t)pid;
	if (pid > 0)
		peer_note_standin(t, s->pid);
	else
		b->failed = 1;
	/* The next one's stand-in is to have no part in what these two share. */
	sys_madvise((uintptr_t)s, sizeof(*s), MADV_DONTFORK);
	/* It forks no more. */
	atomic_store(&t->memory.keep_on_fork, 0);
	/* *b is the launcher's stack: not to be touched after the next line. */
	atomic_store(&t->stage, STAGE_LOADED);
	sys_futex_wake_shared(&t->stage, INT_MAX);
	if (pid < 0)
		sys_exit_group(127);
	standin_serve(t);
}

/* Until the embryo has forked, or has executed a program, or is gone. */
static void await_embryo(struct task *t)
{
	while (atomic_load(&t->stage) == STAGE_LOADING)
		sys_futex_wait_shared(&t->stage, STAGE_LOADING, NULL);
}

/* Its PID; 0 = it could not fork, make the call as it is. */
static long await_fork(const struct birth *b, struct task *t, long pid)
{
	await_embryo(t);
	if (!b->failed) /* or killed: a child like any other */
		return pid;
	while (sys_call(SYS_wait4, pid, NULL, __WALL, NULL, 0, 0) == -EINTR)
		;
	return 0;
}

/* The kernel does not mind if that cannot be written. */
static void tell_parent(const struct birth *b, long pid)
{
	if (b->flags & CLONE_PARENT_SETTID && sys_readable((void *)b->parent_tid))
		*(int *)b->parent_tid = (int)pid;
}

/* The launcher looks at the record, and at the window, no more. */
static void let_go(struct task *t)
{
	atomic_store(&t->parent_waits, 0);
	sys_futex_wake(&t->parent_waits, 1);
}

void birth_await_parent(struct task *t)
{
	const struct task *launcher = root_of(t);
	int32_t parent = launcher->process ? launcher->process : launcher->pid;
	struct timespec limit = { 0, 10000000 };

	/* A killed one does not say so, but is nobody's parent. */
	while (atomic_load(&t->parent_waits) && sys_call(SYS_getppid, 0, 0, 0, 0, 0, 0) == parent)
		sys_futex_wait(&t->parent_waits, 1, &limit);
}

static int birth_fork(struct window_head *head, struct birth *b, struct arch_trap *tr)
{
	struct task *launcher = head->task, *t = b->t;
	struct fork_state state;
	struct standin *s, *self = standin_of(head);
	kernel_sigset_t all = ~(kernel_sigset_t)0;
	long pid;

	t->standin = s = birth_map_standin(t);
	if (!s) {
		birth_discard(t);
		return 0;
	}
	s->parent_process = sys_getpid();
	s->parent = self ? self->embryo : s->parent_process;
	s->rseq_offset = launcher->rseq_offset;
	s->rseq_len = launcher->rseq_len;
	s->rseq_sig = launcher->rseq_sig;
	b->standin = s;
	sys_sigmask(SIG_BLOCK, &all, &b->mask);
	fork_prepare(launcher, &state);
	t->parent_waits = 1;
	b->keep = *head;
	pid = clone_embryo(b, birth_stack(t), fork_embryo);
	if (pid > 0)
		pid = await_fork(b, t, pid);
	else
		pid = 0;
	fork_done(launcher, &state);
	let_go(t);
	if (pid == 0)
		birth_discard(t);
	else
		tell_parent(b, pid);
	sys_sigmask(SIG_SETMASK, &b->mask, NULL);
	if (pid)
		tr->nr = pid; /* else it is still the number of the call */
	return pid != 0;
}

/* ---- vfork --------------------------------------------------------------------------------- */

/* In the embryo: goes on from the call, on the stack that it was made on or that it names. */
static void vfork_embryo(void *arg)
{
	const struct timespec patience = { .tv_nsec = 20000000 };
	struct birth *b = arg;
	struct arch_trap frame = b->frame;

	/* If its parent is killed before it has moved, its stack is free as well, and nobody says
	 * so. */
	while (!b->go && sys_call(SYS_getppid, 0, 0, 0, 0, 0, 0) == b->parent)
		sys_futex_wait(&b->go, 0, &patience);
	frame.nr = 0;
	if (b->stack)
		frame.sp = b->stack - ARCH_TRAP_ABOVE;
	if (b->flags & CLONE_SETTLS)
		arch_set_thread_pointer(b->tls);
	sys_sigmask(SIG_SETMASK, &b->mask, NULL);
	arch_trap_resume(&frame);
}

/* The launcher, back on its own stack; the frame is where it was first. */
static void vfork_return(void *arg)
{
	struct birth *b = arg;
	struct arch_trap frame = b->frame;
	kernel_sigset_t mask = b->mask;

	let_go(b->t);
	sys_sigmask(SIG_SETMASK, &mask, NULL);
	arch_trap_resume(&frame);
}

/* The launcher, on the stack for it in the embryo's window. */
static void vfork_wait(void *arg)
{
	struct birth *b = arg;
	/* Its own stack is free again below the call, once the embryo has left that. */
	struct birth *own = (struct birth *)((b->frame.sp - 256 - sizeof(*b)) & ~63UL);

	b->frame.nr = b->t->pid;
	b->go = 1;
	sys_futex_wake(&b->go, 1);
	await_embryo(b->t);
	*own = *b;
	arch_call_on_stack((uintptr_t)own - 64, vfork_return, own);
}

static int birth_vfork(struct birth *b, struct arch_trap *tr)
{
	struct task *t = b->t;
	struct birth *there = (struct birth *)((t->room + BIRTH_STACK - sizeof(*b)) & ~63UL);
	kernel_sigset_t all = ~(kernel_sigset_t)0;
	long pid;

	sys_sigmask(SIG_BLOCK, &all, &b->mask);
	t->parent_waits = 1;
	b->parent = sys_getpid();
	*there = *b;
	pid = clone_embryo(there, (uintptr_t)there, vfork_embryo);
	if (pid < 0) {
		let_go(t);
		birth_discard(t);
		sys_sigmask(SIG_SETMASK, &b->mask, NULL);
		tr->nr = pid;
		return 1;
	}
	tell_parent(b, pid);
	if (!b->stack)
		arch_call_on_stack(t->room + BIRTH_STACK + BIRTH_WAIT, vfork_wait, there);
	there->go = 1;
	sys_futex_wake(&there->go, 1);
	await_embryo(t);
	let_go(t);
	sys_sigmask(SIG_SETMASK, &b->mask, NULL);
	tr->nr = pid;
	return 1;
}

/* ---- The calls ----------------------------------------------------------------------------- */

/* What the call asks for, in the terms of clone3(2).  False if it is none that makes a process. */
static bool decode(const struct arch_trap *tr, struct birth *b)
{
	const struct clone_args *args = (const struct clone_args *)tr->arg[0];

	if (code_is_plain_fork(tr->nr)) {
		b->flags = SIGCHLD;
	} else if (tr->nr == SYS_clone) {
		b->flags = (uint32_t)tr->arg[0];
		/* glibc's vfork() names the stack that it is on, for aarch64. */
		if ((uintptr_t)tr->arg[1] != tr->sp + ARCH_TRAP_ABOVE)
			b->stack = (uintptr_t)tr->arg[1];
		b->parent_tid = (uintptr_t)tr->arg[2];
		b->child_tid = (uintptr_t)tr->arg[ARCH_CLONE_CHILD_TID];
		b->tls = (uintptr_t)tr->arg[ARCH_CLONE_TLS];
	} else if (tr->nr == SYS_clone3 && (size_t)tr->arg[1] >= CLONE_ARGS_SIZE_VER0) {
		b->flags = args->flags | args->exit_signal;
		b->stack = args->stack ? args->stack + args->stack_size : 0;
		b->parent_tid = args->parent_tid;
		b->child_tid = args->child_tid;
		b->tls = args->tls;
		if (args->set_tid_size || args->exit_signal > CSIGNAL)
			return false;
#ifdef SYS_vfork
	} else if (tr->nr == SYS_vfork) {
		b->flags = CLONE_VM | CLONE_VFORK | SIGCHLD;
#endif
	} else {
		return false;
	}
	return true;
}

void birth_intercept(struct space *sp)
{
	rights_read(&sp->rights);
	sp->exec_keeps_rights = rights_last(&sp->rights);
	sp->intercepts = 1;
}

/* A forked child of a program of a space, in a space of its own as soon as it launches others.  On
 * failure it stays an ordinary process. */
static void become_root(struct window_head *head)
{
	const struct standin *self = standin_of(head);
	struct task *root;

	if (root_create(&root, PIP_MODE_PROCESS_PRELOAD, self ? self->embryo : sys_getpid(),
			head->exe))
		return;
	root->quiet = head->quiet;
	birth_intercept(root->space);
	atomic_store(&root->state, TASK_LIVE);
	head->task = root;
}

bool birth_is_ordinary(const struct task *launcher)
{
	/* They follow the system calls of what they start, the exec first of all. */
	static const char *const watchers[] = { "strace", "ltrace",      "gdb", "gdbserver",
						"lldb",   "lldb-server", "rr",  "perf" };

	for (size_t i = 0; i < sizeof(watchers) / sizeof(watchers[0]); i++)
		if (str_equal(str_base(launcher->path), watchers[i]))
			return true;
	return false;
}

int birth_syscall(struct window_head *head, struct arch_trap *tr)
{
	const uint64_t for_fork = CLONE_PARENT_SETTID | CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID |
				  CLONE_CLEAR_SIGHAND,
		       for_vfork = CLONE_VM | CLONE_VFORK | CLONE_PARENT_SETTID | CLONE_SETTLS;
	struct task *launcher = head->task;
	struct birth b = { .head = head, .frame = *tr };
	const struct standin *self;
	bool is_fork;

	if (!(launcher ? launcher->space->intercepts : head->intercepts))
		return 0;
	if (!decode(tr, &b) || (b.flags & CSIGNAL) != SIGCHLD)
		return 0;
	is_fork = !(b.flags & ~(for_fork | CSIGNAL)) && !b.stack &&
		  !(b.flags & CLONE_CLEAR_SIGHAND);
	if (!is_fork && ((b.flags & ~(for_vfork | CSIGNAL | CLONE_CLEAR_SIGHAND)) ||
			 (b.flags & (CLONE_VM | CLONE_VFORK)) != (CLONE_VM | CLONE_VFORK)))
		return 0;
	if (!launcher) {
		become_root(head);
		launcher = head->task;
	}
	/* A vfork's child that forks, or a program that has another one's descriptors to follow. */
	if (!launcher || !task_is_mine(launcher) || birth_is_ordinary(launcher))
		return 0;
	if (space_guard_brk(launcher->space) || copies_prepare(launcher->space))
		return 0;
	birth_collect(launcher);
	b.t = birth_claim(launcher);
	if (!b.t)
		return 0;
	self = standin_of(head);
	if (self) {
		b.t->parent_pid = self->pid;
		b.t->parent_shown = self->embryo;
	}
	return is_fork ? birth_fork(head, &b, tr) : birth_vfork(&b, tr);
}
