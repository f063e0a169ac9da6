/*
 * fatal.c - what a program says when a signal ends it.
 * Entry functions: fatal_install(), fatal_report(), fatal_sigaction(), fatal_sigaltstack().
 *
 * The program may have destroyed its heap, its stack or its libc's data, and may hold any lock.  So
 * nothing of it is used here but the kernel, and the unwinding is left to another program,
 * pip-backtrace, which reads this one's memory through /proc/self/mem: opened by the very process
 * it belongs to, that file can be read wherever ptrace(2) is forbidden, or used by a debugger.
 *
 * What the program has set is never kept here: a handler of ours stands for SIG_DFL, whatever else
 * it sets goes to the kernel as it is.  So the answers are right in a forked child as well.
 */
#include "embryo/fatal.h"

#include <sched.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "base/str.h"
#include "embryo/guard.h"
#include "embryo/say.h"
#include "embryo/thread.h"
#include "embryo/window.h"

#define BIT(sig) (1UL << ((sig)-1))
#define ALWAYS                                                                                     \
	(BIT(SIGSEGV) | BIT(SIGBUS) | BIT(SIGILL) | BIT(SIGFPE) | BIT(SIGABRT) | BIT(SIGSYS) |     \
	 BIT(SIGTRAP))

/*
 * Handlers of the program that ask for an alternate stack without having one run on this, so there
 * must be enough.  Nobody else has one of this size: that is how it is known.
 */
#define STACK_SIZE (256 * 1024UL - 1040)
#define STACK_GUARD PAGE

#define HELPER_STACK 1024

/* The space of the tasks that this copy of the library has started. */
static struct space *space;

bool fatal_is(int sig)
{
	return sig > 0 && sig <= 64 && (ALWAYS >> (sig - 1) & 1);
}

/* ---- Settings ------------------------------------------------------------------------------ */

/* In letters of either case. */
static bool is_word(const char *s, size_t len, const char *word)
{
	for (size_t i = 0; i < len; i++, word++)
		if (!*word || (s[i] | 0x20) != (*word | 0x20))
			return false;
	return !*word;
}

static uint64_t signals_named(const char *name, size_t len)
{
	static const struct {
		const char *name;
		int sig;
	} selectable[] = {
		{ "HUP", SIGHUP },   { "INT", SIGINT },   { "QUIT", SIGQUIT }, { "ILL", SIGILL },
		{ "ABRT", SIGABRT }, { "FPE", SIGFPE },   { "SEGV", SIGSEGV }, { "PIPE", SIGPIPE },
		{ "USR1", SIGUSR1 }, { "USR2", SIGUSR2 },
	};
	uint64_t set = 0;

	for (size_t i = 0; i < sizeof(selectable) / sizeof(selectable[0]); i++)
		if (is_word(name, len, "ALL") || is_word(name, len, selectable[i].name))
			set |= BIT(selectable[i].sig);
	return set;
}

uint64_t fatal_parse_signals(const char *value, void (*unknown)(const char *name, size_t len))
{
	uint64_t set = 0;

	while (*value) {
		bool take_away = *value == '-';
		size_t len = 0;
		uint64_t named;

		value += *value == '-' || *value == '+';
		while (value[len] && value[len] != '-' && value[len] != '+')
			len++;
		named = signals_named(value, len);
		if (len && !named && unknown)
			unknown(value, len);
		set = take_away ? set & ~named : set | named;
		value += len;
	}
	return set;
}

/* The value, if this entry of the environment has this name. */
static const char *value_of(const char *entry, const char *name)
{
	return str_starts(entry, name) && entry[str_len(name)] == '=' ? entry + str_len(name) + 1
								      : NULL;
}

static bool is_on(const char *value)
{
	return is_word(value, str_len(value), "ON");
}

