/*
 * thread.c - a task that is a thread of its root.
 * Entry functions: thread_syscall(), thread_on_signal(), thread_end(), thread_kill().
 *
 * The end of such a task is that of its threads, one after another: each is hit by a signal that C
 * libraries keep for themselves and that programs therefore never block, and leaves within the
 * handler.  The last one names a word for the kernel to clear when it has gone for good
 * (set_tid_address(2)); by then nothing uses the task's memory any more.
 *
 * Runs on any thread pointer: in traps, in signal handlers, on a thread that is just being made.
 */
#include "embryo/thread.h"

#include <linux/sched.h>
#include <sys/wait.h>

#include "base/dir.h"
#include "embryo/fatal.h"
#include "embryo/window.h"

/* glibc's SIGCANCEL, and SIGSETXID: setuid(2) by a thread of many programs makes no sense. */
#define INTERNAL_FIRST THREAD_CANCEL
#define TID_MAX (4U << 20) /* Linux, PID_MAX_LIMIT */
#define PASSES 24          /* over threads that nothing is known of, */
#define PATIENT 4          /* the first of which only wait: most tell soon whose they are */

#define BIT(sig) (1UL << ((sig)-1))

/* Those that the interface wants to be caught, and SIGABRT. */
#define NAMED                                                                                      \
	(BIT(SIGHUP) | BIT(SIGINT) | BIT(SIGQUIT) | BIT(SIGILL) | BIT(SIGTRAP) | BIT(SIGBUS) |     \
	 BIT(SIGFPE) | BIT(SIGUSR1) | BIT(SIGSEGV) | BIT(SIGUSR2) | BIT(SIGPIPE) | BIT(SIGALRM) |  \
	 BIT(SIGTERM) | BIT(SIGVTALRM) | BIT(SIGXCPU) | BIT(SIGXFSZ) | BIT(SIGSTKFLT) |            \
	 BIT(SIGIO) | BIT(SIGPWR) | BIT(SIGABRT))

/* And all others that end a program by default. */
#define DEADLY (NAMED | BIT(SIGPROF) | BIT(SIGSYS) | ~(BIT(34) - 1))

static struct task *const *root_word; /* whose signals are taken; see thread_signals_take() */
static struct thread_handlers root;
static struct kernel_sigaction ours, ours_internal, before[64];

static BARE bool is_in(kernel_sigset_t set, int sig)
{
	return sig >= 1 && sig <= 64 && set >> (sig - 1) & 1;
}

static BARE bool is_deadly(int sig)
{
	return is_in(DEADLY, sig);
}

static BARE bool is_internal(int sig)
{
	return sig >= INTERNAL_FIRST && sig < INTERNAL_FIRST + THREAD_INTERNAL;
}

static BARE struct task *root_record(const struct task *t)
{
	return &t->space->task[t->root_slot];
}

/* ---- Which threads are a task's ------------------------------------------------------------ */

BARE struct task *thread_task(struct space *sp)
{
	struct task *t = window_owner(sp, (void *)arch_thread_pointer());

	/* Until its libc is loaded, and in hooks, it has a thread pointer of the root's. */
	return t ? t : window_owner(sp, __builtin_frame_address(0));
}

enum kinship {
	STRANGER,
	OWN,
	UNKNOWN
};

static BARE enum kinship kinship(struct task *t, pid_t tid)
{
	void *list = NULL;
	size_t len;

	if (sys_call(SYS_get_robust_list, tid, &list, &len, 0, 0, 0))
		return UNKNOWN;
	if (list)
		return window_owner(t->space, list) == t ? OWN : STRANGER;
	/* A thread that has only just begun, is all but gone, or has a libc that wants no list. */
	return tid == atomic_load(&t->pid) ? OWN : UNKNOWN;
}

/* One look at all threads of the process. */
struct look {
	struct task *t;
	pid_t pid, except;
	bool patient;
	bool own, unknown; /* it has met such threads */
};

BARE void thread_queue(struct task *t, pid_t tid, int sig)
{
	pid_t pid = sys_getpid();
	siginfo_t info = { .si_signo = sig, .si_code = SI_QUEUE };

	info.si_pid = pid;
	info.si_value.sival_ptr = t;
	sys_call(SYS_rt_tgsigqueueinfo, pid, tid, sig, &info, 0, 0);
}

