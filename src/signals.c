/*
 * signals.c - exception signals, and signals between root and tasks.
 * Entry functions: signals_install(), signals_abort(), signals_kill().
 *
 * A program that is hit by an exception signal which it does not handle itself is ended in an
 * orderly way: after-hook, exit handlers, flushed streams.  Whatever it was doing may have left
 * a lock taken that these need, so a timer ends it by the very same signal if it does not come
 * to its end.
 */
#include "signals.h"

#include <pip/pip.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/sys.h"
#include "embryo/fatal.h"
#include "embryo/thread.h"
#include "join.h"
#include "log.h"
#include "root.h"
#include "self.h"
#include "thread.h"

#define PATIENCE 5 /* seconds for an orderly end */

static const int exceptions[] = {
	SIGHUP,  SIGINT,  SIGQUIT,   SIGILL,  SIGTRAP, SIGBUS,  SIGFPE,
	SIGUSR1, SIGSEGV, SIGUSR2,   SIGPIPE, SIGALRM, SIGTERM, SIGVTALRM,
	SIGXCPU, SIGXFSZ, SIGSTKFLT, SIGIO,   SIGPWR,
};

#define EXCEPTIONS (sizeof(exceptions) / sizeof(exceptions[0]))

static struct sigaction replaced[EXCEPTIONS], replaced_abort;

static void default_action(int sig)
{
	struct sigaction sa = { .sa_handler = SIG_DFL };
	sigset_t set;

	sigaction(sig, &sa, NULL);
	sigemptyset(&set);
	sigaddset(&set, sig);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
}

/* The signal again, by its default action, if this thread is still there by then. */
static void set_deadline(struct task *t, int sig)
{
	struct sigevent event = { .sigev_notify = SIGEV_THREAD_ID, .sigev_signo = sig };
	struct itimerspec when = { .it_value.tv_sec = PATIENCE };
	int timer;

	default_action(sig);
	event._sigev_un._tid = sys_gettid(); /* glibc has no name for it before 2.40 */
	if (sys_call(SYS_timer_create, CLOCK_MONOTONIC, &event, &timer, 0, 0, 0))
		return;
	t->thread.timer = timer;
	t->thread.has_timer = 1;
	sys_call(SYS_timer_settime, timer, 0, &when, NULL, 0, 0);
}

/*
 * The thread that ends the program.  A mistake of another one is to wait for the report of the
 * first, and one of its own on the way is the end.  Returns whether the caller is to do it.
 */
static bool begin_end(int sig)
{
	static _Atomic pid_t ending;
	pid_t nobody = 0, me = sys_gettid();

	if (atomic_compare_exchange_strong(&ending, &nobody, me))
		return true;
	if (!fatal_is(sig))
		return false;
	while (nobody != me)
		pause();
	default_action(sig);
	raise(sig);
	return false;
}

static void on_exception(int sig, siginfo_t *info, void *context)
{
	struct task *t = self_task();

	if (!t) { /* a forked child has inherited the handler */
		default_action(sig);
		raise(sig);
		return;
	}
	if (!begin_end(sig))
		return;
	log_err("Exception signal: %s (%d) !!", strsignal(sig), sig);
	fatal_report(t, sig, info, context);
	set_deadline(t, sig);
	fflush(NULL);
	atomic_store(&t->end_signal, (uint32_t)sig);
	exit(sig);
}

static void on_abort(int sig, siginfo_t *info, void *context)
{
	/* Of its own doing, not pip_abort() in a task. */
	if (self_is_root() && info->si_pid == getpid())
		fatal_report(self_task(), sig, info, context);
	if (self_is_root())
		join_kill_all(self_task(), false);
	default_action(sig);
	raise(sig);
}

void signals_install(void)
{
	/* SA_NODEFER: the deadline's signal must come through while the handler runs. */
	struct sigaction sa = { .sa_sigaction = on_exception };

	if (self_is_task() && self_task()->thread.on) { /* handlers are the root's there */
		self_task()->thread.catcher = on_exception;
		return;
	}
	sigemptyset(&sa.sa_mask);
	for (size_t i = 0; i < EXCEPTIONS; i++) {
		sa.sa_flags = SA_RESTART | SA_NODEFER | SA_SIGINFO;
		/* The end of a stack can be reported only on another one. */
		if (exceptions[i] == SIGSEGV || exceptions[i] == SIGBUS)
			sa.sa_flags |= SA_ONSTACK;
		sigaction(exceptions[i], &sa, &replaced[i]);
	}
	if (self_is_root()) {
		sa.sa_sigaction = on_abort;
		sigaction(SIGABRT, &sa, &replaced_abort);
		if (self_task()->mode == PIP_MODE_PTHREAD)
			thread_take_signals(self_task(), on_exception, on_abort, signals_ignored());
	}
}

static void restore(int sig, void (*ours)(int, siginfo_t *, void *), const struct sigaction *before)
{
	struct sigaction now;

	if (sigaction(sig, NULL, &now) == 0 && now.sa_sigaction == ours)
		sigaction(sig, before, NULL);
}

void signals_restore(void)
{
	thread_signals_give_back();
	for (size_t i = 0; i < EXCEPTIONS; i++)
		restore(exceptions[i], on_exception, &replaced[i]);
	restore(SIGABRT, on_abort, &replaced_abort);
}

uint64_t signals_ignored(void)
{
	uint64_t set = 0;

	for (size_t i = 0; i < EXCEPTIONS; i++) {
		struct sigaction now;

		if (replaced[i].sa_handler == SIG_IGN &&
		    sigaction(exceptions[i], NULL, &now) == 0 && now.sa_sigaction == on_exception)
			set |= 1UL << (exceptions[i] - 1);
	}
	return set;
}

/* To the process, or to the one thread, of a root or task. */
static int send(struct task *t, pid_t pid, int signum)
{
	pid_t child = atomic_load(&t->thread.child);

	if (t->mode != PIP_MODE_PTHREAD)
		return kill(pid, signum) ? -errno : 0;
	if (t->thread.on && atomic_load(&t->thread.ended))
		return 0; /* a process that nobody has waited for takes signals, too */
	if (t->thread.on && child)
		return kill(child, signum) && errno != ESRCH ? -errno : 0;
	if (t->thread.on && signum == SIGKILL) { /* the kernel's would be for all */
		if (thread_task(t->space) == t)
			thread_end(t, SIGKILL);
		thread_kill(t, SIGKILL);
		return 0;
	}
	return (int)sys_call(SYS_tgkill, sys_getpid(), pid, signum, 0, 0, 0);
}

void signals_abort(void)
{
	struct task *t = self_task();

	if (self_is_task()) {
		send(root_of(t), root_of(t)->pid, SIGABRT);
		for (;;)
			pause(); /* the root kills its tasks, then itself */
	}
	if (t)
		join_kill_all(t, false);
	default_action(SIGABRT);
	abort();
}

int signals_kill(struct task *me, int pipid, int signum)
{
	struct task *root = root_of(me);
	struct task *t = pipid == PIP_PIPID_ROOT ? root : root_task(root, pipid);

	pid_t pid = t && atomic_load(&t->state) == TASK_LIVE ? atomic_load(&t->pid) : 0;

	if (pid <= 0) /* 0: it is just being started.  To kill(2) that would mean a process group */
		return -ESRCH;
	return send(t, pid, signum);
}