bool fatal_settings(struct trouble *tr, const char *const *envv)
{
	const char *value;
	bool asked = false;

	tr->signals = BIT(SIGHUP) | BIT(SIGSEGV);
	tr->maps = tr->pips = 0;
	tr->backtrace = 1;
	tr->gdb[0] = tr->command[0] = '\0';
	for (; envv && *envv; envv++) { /* clearenv(3) leaves none at all */
		if (!str_starts(*envv, "PIP_"))
			continue;
		if ((value = value_of(*envv, "PIP_GDB_SIGNALS")) != NULL)
			tr->signals = fatal_parse_signals(value, NULL);
		else if ((value = value_of(*envv, "PIP_SHOW_MAPS")) != NULL)
			tr->maps = is_on(value);
		else if ((value = value_of(*envv, "PIP_SHOW_PIPS")) != NULL)
			tr->pips = is_on(value);
		else if ((value = value_of(*envv, "PIP_BACKTRACE")) != NULL)
			asked = (tr->backtrace = !str_equal(value, "0")) != 0;
		else if ((value = value_of(*envv, "PIP_GDB_PATH")) != NULL)
			str_copy(tr->gdb, value, sizeof(tr->gdb));
		else if ((value = value_of(*envv, "PIP_GDB_COMMAND")) != NULL)
			str_copy(tr->command, value, sizeof(tr->command));
	}
	return asked || tr->maps || tr->pips || tr->gdb[0] || tr->command[0];
}

/* ---- The line ------------------------------------------------------------------------------ */

/* Writes v in hexadecimal; buf has room for 16 digits, "0x" and a NUL. */
static char *hexadecimal(char buf[19], uintptr_t v)
{
	char *p = buf + 18;

	*p = '\0';
	do
		*--p = "0123456789abcdef"[v & 15];
	while (v >>= 4);
	*--p = 'x';
	*--p = '0';
	return p;
}

static const struct {
	int sig;
	const char *name;
} names[] = {
	{ SIGSEGV, "SIGSEGV (Segmentation fault)" },
	{ SIGBUS, "SIGBUS (Bus error)" },
	{ SIGILL, "SIGILL (Illegal instruction)" },
	{ SIGFPE, "SIGFPE (Floating point exception)" },
	{ SIGABRT, "SIGABRT (Aborted)" },
	{ SIGSYS, "SIGSYS (Bad system call)" },
	{ SIGTRAP, "SIGTRAP (Trace/breakpoint trap)" },
	{ SIGHUP, "SIGHUP (Hangup)" },
	{ SIGINT, "SIGINT (Interrupt)" },
	{ SIGQUIT, "SIGQUIT (Quit)" },
	{ SIGPIPE, "SIGPIPE (Broken pipe)" },
	{ SIGUSR1, "SIGUSR1 (User defined signal 1)" },
	{ SIGUSR2, "SIGUSR2 (User defined signal 2)" },
};

static void put_signal(struct say *line, int sig)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (names[i].sig == sig) {
			say_put(line, names[i].name);
			return;
		}
	}
	say_put(line, "signal ");
	say_decimal(line, sig);
}

static void make_line(struct say *line, const struct task *t, int sig, const siginfo_t *info)
{
	char hex[19];

	say_begin(line, "PiP-ERR", t);
	if (t->root_slot == t->slot) {
		say_put(line, "root");
	} else {
		say_put(line, "task ");
		say_decimal(line, t->pipid);
	}
	say_put(line, " (PID ");
	say_decimal(line, sys_getpid());
	say_put(line, ", ");
	say_path(line, t->path);
	say_put(line, "): ");
	put_signal(line, sig);
	if (info->si_code > 0 && fatal_is(sig)) {
		say_put(line, " at address ");
		say_put(line, hexadecimal(hex, (uintptr_t)info->si_addr));
	} else {
		say_put(line, " sent by PID ");
		say_decimal(line, info->si_pid);
	}
	say_end(line);
}

/* ---- The helper ---------------------------------------------------------------------------- */

struct helper {
	pid_t task;
	const char *path;
	const char *argv[12];
	const char *envp[1];
	_Alignas(16) char stack[2][HELPER_STACK];
};