/* Asks one thread to leave, if it is the task's or may be. */
static BARE void ask(void *ctx, int tid)
{
	struct look *k = ctx;
	enum kinship kind;

	if (tid == k->except || sys_call(SYS_tgkill, k->pid, tid, 0, 0, 0, 0))
		return;
	kind = kinship(k->t, tid);
	if (kind == STRANGER)
		return;
	*(kind == OWN ? &k->own : &k->unknown) = true;
	if (kind == OWN || !k->patient)
		thread_queue(k->t, tid, THREAD_LEAVE);
}

static BARE void ask_all(struct look *k)
{
	if (dir_numbers(DIR_THREADS, ask, k)) /* no /proc, or no descriptor left */
		for (int tid = 1; tid < (int)TID_MAX; tid++)
			ask(k, tid); /* whoever answers is one */
}

/* Ends all threads of a task but one, and waits until they have gone. */
static BARE void end_threads(struct task *t, pid_t except)
{
	struct timespec pause = { 0, 20000 };

	for (int passes = 0;; passes++) {
		struct look k = { .t = t, .pid = sys_getpid(), .except = except };

		k.patient = passes < PATIENT;
		ask_all(&k);
		/* The kernel's own helpers (io_uring) and other programs' new threads are unknown,
		 * too, and stay: the signal tells them nothing. */
		if (!k.own && (!k.unknown || passes >= PASSES))
			return;
		sys_call(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, &pause, NULL, 0, 0);
		if (pause.tv_nsec < 2000000)
			pause.tv_nsec += pause.tv_nsec / 2;
	}
}

/* ---- Signals ------------------------------------------------------------------------------- */

BARE void thread_signals_take(struct task *const *me, const struct thread_handlers *own)
{
	root = *own;
	root_word = me;
	ours = (struct kernel_sigaction){
		.handler = (void *)arch_signal_entry,
		.flags = SA_SIGINFO | SA_RESTART | SA_NODEFER | SA_ONSTACK | SA_RESTORER,
		.restorer = (void *)arch_sigaction_return,
	};
	ours_internal = ours;
	ours_internal.flags &= ~(unsigned long)SA_NODEFER;
	for (int i = 0; i < THREAD_INTERNAL; i++) {
		sys_sigaction(INTERNAL_FIRST + i, NULL, &root.internal[i]);
		sys_sigaction(INTERNAL_FIRST + i, &ours_internal, NULL);
	}
	for (int sig = 1; sig <= 64; sig++) {
		if (!is_deadly(sig) || sys_sigaction(sig, NULL, &before[sig - 1]))
			continue;
		if (is_in(NAMED, sig) || before[sig - 1].handler == (void *)SIG_DFL)
			sys_sigaction(sig, &ours, NULL);
	}
}

BARE void thread_signals_give_back(void)
{
	struct kernel_sigaction now;

	for (int sig = 1; ours.handler && sig <= 64; sig++)
		if (is_deadly(sig) && sys_sigaction(sig, NULL, &now) == 0 &&
		    now.handler == ours.handler)
			sys_sigaction(sig, &before[sig - 1], NULL);
	for (int i = 0; ours.handler && i < THREAD_INTERNAL; i++)
		sys_sigaction(INTERNAL_FIRST + i, &root.internal[i], NULL);
}

BARE void thread_fork_begin(struct task *t, struct thread_signals *s)
{
	struct kernel_sigaction now;

	s->reset = 0;
	if (!t->thread.on)
		return;
	for (int i = 0; i < THREAD_INTERNAL; i++)
		s->internal[i] = t->thread.internal[i];
	for (int sig = 1; sig <= 64; sig++) {
		const struct task *owner;

		if (is_internal(sig) || sys_sigaction(sig, NULL, &now))
			continue;
		owner = window_owner(t->space, now.handler);
		if (now.handler == ours.handler || (owner && owner != t))
			s->reset |= BIT(sig);
	}
	s->reset |= BIT(INTERNAL_FIRST);
}

BARE void thread_fork_child(const struct thread_signals *s)
{
	const struct kernel_sigaction none = { .handler = (void *)SIG_DFL };

	for (int sig = 1; s->reset && sig <= 64; sig++)
		if (is_internal(sig))
			sys_sigaction(sig, &s->internal[sig - INTERNAL_FIRST], NULL);
		else if (is_in(s->reset, sig))
			sys_sigaction(sig, &none, NULL);
}

