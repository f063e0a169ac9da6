/*
 * guard.c - copies that end at a fault instead of ending the program.
 * Entry functions: guard_open(), guard_copy(), guard_sigaction(), guard_signal().
 *
 * What the program has set for the two signals is kept here, and the kernel is told of a handler
 * of ours instead, with the program's own flags and mask; so the kernel still chooses the stack,
 * the signals to block and the calls to restart.  A fault that is not of a copy goes on to the
 * program's handler by a jump, on the frame that the kernel made.
 *
 * All programs of a space run this one code, so the handlers are many, one for each slot: a
 * handler's address tells whose it is, even in a forked child, which inherits handlers but has
 * neither a registry nor its window's head.  There the program's later settings go to the kernel
 * as they are, and so take the guard away.  For the same reason the settings are kept here, in
 * memory that is copied by a fork, and not in the task's record.
 *
 * Two things leave a process without a handler that would be called: the program ignores one of
 * the signals (which the kernel must know, since it is inherited by execve), or blocks it (in a
 * handler for it, for one); the kernel then ends the process at a fault.  Then the copy is made
 * by system calls, which fail at a fault.
 */
#include "embryo/guard.h"

#include <linux/limits.h>
#include <ucontext.h>

#define SIGNALS 2
#define MASK (1UL << (SIGSEGV - 1) | 1UL << (SIGBUS - 1))
#define CANNOT_BLOCK (1UL << (SIGKILL - 1) | 1UL << (SIGSTOP - 1))

/* window_head.guarded: a bit for each signal whose handler is ours, and one for "in use". */
#define ALL_OURS ((1U << SIGNALS) - 1)
#define IN_USE (1U << SIGNALS)

static const int signals[SIGNALS] = { SIGSEGV, SIGBUS };

/* By slot.  The lock is for what the process does itself, never for a handler. */
static struct settings {
	struct lock lock;
	struct kernel_sigaction action[SIGNALS]; /* of the program; where the handler is ours */
} settings[SPACE_TASKS];

_Static_assert(ARCH_GUARDS >= SPACE_TASKS, "a handler for each slot");

/* Called by arch_guards: returns the handler to enter, or 0. */
uintptr_t guard_signal(int sig, siginfo_t *info, ucontext_t *uc, uint32_t slot);

/* All the handlers, in bytes. */
static size_t handlers_size(void)
{
	return (uintptr_t)arch_guards_end - (uintptr_t)arch_guards;
}

static void *handler_of(uint32_t slot)
{
	return (void *)((uintptr_t)arch_guards + slot * (handlers_size() / ARCH_GUARDS));
}

/* What the program has set, if the handler is ours. */
static const struct kernel_sigaction *behind(const struct kernel_sigaction *a, int which)
{
	uintptr_t off = (uintptr_t)a->handler - (uintptr_t)arch_guards;

	if (off >= handlers_size())
		return a;
	return &settings[off / (handlers_size() / ARCH_GUARDS)].action[which];
}

/* ---- The handler --------------------------------------------------------------------------- */

/* Did the instruction that is to be resumed cause it?  Then it will do so again. */
static bool is_fault(const siginfo_t *info)
{
	return info->si_code > 0 && !(info->si_signo == SIGBUS && info->si_code == BUS_MCEERR_AO);
}

/* A fault in arch_copy() goes on behind the copy. */
static bool fix_up(ucontext_t *uc)
{
	uintptr_t pc = (uintptr_t)ARCH_CONTEXT_PC(uc);

	if (pc < (uintptr_t)arch_copy || pc >= (uintptr_t)arch_copy_fault)
		return false;
	pc = (uintptr_t)(pc < (uintptr_t)arch_copy_last ? arch_copy_last : arch_copy_fault);
	ARCH_CONTEXT_PC(uc) = (__typeof__(ARCH_CONTEXT_PC(uc)))pc;
	return true;
}

uintptr_t guard_signal(int sig, siginfo_t *info, ucontext_t *uc, uint32_t slot)
{
	struct kernel_sigaction *a = &settings[slot].action[sig == SIGBUS];
	struct kernel_sigaction by_default = { .handler = (void *)SIG_DFL };
	void *handler = a->handler;

	if (is_fault(info) && fix_up(uc))
		return 0;
	if (handler != (void *)SIG_DFL) {
		if (a->flags & SA_RESETHAND)
			a->handler = (void *)SIG_DFL;
		return (uintptr_t)handler;
	}
	sys_sigaction(sig, &by_default, NULL);
	if (!is_fault(info)) /* pending until this returns */
		sys_call(SYS_rt_tgsigqueueinfo, sys_getpid(), sys_gettid(), sig, info, 0, 0);
	return 0;
}

/* ---- The program's settings ---------------------------------------------------------------- */

/* Makes *a the program's setting.  All signals are blocked, so nobody is in between. */
static int set(struct window_head *head, uint32_t slot, int which, const struct kernel_sigaction *a)
{
	struct kernel_sigaction *kept = &settings[slot].action[which], ours = *a;
	int rc;

	if (a->handler == (void *)SIG_IGN) {
		rc = sys_sigaction(signals[which], a, NULL);
		if (!rc)
			atomic_fetch_and(&head->guarded, ~(1U << which));
		return rc;
	}
	*kept = *a;
	kept->mask &= ~CANNOT_BLOCK;
	if (a->handler == (void *)SIG_DFL) {
		ours.flags &= SA_RESTORER;
		ours.flags |= SA_ONSTACK;
		ours.mask = 0;
	}
	ours.handler = handler_of(slot);
	ours.flags = (ours.flags & ~(unsigned long)SA_RESETHAND) | SA_SIGINFO;
	if (!(ours.flags & SA_RESTORER)) {
		ours.flags |= SA_RESTORER;
		ours.restorer = (void *)arch_sigaction_return;
	}
	rc = sys_sigaction(signals[which], &ours, NULL);
	if (!rc)
		atomic_fetch_or(&head->guarded, 1U << which);
	return rc;
}