static int wait_for(long child)
{
	int status = -1;

	while (sys_call(SYS_wait4, child, &status, __WALL, NULL, 0, 0) == -EINTR)
		;
	return status;
}

/* The helper's process until its program runs: the task's memory, a stack and descriptors of its
 * own, all signals blocked. */
static BARE void become_helper(void *arg)
{
	const struct helper *h = arg;

	/* Descriptor 0, whatever the limit is. */
	sys_close(0);
	sys_open("/proc/self/mem", O_RDONLY);
	sys_call(SYS_execve, h->path, h->argv, h->envp, 0, 0, 0);
	sys_exit_group(127);
}

/*
 * A process in between.  To be no child that the program's wait() or SIGCHLD handler would learn
 * of, a process must have been made without a signal for its end, and execve(2) gives it one.
 * It lives in the task's memory, so it must not outlive the task.
 */
static BARE void start_helper(void *arg)
{
	struct helper *h = arg;
	long child;

	sys_call(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0, 0);
	if (sys_call(SYS_getppid, 0, 0, 0, 0, 0, 0) != h->task)
		sys_exit_group(127);
	child = arch_clone(CLONE_VM | CLONE_VFORK | SIGCHLD, h->stack[1] + HELPER_STACK, NULL,
			   become_helper, h);
	sys_exit_group(child > 0 && wait_for(child) == 0 ? 0 : 127);
}

/* Runs the helper to its end.  Returns whether it has said what there is to say. */
static bool run_helper(const struct task *t, const struct say *line, const void *context,
		       const char *wanted)
{
	char pid[24], tid[24], at[19], base[19];
	struct helper h;
	long child;

	if (!t->space->helper[0])
		return false;
	h.task = sys_getpid();
	h.path = t->space->helper;
	h.argv[0] = "pip-backtrace";
	h.argv[1] = line->buf;
	h.argv[2] = pid;
	h.argv[3] = tid;
	h.argv[4] = hexadecimal(at, (uintptr_t)context);
	h.argv[5] = hexadecimal(base, t->image_base);
	h.argv[6] = t->path;
	h.argv[7] = wanted;
	h.argv[8] = t->space->prefix;
	h.argv[9] = t->trouble.gdb;
	h.argv[10] = t->trouble.command;
	h.argv[11] = NULL;
	h.envp[0] = NULL;
	str_decimal(pid, (unsigned long)h.task);
	str_decimal(tid, (unsigned long)sys_gettid());
	/* A debugger that the helper starts is no ancestor of ours, which some systems require. */
	if (t->trouble.gdb[0])
		sys_call(SYS_prctl, PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0, 0);
	/* Not CLONE_VFORK: who waits in there cannot be stopped, by a debugger for instance. */
	child = arch_clone(CLONE_VM, h.stack[0] + HELPER_STACK, NULL, start_helper, &h);
	return child > 0 && wait_for(child) == 0;
}

/* Whether this thread may report now: not if it is in a report already. */
static bool take_turn(struct task *t)
{
	struct timespec nap = { 0, 10000000 };
	int32_t me = sys_gettid();

	for (;;) {
		int32_t nobody = 0;

		if (atomic_compare_exchange_strong(&t->fatal_reporter, &nobody, me))
			return true;
		if (nobody == me)
			return false;
		sys_call(SYS_ppoll, NULL, 0, &nap, NULL, 0, 0);
	}
}

static void report(struct task *t, int sig, const siginfo_t *info, const void *context,
		   bool selected)
{
	const struct trouble *tr = &t->trouble;
	bool said = false, actions;
	char wanted[8], *p = wanted;
	struct say line;

	make_line(&line, t, sig, info);
	actions = selected && (tr->maps || tr->pips || tr->gdb[0]);
	if (t->quiet)
		*p++ = 'q';
	else if (fatal_is(sig) || actions)
		*p++ = 'l';
	if (!t->quiet && fatal_is(sig) && tr->backtrace && !(selected && tr->gdb[0]))
		*p++ = 'b';
	if (selected && tr->maps)
		*p++ = 'm';
	if (selected && tr->pips)
		*p++ = 'p';
	if (selected && tr->gdb[0])
		*p++ = 'g';
	*p = '\0';
	if (wanted[0] && wanted[1])
		said = run_helper(t, &line, context, wanted);
	if (!said && wanted[0] == 'l')
		say_write(&line);
	atomic_store(&t->fatal_reported, 1);
	atomic_store(&t->fatal_reporter, 0);
}

