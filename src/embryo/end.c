/*
 * end.c - the end of a launched program.  Entry function: end_with_memory().
 *
 * The kernel gives the memory of a process back in the process that ends.  Of a task's it knows
 * nothing, so its launcher would have to do it, who is often the one that all others wait for.
 */
#include "embryo/end.h"

#include <linux/rseq.h>
#include <sched.h>

#include "embryo/birth.h"
#include "embryo/window.h"

struct ending {
	struct task *t;
	int status;
};

bool end_rseq(const struct task *t)
{
	return t->rseq_len && sys_call(SYS_rseq, arch_thread_pointer() + (uintptr_t)t->rseq_offset,
				       t->rseq_len, RSEQ_FLAG_UNREGISTER, t->rseq_sig, 0, 0) == 0;
}

/* Does it hold a robust mutex?  The kernel has to find these at its end. */
static bool has_robust_mutex(void)
{
	uintptr_t *list = NULL;
	size_t len = 0;

	/* A list that is empty is its own next entry; the third word is the lock being taken. */
	return sys_call(SYS_get_robust_list, 0, &list, &len, 0, 0, 0) ||
	       (list && (list[0] != (uintptr_t)list || list[2]));
}

/* The call changes nothing, but fails for one of several. */
bool end_is_alone(void)
{
	return sys_call(SYS_unshare, CLONE_THREAD, 0, 0, 0, 0, 0) == 0;
}

void end_forget(struct task *t)
{
	stack_t none = { .ss_flags = SS_DISABLE };

	sys_call(SYS_sigaltstack, &none, NULL, 0, 0, 0, 0);
	sys_call(SYS_set_robust_list, NULL, 3 * sizeof(long), 0, 0, 0, 0);
	/* As long as it is an embryo's, which tells nothing of a program. */
	sys_call(SYS_set_tid_address, &t->stage, 0, 0, 0, 0, 0);
}

/* On a stack in the part of the window that stays. */
static _Noreturn void unmap(void *arg)
{
	struct ending e = *(struct ending *)arg;

	end_forget(e.t);
	window_empty(e.t);
	for (;;)
		sys_exit_group(e.status);
}

void end_with_memory(struct task *t, int status)
{
	kernel_sigset_t all = ~(kernel_sigset_t)0, mask;
	struct ending e = { t, status };

	if (t->launched != LAUNCH_TASK || !t->begun || t->thread.on || t->thread.has_threads ||
	    t->shares || t->first_child || !t->memory.front)
		return;
	/* A filter may have let it only what it needs itself. */
	if (t->left_world || has_robust_mutex() || !end_is_alone())
		return;
	sys_sigmask(SIG_BLOCK, &all, &mask);
	if (end_rseq(t))
		arch_call_on_stack(birth_stack(t), unmap, &e);
	sys_sigmask(SIG_SETMASK, &mask, NULL);
}