/* What the signal would do if nobody caught it. */
static BARE void default_action(int sig)
{
	const struct kernel_sigaction none = { .handler = (void *)SIG_DFL };
	kernel_sigset_t set = BIT(sig);

	sys_sigaction(sig, &none, NULL);
	sys_sigmask(SIG_UNBLOCK, &set, NULL);
	sys_call(SYS_tgkill, sys_getpid(), sys_gettid(), sig, 0, 0, 0);
}

static BARE _Noreturn void leave(void)
{
	kernel_sigset_t all = ~(kernel_sigset_t)0;

	sys_sigmask(SIG_BLOCK, &all, NULL);
	for (;;)
		sys_call(SYS_exit, 0, 0, 0, 0, 0, 0);
}

static BARE void *internal_signal(struct task *t, int sig, const siginfo_t *info)
{
	const struct kernel_sigaction *sa = t ? &t->thread.internal[sig - INTERNAL_FIRST]
					      : &root.internal[sig - INTERNAL_FIRST];

	if (info->si_code == SI_QUEUE) {
		/* If it is another one's thread, it was not known for that. */
		if (t && t == info->si_value.sival_ptr && sig == THREAD_CANCEL) {
			t->thread.cancelled = 1;
			thread_end(t, ECANCELED << 8);
		}
		if (t && t == info->si_value.sival_ptr && atomic_load(&t->thread.ending))
			leave();
		return NULL;
	}
	if (sa->handler == (void *)SIG_DFL || sa->handler == (void *)SIG_IGN)
		return NULL;
	return sa->handler;
}

BARE void *thread_on_signal(int sig, const siginfo_t *info, const void *context)
{
	struct task *me = *root_word, *t;

	if (!me || !task_is_mine(me)) { /* a forked child has inherited it */
		default_action(sig);
		return NULL;
	}
	t = thread_task(me->space);
	if (is_internal(sig))
		return internal_signal(t, sig, info);
	if (!t && !is_in(NAMED, sig)) {
		default_action(sig);
		return NULL;
	}
	if (!t)
		return (void *)(sig == SIGABRT ? root.abort : root.exception);
	if (!t->thread.catcher && is_in(root.ignored, sig))
		return NULL;
	/* Its own libpip can end it in an orderly way, once, and on its own thread pointer. */
	if (sig != SIGABRT && is_in(NAMED, sig) && t->thread.catcher &&
	    window_owner(me->space, (void *)arch_thread_pointer()) == t &&
	    !atomic_exchange(&t->thread.caught, 1))
		return (void *)t->thread.catcher;
	atomic_store(&t->end_signal, 0);
	fatal_report(t, sig, info, context);
	thread_end(t, sig);
}

/*
 * A task's sigaction().  Handlers are common to all programs of the process; only what is internal
 * to a C library, which each of them has its own of, is kept apart, and what ends a program by
 * default is to end the task alone.
 */
static BARE int trap_sigaction(struct task *t, struct arch_trap *tr)
{
	const struct kernel_sigaction *want = (void *)tr->arg[1];
	struct kernel_sigaction *old = (void *)tr->arg[2], now, was = { .handler = NULL };
	int sig = (int)tr->arg[0];

	if (sig < 1 || sig > 64 || tr->arg[3] != KERNEL_SIGSET_SIZE)
		return 0;
	/* The kernel knows what can be read and written; of this signal nothing can be set. */
	tr->nr = want && sys_sigaction(SIGKILL, want, NULL) == -EFAULT ? -EFAULT : 0;
	if (want && tr->nr == 0)
		now = *want;
	if (old && tr->nr == 0)
		tr->nr = sys_sigaction(sig, NULL, old);
	if (tr->nr)
		return 1;
	if (is_internal(sig)) {
		was = t->thread.internal[sig - INTERNAL_FIRST];
		if (want)
			t->thread.internal[sig - INTERNAL_FIRST] = now;
	} else {
		if (want && now.handler == (void *)SIG_DFL && is_deadly(sig))
			now = ours;
		if (want)
			atomic_fetch_or(&t->thread.handlers, BIT(sig));
		tr->nr = sys_sigaction(sig, want ? &now : NULL, &was);
		/* Without flags, as in a process of its own: the root's are not its affair. */
		if (was.handler == ours.handler || was.handler == (void *)SIG_DFL)
			was = (struct kernel_sigaction){ .handler = (void *)SIG_DFL };
	}
	if (tr->nr == 0 && old)
		*old = was;
	return 1;
}