void fatal_report(struct task *t, int sig, const siginfo_t *info, const void *context)
{
	/* Another thread may end the task just now: by these, where tasks are threads.  The helper
	 * would be nobody's child then, and the turn nobody's. */
	const kernel_sigset_t leave = 1UL << (THREAD_LEAVE - 1) | 1UL << (THREAD_CANCEL - 1);
	bool selected = t->trouble.signals >> (sig - 1) & 1;
	kernel_sigset_t mask;

	if (!fatal_is(sig) && !selected)
		return;
	if (t->thread.on)
		sys_sigmask(SIG_BLOCK, &leave, &mask);
	if (take_turn(t))
		report(t, sig, info, context, selected);
	if (t->thread.on)
		sys_sigmask(SIG_SETMASK, &mask, NULL);
}

/* ---- The handler --------------------------------------------------------------------------- */

/*
 * The record of the calling process, NULL if it is none of the space's tasks: a forked child, which
 * inherits the handler.  It has no registry, so the kernel is asked whether there is one.
 */
static struct task *calling_task(void)
{
	struct timespec now = { 0, 0 };
	pid_t pid = sys_getpid();

	if (!space || sys_futex_wait((_Atomic uint32_t *)&space->magic, (uint32_t)SPACE_MAGIC,
				     &now) != -ETIMEDOUT)
		return NULL;
	for (uint32_t i = 0; i < atomic_load(&space->nslots); i++) {
		struct task *t = &space->task[i];

		if (atomic_load(&t->pid) == pid && atomic_load(&t->state) == TASK_LIVE)
			return t;
	}
	return NULL;
}

static void on_fatal(int sig, siginfo_t *info, void *context)
{
	struct kernel_sigaction by_default = { .handler = (void *)SIG_DFL };
	struct task *t = calling_task();

	if (t)
		fatal_report(t, sig, info, context);
	/* The same signal again, for when this returns: a fault would recur, what was sent would
	 * not. */
	sys_sigaction(sig, &by_default, NULL);
	sys_call(SYS_rt_tgsigqueueinfo, sys_getpid(), sys_gettid(), sig, info, 0, 0);
}

static struct kernel_sigaction our_action(int sig)
{
	struct kernel_sigaction ours = {
		.handler = (void *)on_fatal,
		.flags = SA_SIGINFO | SA_RESTORER,
		.restorer = (void *)arch_sigaction_return,
		.mask = ~(kernel_sigset_t)0,
	};

	/* What else is sent may come on a stack with little room, but a stack's end is a fault. */
	if (sig == SIGSEGV || sig == SIGBUS)
		ours.flags |= SA_ONSTACK;
	return ours;
}

static void set_handler(int sig)
{
	struct kernel_sigaction ours = our_action(sig), before;

	if (sys_sigaction(sig, &ours, &before) == 0 && before.handler != (void *)SIG_DFL)
		sys_sigaction(sig, &before, NULL); /* ignored, or a constructor's */
}

static void set_stack(uintptr_t at)
{
	stack_t ours = { .ss_sp = (void *)at, .ss_size = STACK_SIZE };

	sys_call(SYS_sigaltstack, &ours, NULL, 0, 0, 0, 0);
}

