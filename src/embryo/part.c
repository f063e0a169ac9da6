/*
 * part.c - a task that gives up its rights.  Entry function: part_from_space().
 */
#include "embryo/part.h"

#include <linux/sched.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "embryo/birth.h"
#include "embryo/end.h"
#include "embryo/fork.h"
#include "embryo/peer.h"
#include "embryo/rights.h"
#include "embryo/standin.h"
#include "embryo/window.h"
#include "root.h"

/* Lies on the program's stack, in both processes. */
struct parting {
	struct window_head *head, keep;
	struct standin *standin;
	struct arch_trap frame;
	kernel_sigset_t mask;
	uintptr_t robust_list;
	size_t robust_len;
};

#define TIMERS 3 /* of setitimer(2) */

static bool has_children(void)
{
	siginfo_t info;

	return sys_call(SYS_waitid, P_ALL, 0, &info,
			WEXITED | WSTOPPED | WCONTINUED | WNOHANG | WNOWAIT | __WALL, NULL,
			0) != -ECHILD;
}

bool part_is_possible(struct task *t)
{
	return t->launched == LAUNCH_TASK && t->begun && !t->aware && !t->shares && !t->sealed &&
	       !t->last_timer && !t->thread.has_threads && t->memory.front && end_is_alone() &&
	       !has_children();
}

/* In the forked child, on its copy of the program's stack. */
static void go_on(void *arg)
{
	struct parting *p = arg;

	fork_in_child(p->head, &p->keep);
	standin_begin(p->head, p->standin);
	/* A fork leaves these behind. */
	sys_call(SYS_set_robust_list, p->robust_list, p->robust_len, 0, 0, 0, 0);
	for (int i = 0; i < TIMERS; i++)
		sys_call(SYS_setitimer, i, &p->standin->attributes.timer[i], NULL, 0, 0, 0);
	sys_sigmask(SIG_SETMASK, &p->mask, NULL);
	arch_trap_resume(&p->frame);
}

/* In the task's process, on its spare stack. */
static _Noreturn void stand(void *arg)
{
	const long none[4] = { 0, 0, 0, 0 };
	struct task *t = arg;

	for (int i = 0; i < TIMERS; i++)
		sys_call(SYS_setitimer, i, none, NULL, 0, 0, 0);
	end_rseq(t);
	end_forget(t);
	window_empty(t);
	standin_serve(t);
}

/* Its record is that of an embryo, without a PIPID. */
static void become_embryo(struct task *t)
{
	birth_bereave(t);
	if (!t->orphan)
		root_forget(root_of(t), t);
	t->parted = 1;
	t->begun = 0;
	t->tid_word = NULL;
	t->launched = LAUNCH_EMBRYO;
	atomic_store(&t->state, TASK_CLAIMED);
}

static void describe(struct task *t, struct standin *s)
{
	s->embryo = t->pid;
	s->parent_process = (int32_t)sys_call(SYS_getppid, 0, 0, 0, 0, 0, 0);
	s->parent = t->parent_pid && s->parent_process == t->parent_pid ? t->parent_shown
									: s->parent_process;
	sys_call(SYS_prctl, PR_GET_PDEATHSIG, &s->death_signal, 0, 0, 0, 0);
	for (int i = 0; i < TIMERS; i++)
		sys_call(SYS_getitimer, i, &s->attributes.timer[i], 0, 0, 0, 0);
}

void part_from_space(struct window_head *head, const struct arch_trap *tr)
{
	struct parting p = { .head = head, .frame = *tr };
	kernel_sigset_t all = ~(kernel_sigset_t)0;
	struct task *t = head->task;
	struct fork_state state;
	long pid;

	if (!rights_are_given_up(&t->space->rights))
		return;
	p.standin = birth_map_standin(t);
	if (!p.standin)
		return;
	sys_sigmask(SIG_BLOCK, &all, &p.mask);
	describe(t, p.standin);
	sys_call(SYS_get_robust_list, 0, &p.robust_list, &p.robust_len, 0, 0, 0);
	window_leave_out(t->space, t);
	fork_prepare(t, &state);
	p.keep = *head;
	pid = arch_clone(CLONE_FILES | CLONE_FS | SIGCHLD, (void *)((uintptr_t)&p & ~63UL), NULL,
			 go_on, &p);
	fork_done(t, &state);
	if (pid < 0) { /* then it stays, as one with threads does */
		sys_sigmask(SIG_SETMASK, &p.mask, NULL);
		return;
	}
	p.standin->pid = (int32_t)pid;
	t->standin = p.standin;
	peer_note_standin(t, (int32_t)pid);
	sys_madvise((uintptr_t)p.standin, sizeof(*p.standin), MADV_DONTFORK);
	become_embryo(t);
	arch_call_on_stack(birth_stack(t), stand, t);
}