/* kill(getpid(), sig) is about the program that asks, not about all that share its PID. */
static BARE int trap_kill(struct task *t, struct arch_trap *tr)
{
	int sig = (int)tr->arg[1];
	pid_t pid = sys_getpid();

	if (tr->arg[0] != pid || sig == SIGSTOP || sig == SIGCONT)
		return 0;
	if (sig == SIGKILL)
		thread_end(t, SIGKILL);
	tr->nr = sys_call(SYS_tgkill, pid, atomic_load(&t->pid), sig, 0, 0, 0);
	if (tr->nr == -ESRCH) /* its main thread has left the others alone */
		tr->nr = sys_call(SYS_tgkill, pid, sys_gettid(), sig, 0, 0, 0);
	return 1;
}

/* raise(SIGKILL); for any other signal it does not matter that there are other programs. */
static BARE int trap_tgkill(struct task *t, const struct arch_trap *tr)
{
	if (tr->arg[0] == sys_getpid() && tr->arg[2] == SIGKILL &&
	    kinship(t, (pid_t)tr->arg[1]) == OWN)
		thread_end(t, SIGKILL);
	return 0;
}

/* Its code is going: no signal must lead there any more. */
static BARE void forget_handlers(struct task *t)
{
	const struct kernel_sigaction none = { .handler = (void *)SIG_DFL };
	kernel_sigset_t set = atomic_load(&t->thread.handlers);
	struct kernel_sigaction now;

	for (int sig = 1; set && sig <= 64; sig++)
		if (is_in(set, sig) && sys_sigaction(sig, NULL, &now) == 0 &&
		    window_owner(t->space, now.handler) == t)
			sys_sigaction(sig, is_deadly(sig) ? &ours : &none, NULL);
}

/* ---- The end ------------------------------------------------------------------------------- */

/* The pthread_t of its main thread is known, or will never be. */
static BARE void set_named(struct task *t)
{
	atomic_store(&t->thread.named, 1);
	sys_futex_wake(&t->thread.named, INT_MAX);
}

/* Tells whoever waits: for this task, for any, for its libraries, for what it exports. */
static BARE void announce(struct task *t)
{
	struct task *r = root_record(t);
	uint32_t loading = STAGE_LOADING;

	atomic_store(&t->thread.ended, 1);
	set_named(t);
	if (atomic_compare_exchange_strong(&t->stage, &loading, STAGE_GONE))
		sys_futex_wake_shared(&t->stage, INT_MAX);
	atomic_store(&t->export_closed, 1);
	atomic_fetch_add(&t->export_news, 1);
	sys_futex_wake(&t->export_news, INT_MAX);
	atomic_fetch_add(&r->thread.ends, 1);
	sys_futex_wake(&r->thread.ends, INT_MAX);
	/* As the end of a process does, which the root is the parent of. */
	sys_call(SYS_tgkill, atomic_load(&r->pid), atomic_load(&r->pid), SIGCHLD, 0, 0, 0);
}

static BARE bool claim_end(struct task *t, int word)
{
	if (atomic_exchange(&t->thread.ending, 1))
		return false;
	t->thread.word = word;
	return true;
}

BARE void thread_end(struct task *t, int word)
{
	kernel_sigset_t all = ~(kernel_sigset_t)0;

	sys_sigmask(SIG_BLOCK, &all, NULL);
	if (claim_end(t, word)) {
		if (t->thread.has_threads)
			end_threads(t, sys_gettid());
		if (t->thread.has_timer)
			sys_call(SYS_timer_delete, t->thread.timer, 0, 0, 0, 0, 0);
		forget_handlers(t);
		sys_call(SYS_set_tid_address, &t->thread.alive, 0, 0, 0, 0, 0);
		announce(t);
	}
	leave();
}

BARE void thread_kill(struct task *t, int word)
{
	int32_t child = atomic_load(&t->thread.child);

	if (child) /* with which the task ends */
		sys_call(SYS_kill, child, SIGKILL, 0, 0, 0, 0);
	if (child || !claim_end(t, word))
		return; /* it is about to end by itself */
	end_threads(t, 0);
	forget_handlers(t);
	announce(t);
	atomic_store(&t->thread.alive, 0);
	sys_futex_wake_shared(&t->thread.alive, INT_MAX);
}

/* ---- exec ---------------------------------------------------------------------------------- */

struct exec {
	const struct arch_trap *call;
	kernel_sigset_t mask;
	_Atomic long error;
};