BARE uintptr_t fatal_stack_begin(struct task *t)
{
	uintptr_t at = window_reserve(t, STACK_GUARD + page_up(STACK_SIZE), PAGE);
	stack_t now;

	if (!at || sys_call(SYS_sigaltstack, NULL, &now, 0, 0, 0, 0) ||
	    !(now.ss_flags & SS_DISABLE))
		return 0;
	at = sys_mmap(at + STACK_GUARD, page_up(STACK_SIZE), PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK | MAP_FIXED_NOREPLACE,
		      -1, 0);
	if (sys_failed(at))
		return 0;
	set_stack(at);
	return at;
}

void fatal_stack_end(struct task *t)
{
	stack_t none = { .ss_flags = SS_DISABLE }, now;
	uintptr_t at;

	if (sys_call(SYS_sigaltstack, NULL, &now, 0, 0, 0, 0) || now.ss_size != STACK_SIZE ||
	    sys_call(SYS_sigaltstack, &none, NULL, 0, 0, 0, 0))
		return;
	at = (uintptr_t)now.ss_sp;
	sys_munmap(at, page_up(STACK_SIZE));
	window_unused(t, at - STACK_GUARD, STACK_GUARD + page_up(STACK_SIZE));
}

BARE void fatal_install(struct task *t)
{
	const struct trouble *tr = &t->trouble;

	if (!t->sees.signals || t->thread.on) /* which has its root's handlers: embryo/thread.c */
		return;
	space = t->space;
	t->fatal_signals = ALWAYS | (tr->maps || tr->pips || tr->gdb[0] ? tr->signals : 0);
	for (int sig = 1; sig <= 64; sig++)
		if (t->fatal_signals & BIT(sig))
			set_handler(sig);
	t->fatal_stack = fatal_stack_begin(t);
}

/* ---- What the program sees ----------------------------------------------------------------- */

/* A child that shares our memory, as one of vfork(), has settings of its own. */
static bool is_process_of(const struct task *t)
{
	return t && task_is_mine(t);
}

/* The call itself.  For two signals the guard comes first, and has kept what is set here. */
static void set_action(struct window_head *head, struct arch_trap *tr)
{
	if (!guard_sigaction(head, tr))
		tr->nr = sys_call(SYS_rt_sigaction, tr->arg[0], tr->arg[1], tr->arg[2], tr->arg[3],
				  0, 0);
}

int fatal_sigaction(struct window_head *head, struct arch_trap *tr)
{
	int sig = (int)tr->arg[0];
	const struct kernel_sigaction *act = (const struct kernel_sigaction *)tr->arg[1];
	struct kernel_sigaction *old = (struct kernel_sigaction *)tr->arg[2];

	if (sig <= 0 || sig > 64)
		return 0;
	set_action(head, tr);
	/* If it succeeded both can be accessed. */
	if (tr->nr == 0 && act && act->handler == (void *)SIG_DFL && is_process_of(head->task) &&
	    (head->task->fatal_signals & BIT(sig))) {
		struct kernel_sigaction ours = our_action(sig);
		struct arch_trap again = {
			.nr = SYS_rt_sigaction,
			.arg = { sig, (long)&ours, 0, KERNEL_SIGSET_SIZE },
		};

		set_action(head, &again);
	}
	if (tr->nr == 0 && old && old->handler == (void *)on_fatal)
		*old = (struct kernel_sigaction){ .handler = (void *)SIG_DFL };
	return 1;
}

int fatal_sigaltstack(struct window_head *head, struct arch_trap *tr)
{
	const stack_t *new = (const stack_t *)tr->arg[0];
	stack_t *old = (stack_t *)tr->arg[1];
	struct task *t = head->task;

	tr->nr = sys_call(SYS_sigaltstack, new, old, 0, 0, 0, 0);
	if (tr->nr)
		return 1;
	if (new && (new->ss_flags &SS_DISABLE) && is_process_of(t) && t->fatal_stack &&
	    task_on_main_thread(t))
		set_stack(t->fatal_stack);
	/* Who runs on it must not believe that he does not. */
	if (old && old->ss_size == STACK_SIZE && !(old->ss_flags & SS_ONSTACK))
		*old = (stack_t){ .ss_flags = SS_DISABLE };
	return 1;
}