/* A task has one head in use, however many windows it took; a root has none but its own. */
static struct window_head *main_head(struct window_head *head)
{
	return head->task->window ? head->task->window : head;
}

/* A child that shares our memory, as one of vfork(), has settings of its own. */
static bool is_process_of(const struct task *t)
{
	return task_is_mine(t);
}

static int install(struct window_head *head, const struct task *t)
{
	struct settings *s = &settings[t->slot];
	kernel_sigset_t mask;
	int rc = 0;

	if (!is_process_of(t))
		return -EPERM;
	mask = lock_acquire(&s->lock);
	for (int i = 0; i < SIGNALS && !rc && !(atomic_load(&head->guarded) & IN_USE); i++) {
		struct kernel_sigaction now;

		rc = sys_sigaction(signals[i], NULL, &now);
		if (!rc) {
			now = *behind(&now, i);
			rc = set(head, t->slot, i, &now);
		}
	}
	if (!rc)
		atomic_fetch_or(&head->guarded, IN_USE);
	lock_release(&s->lock, mask);
	return rc;
}

/* For processes that the guard was not made for. */
static int foreign_sigaction(struct arch_trap *tr, int which)
{
	struct kernel_sigaction *old = (struct kernel_sigaction *)tr->arg[2];

	if (!old)
		return 0;
	tr->nr = sys_sigaction((int)tr->arg[0], (const struct kernel_sigaction *)tr->arg[1], old);
	if (tr->nr == 0)
		*old = *behind(old, which);
	return 1;
}

static int guarded_sigaction(struct window_head *head, uint32_t slot, int which,
			     const struct kernel_sigaction *act, struct kernel_sigaction *old)
{
	struct kernel_sigaction before, after;
	kernel_sigset_t mask;
	int rc;

	/* Of this signal's action nothing can be set, but the kernel looks at it first. */
	if (act && sys_sigaction(SIGKILL, act, NULL) == -EFAULT)
		return -EFAULT;
	if (act)
		after = *act;
	mask = lock_acquire(&settings[slot].lock);
	rc = sys_sigaction(signals[which], NULL, &before);
	if (!rc) {
		before = *behind(&before, which);
		if (act)
			rc = set(head, slot, which, &after);
	}
	lock_release(&settings[slot].lock, mask);
	if (rc || !old)
		return rc;
	rc = sys_sigaction(signals[which], NULL, old); /* the kernel knows if it can be written */
	if (!rc)
		*old = before;
	return rc;
}

int guard_sigaction(struct window_head *head, struct arch_trap *tr)
{
	const struct kernel_sigaction *act = (const struct kernel_sigaction *)tr->arg[1];
	struct kernel_sigaction *old = (struct kernel_sigaction *)tr->arg[2];
	struct task *t = head->task;
	int sig = (int)tr->arg[0];
	struct settings *s;
	kernel_sigset_t mask;

	if ((sig != SIGSEGV && sig != SIGBUS) || tr->arg[3] != KERNEL_SIGSET_SIZE)
		return 0;
	if (!t || !is_process_of(t))
		return foreign_sigaction(tr, sig == SIGBUS);
	head = main_head(head);
	s = &settings[t->slot];
	if (!(atomic_load(&head->guarded) & IN_USE)) {
		/* Another thread may be installing it. */
		mask = lock_acquire(&s->lock);
		if (!(atomic_load(&head->guarded) & IN_USE)) {
			tr->nr = sys_sigaction(sig, act, old);
			lock_release(&s->lock, mask);
			return 1;
		}
		lock_release(&s->lock, mask);
	}
	tr->nr = guarded_sigaction(head, t->slot, sig == SIGBUS, act, old);
	return 1;
}

/* ---- Copies -------------------------------------------------------------------------------- */

int guard_open(struct guard *g, struct window_head *head)
{
	kernel_sigset_t mask = MASK;
	uint32_t ready;

	head = main_head(head);
	if (!(atomic_load(&head->guarded) & IN_USE))
		install(head, head->task);
	ready = atomic_load(&head->guarded);
	sys_sigmask(SIG_BLOCK, NULL, &mask);
	g->by_kernel = (ready & ALL_OURS) != ALL_OURS || (mask & MASK);
	return g->by_kernel ? (int)sys_call(SYS_pipe2, g->pipe, O_CLOEXEC | O_NONBLOCK, 0, 0, 0, 0)
			    : 0;
}

void guard_close(struct guard *g)
{
	if (!g->by_kernel)
		return;
	sys_close(g->pipe[0]);
	sys_close(g->pipe[1]);
}

static size_t to_page_end(uintptr_t at, size_t n)
{
	size_t room = PAGE - at % PAGE;

	return n < room ? n : room;
}

/* In parts that lie in one page at both sides, so that none is half there. */
static size_t copy_by_kernel(const int *pipe, uintptr_t to, uintptr_t from, size_t n)
{
	while (n) {
		size_t part = to_page_end(to, to_page_end(from, n));

		if (sys_write(pipe[1], (void *)from, part) != (ssize_t)part ||
		    sys_call(SYS_read, pipe[0], to, part, 0, 0, 0) != (ssize_t)part)
			break;
		to += part;
		from += part;
		n -= part;
	}
	return n;
}

size_t guard_copy(const struct guard *g, uintptr_t to, uintptr_t from, size_t n)
{
	if (g->by_kernel)
		return copy_by_kernel(g->pipe, to, from, n);
	return arch_copy((void *)to, (const void *)from, n);
}
