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
#include <sys/prctl.h>
#include <sys/wait.h>

#include "base/dir.h"
#include "embryo/fatal.h"
#include "embryo/window.h"

/* glibc's SIGCANCEL, and SIGSETXID, for setuid(2) by a program with threads. */
#define INTERNAL_FIRST THREAD_CANCEL
#define THREAD_SETXID THREAD_LEAVE
#define TID_MAX (4U << 20) /* Linux, PID_MAX_LIMIT */
#define LONG 500           /* passes over threads that nothing is known of, */
#define PASSES 24          /* if none of its own may be among them, */
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

/*
 * In namespaces of the root's dynamic linker the stacks of all threads come from the same lists, so
 * their control blocks tell nothing.  The task's record lists them: from before their clone(2) on,
 * marked as EXPECTED until they have begun.
 */
#define EXPECTED 1UL

static BARE int pointer_index(const struct task *t, uintptr_t value)
{
	for (int i = 0; i < TASK_THREADS; i++)
		if (atomic_load_explicit(&t->thread_pointers[i], memory_order_relaxed) == value)
			return i;
	return -1;
}

/* Puts a value in another's place; which is 0 for a new entry. */
static BARE bool replace_pointer(struct task *t, uintptr_t old, uintptr_t value)
{
	for (;;) {
		int i = pointer_index(t, old);
		uintptr_t expected = old;

		if (i < 0)
			return false;
		if (atomic_compare_exchange_strong(&t->thread_pointers[i], &expected, value))
			return true;
	}
}

/* What a failed clone(2) has left is used again, as its stack is. */
static BARE bool expect_thread(struct task *t, uintptr_t pointer)
{
	return pointer_index(t, pointer | EXPECTED) >= 0 ||
	       replace_pointer(t, 0, pointer | EXPECTED);
}

static BARE bool expects_thread(const struct task *t)
{
	for (int i = 0; t->name_space && i < TASK_THREADS; i++)
		if (atomic_load(&t->thread_pointers[i]) & EXPECTED)
			return true;
	return false;
}

static BARE void list_thread(struct task *t)
{
	uintptr_t pointer = arch_thread_pointer();

	if (!replace_pointer(t, 0, pointer))
		replace_pointer(t, pointer | EXPECTED, pointer);
}

static BARE void unlist_thread(struct task *t)
{
	replace_pointer(t, arch_thread_pointer(), 0);
}

/* Whose thread control block this is, or is in. */
static BARE bool has_block(struct task *t, uintptr_t at)
{
	if (!t->name_space)
		return window_owner(t->space, (void *)at) == t;
	for (int i = 0; i < TASK_THREADS; i++) {
		uintptr_t pointer =
			atomic_load_explicit(&t->thread_pointers[i], memory_order_relaxed);

		if (pointer && !(pointer & EXPECTED) &&
		    (at - pointer < PAGE || pointer - at < PAGE))
			return true;
	}
	return false;
}

/* The task in a namespace that the calling thread is listed for, with this mark. */
static BARE struct task *find_listed(struct space *sp, uintptr_t mark)
{
	uintptr_t pointer = arch_thread_pointer();
	int32_t tid = sys_gettid();

	for (uint32_t i = 0; i < atomic_load(&sp->nslots); i++) {
		struct task *t = &sp->task[i];

		if (atomic_load(&t->state) != TASK_LIVE || !t->thread.on || !t->name_space)
			continue;
		if (atomic_load(&t->pid) == tid || pointer_index(t, pointer | mark) >= 0)
			return t;
	}
	return NULL;
}

