/*
 * fork.c - what of the space's memory a fork copies.  Entry functions: fork_prepare(),
 * fork_syscall().
 */
#include "embryo/fork.h"

#include <linux/sched.h>

#include "base/str.h"
#include "embryo/thread.h"
#include "embryo/window.h"

void fork_keep(struct task *t)
{
	struct task_memory *m = &t->memory;
	kernel_sigset_t mask = lock_acquire(&m->fork_lock);

	atomic_store(&m->keep_on_fork, 1);
	if (atomic_exchange(&m->left_out, 0))
		window_advise(t, MADV_DOFORK);
	lock_release(&m->fork_lock, mask);
}

void fork_in_child(struct window_head *head, const struct window_head *before)
{
	head->entry = before->entry;
	head->exe = before->exe;
	head->intercepts = before->intercepts;
	head->sealed = before->sealed;
	head->quiet = before->quiet;
	head->brk = before->brk;
	head->brk_start = before->brk_start;
	head->brk_limit = before->brk_limit;
}

static int fork_of_child(struct window_head *head, struct arch_trap *tr)
{
	struct window_head before = *head;

	tr->nr = sys_trapped(tr);
	if (tr->nr == 0)
		fork_in_child(head, &before);
	return 1;
}

long fork_raw(uint64_t flags, uintptr_t parent_tid)
{
	return sys_call(SYS_clone, flags, 0, parent_tid, 0, 0, 0);
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

void fork_prepare(struct task *t, struct fork_state *state)
{
	struct task_memory *m = &t->memory;

	if (t->window) {
		t->window->intercepts = t->space->intercepts;
		t->window->quiet = t->quiet;
	}
	state->mask = lock_acquire(&m->fork_lock);
	if (!t->window) { /* the first root: no fork leaves it out */
		state->left_out = false;
		return;
	}
	t->window->exe = exe_page(t);
	state->left_out = atomic_load(&m->left_out);
	if (state->left_out)
		window_advise(t, MADV_DOFORK);
}

void fork_done(struct task *t, struct fork_state *state)
{
	struct task_memory *m = &t->memory;

	if (state->left_out)
		window_advise(t, MADV_DONTFORK);
	lock_release(&m->fork_lock, state->mask);
}

static int fork_of_task(struct window_head *head, struct arch_trap *tr)
{
	struct task *t = head->task;
	struct fork_state state;
	struct thread_signals signals;
	struct window_head keep;

	thread_fork_begin(t, &signals);
	window_leave_out(t->space, t);
	fork_prepare(t, &state);
	keep = *head;
	tr->nr = sys_trapped(tr);
	if (tr->nr == 0) { /* the registry, and so *t and the lock, is not mapped here */
		fork_in_child(head, &keep);
		thread_fork_child(&signals);
		sys_sigmask(SIG_SETMASK, &state.mask, NULL);
		return 1;
	}
	fork_done(t, &state);
	return 1;
}

int fork_syscall(struct window_head *head, struct arch_trap *tr)
{
	const struct clone_args *args = (const struct clone_args *)tr->arg[0];
	uint64_t flags, stack;

	if (code_is_plain_fork(tr->nr)) {
		flags = stack = 0;
	} else if (tr->nr == SYS_clone) {
		flags = (uint64_t)tr->arg[0];
		stack = (uint64_t)tr->arg[1];
	} else if (tr->nr == SYS_clone3 && (size_t)tr->arg[1] >= CLONE_ARGS_SIZE_VER0) {
		flags = args->flags;
		stack = args->stack;
	} else {
		return 0;
	}
	if (flags & CLONE_VM)
		return 0;
	if (!head->task || head->task->sealed)
		return stack || !head->brk ? 0 : fork_of_child(head, tr);
	if (!stack)
		return fork_of_task(head, tr);
	fork_keep(head->task); /* the child returns where we cannot follow */
	return 0;
}