static BARE void become_program(void *arg)
{
	struct exec *e = arg;
	const long *a = e->call->arg;

	sys_sigmask(SIG_SETMASK, &e->mask, NULL);
	e->error = sys_call(e->call->nr, a[0], a[1], a[2], a[3], a[4], 0);
	sys_exit_group(127);
}

/* What came for the task before it was known that the child is to get it. */
static BARE void pass_on(struct task *t, int32_t child)
{
	kernel_sigset_t set = ~(BIT(SIGCHLD) | BIT(THREAD_CANCEL) | BIT(THREAD_LEAVE));
	struct timespec now = { 0, 0 };
	long sig;

	while ((sig = sys_call(SYS_rt_sigtimedwait, &set, NULL, &now, KERNEL_SIGSET_SIZE, 0, 0)) >
	       0)
		sys_call(SYS_kill, child, sig, 0, 0, 0, 0);
	if (atomic_load(&t->thread.ending) || t->thread.cancelled)
		sys_call(SYS_kill, child, SIGKILL, 0, 0, 0, 0);
}

/*
 * It would replace the root and all its tasks.  So a child of the root executes the program, and
 * the task is there until that ends: signals for it go to the child, and its status is the child's.
 */
BARE int thread_exec(struct task *t, struct arch_trap *tr)
{
	_Alignas(16) char stack[2048];
	kernel_sigset_t all = ~(kernel_sigset_t)0, leave_set = BIT(THREAD_LEAVE);
	struct exec e = { .call = tr };
	int word = 127 << 8;
	long pid, rc;

	if ((tr->nr != SYS_execve && tr->nr != SYS_execveat) || !task_is_mine(t))
		return 0;
	sys_sigmask(SIG_SETMASK, &all, &e.mask);
	pid = arch_clone(CLONE_VM | CLONE_VFORK | SIGCHLD, stack + sizeof(stack), NULL,
			 become_program, &e);
	if (pid < 0 || e.error) {
		while (pid > 0 && sys_call(SYS_wait4, pid, NULL, __WALL, NULL, 0, 0) == -EINTR)
			;
		sys_sigmask(SIG_SETMASK, &e.mask, NULL);
		tr->nr = pid < 0 ? pid : e.error;
		return 1;
	}
	atomic_store(&t->thread.child, (int32_t)pid);
	pass_on(t, (int32_t)pid);
	if (t->thread.has_threads)
		end_threads(t, sys_gettid());
	do
		rc = sys_call(SYS_wait4, pid, &word, __WALL, NULL, 0, 0);
	while (rc == -EINTR);
	atomic_store(&t->thread.child, 0);
	sys_sigmask(SIG_UNBLOCK, &leave_set, NULL); /* if another thread ends the task just now */
	atomic_store(&t->fatal_reported, 1); /* whatever there is to say, it is no task's signal */
	thread_end(t, t->thread.cancelled ? ECANCELED << 8 : word);
}

/* ---- Its life ------------------------------------------------------------------------------ */

BARE int thread_syscall(struct task *t, struct arch_trap *tr)
{
	/* A child made by vfork shares the memory, but is another process, which may end as it
	 * likes. */
	if (!task_is_mine(t))
		return 0;
	switch (tr->nr) {
	case SYS_exit_group:
		thread_end(t, (int)(tr->arg[0] & 0xff) << 8);
	case SYS_exit:
		/* The interface wants the task to end with its main thread's pthread_exit(). */
		if (task_on_main_thread(t) && atomic_load(&t->end_code))
			thread_end(t, 0);
		if (task_on_main_thread(t) && !t->thread.has_threads)
			thread_end(t, (int)(tr->arg[0] & 0xff) << 8);
		if (!task_on_main_thread(t))
			fatal_stack_end(t);
		return 0;
	case SYS_rseq: /* a new thread's first call: an overflow of its stack would end the root */
		if (!task_on_main_thread(t) && tr->arg[2] == 0)
			fatal_stack_begin(t);
		return 0;
	case SYS_set_tid_address: /* its thread control block is ready */
		if (task_on_main_thread(t)) {
			t->thread.handle = arch_thread_pointer();
			set_named(t);
		}
		return 0;
	case SYS_rt_sigaction:
		return trap_sigaction(t, tr);
	case SYS_kill:
		return trap_kill(t, tr);
	case SYS_tgkill:
		return trap_tgkill(t, tr);
	default:
		return 0;
	}
}