BARE struct task *thread_task(struct space *sp)
{
	struct task *t = window_owner(sp, (void *)arch_thread_pointer());

	if (!t)
		t = find_listed(sp, 0);
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
		return has_block(t, (uintptr_t)list) ? OWN : STRANGER;
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

/* A signal that tells whose affair it is. */
static BARE long queue(struct task *t, pid_t tid, int sig, int code)
{
	pid_t pid = sys_getpid();
	siginfo_t info = { .si_signo = sig, .si_code = code };

	info.si_pid = pid;
	info.si_value.sival_ptr = t;
	return sys_call(SYS_rt_tgsigqueueinfo, pid, tid, sig, &info, 0, 0);
}

BARE void thread_queue(struct task *t, pid_t tid, int sig)
{
	queue(t, tid, sig, SI_QUEUE);
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
		if (!k.own && (!k.unknown || passes >= (expects_thread(t) ? LONG : PASSES)))
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

static BARE bool is_program(const void *handler)
{
	return handler != (void *)SIG_DFL && handler != (void *)SIG_IGN && handler != ours.handler;
}

/* The code of a task in a namespace may lie anywhere. */
static BARE bool is_handler_of(const struct task *t, int sig, const void *handler)
{
	return t->name_space ? is_program(handler) && t->thread.handler[sig - 1] == handler
			     : window_owner(t->space, handler) == t;
}

static BARE const struct task *handler_owner(struct space *sp, int sig, const void *handler)
{
	const struct task *owner = window_owner(sp, handler);

	for (uint32_t i = 0; !owner && i < atomic_load(&sp->nslots); i++) {
		const struct task *t = &sp->task[i];

		if (t->thread.on && t->name_space && atomic_load(&t->state) == TASK_LIVE &&
		    is_handler_of(t, sig, handler))
			owner = t;
	}
	return owner;
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
		owner = handler_owner(t->space, sig, now.handler);
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

static BARE void *internal_signal(struct space *sp, struct task *t, int sig, const siginfo_t *info)
{
	const struct kernel_sigaction *sa = t ? &t->thread.internal[sig - INTERNAL_FIRST]
					      : &root.internal[sig - INTERNAL_FIRST];

	if (info->si_code == SI_QUEUE) {
		if (!t)
			t = find_listed(sp, EXPECTED);
		/* If it is another one's thread, it was not known for that. */
		if (t && t == info->si_value.sival_ptr && sig == THREAD_CANCEL) {
			t->thread.cancelled = 1;
			thread_end(t, ECANCELED << 8);
		}
		if (t && t == info->si_value.sival_ptr && atomic_load(&t->thread.ending))
			leave();
		return NULL;
	}
	/* A setuid(2) of the root's, whose libc has the threads in namespaces in its list, too. */
	if (sig == THREAD_SETXID && info->si_code == SI_TKILL && t && t->name_space &&
	    info->si_value.sival_ptr != t)
		sa = &root.internal[sig - INTERNAL_FIRST];
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
		return internal_signal(me->space, t, sig, info);
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
	    has_block(t, arch_thread_pointer()) && !atomic_exchange(&t->thread.caught, 1))
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
		if (want) {
			atomic_fetch_or(&t->thread.handlers, BIT(sig));
			t->thread.handler[sig - 1] = now.handler;
		}
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
static BARE int trap_tgkill(struct task *t, struct arch_trap *tr)
{
	bool own = tr->arg[0] == sys_getpid() && kinship(t, (pid_t)tr->arg[1]) == OWN;

	if (own && tr->arg[2] == SIGKILL)
		thread_end(t, SIGKILL);
	if (!t->name_space || tr->arg[2] != THREAD_SETXID)
		return 0;
	/* Its setuid(2) is for its own threads, as with a libc that knows no others. */
	tr->nr = own ? queue(t, (pid_t)tr->arg[1], THREAD_SETXID, SI_TKILL) : -ESRCH;
	return 1;
}

/* Its code is going: no signal must lead there any more. */
static BARE void forget_handlers(struct task *t)
{
	const struct kernel_sigaction none = { .handler = (void *)SIG_DFL };
	kernel_sigset_t set = atomic_load(&t->thread.handlers);
	struct kernel_sigaction now;

	for (int sig = 1; set && sig <= 64; sig++)
		if (is_in(set, sig) && sys_sigaction(sig, NULL, &now) == 0 &&
		    is_handler_of(t, sig, now.handler))
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
		/* Which the kernel will not clear now. */
		if (t->name_space)
			sys_call(SYS_prctl, PR_GET_TID_ADDRESS, &t->thread.tid_word, 0, 0, 0, 0);
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

BARE void thread_begin(struct task *t, uintptr_t handle)
{
	list_thread(t);
	t->thread.handle = handle;
	set_named(t);
}

/* It makes a thread: where the control block of that will be. */
static BARE int trap_clone(struct task *t, struct arch_trap *tr)
{
	const struct clone_args *args = (const struct clone_args *)tr->arg[0];
	bool is_new = tr->nr == SYS_clone3;
	uint64_t flags = is_new ? args->flags : (uint64_t)tr->arg[0];

	if (!t->name_space || !(flags & CLONE_THREAD) || !(flags & CLONE_SETTLS) ||
	    expect_thread(t, is_new ? args->tls : (uintptr_t)tr->arg[ARCH_CLONE_TLS]))
		return 0;
	tr->nr = -EAGAIN;
	return 1;
}

/* A new thread of its own has its control block ready.  Until the kernel knows that it is listed,
 * and expected as well: else it could look like somebody else's. */
static BARE int thread_began(struct task *t, struct arch_trap *tr)
{
	if (t->name_space)
		list_thread(t);
	fatal_stack_begin(t); /* an overflow of its stack would end the root */
	tr->nr = sys_call(SYS_set_robust_list, tr->arg[0], tr->arg[1], 0, 0, 0, 0);
	if (t->name_space)
		replace_pointer(t, arch_thread_pointer() | EXPECTED, 0);
	return 1;
}

static BARE void thread_goes(struct task *t)
{
	kernel_sigset_t all = ~(kernel_sigset_t)0;

	fatal_stack_end(t);
	if (!t->name_space)
		return;
	/* The end of its task waits for it no more, and the code that asked for this may go. */
	sys_sigmask(SIG_BLOCK, &all, NULL);
	unlist_thread(t);
	leave();
}

BARE int thread_syscall(struct task *t, struct arch_trap *tr)
{
	/* A child made by vfork shares the memory, but is another process, which may end as it
	 * likes. */
	if (!task_is_mine(t))
		return 0;
	switch (tr->nr) {
	case SYS_rt_sigaction:
		return trap_sigaction(t, tr);
	case SYS_clone:
	case SYS_clone3:
		return trap_clone(t, tr);
	case SYS_set_robust_list:
		return task_on_main_thread(t) ? 0 : thread_began(t, tr);
	default:
		break;
	}
	/* A constructor in a namespace: on a thread of the root's, or on one of its own. */
	if (!atomic_load(&t->thread.alive)) {
		if (tr->nr == SYS_exit)
			thread_goes(t);
		return 0;
	}
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
			thread_goes(t);
		return 0;
	case SYS_set_tid_address: /* its thread control block is ready */
		if (task_on_main_thread(t)) {
			t->thread.handle = arch_thread_pointer();
			set_named(t);
		}
		return 0;
	case SYS_kill:
		return trap_kill(t, tr);
	case SYS_tgkill:
		return trap_tgkill(t, tr);
	default:
		return 0;
	}
}
