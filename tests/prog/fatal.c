/*
 * fatal.c - a program that knows nothing of PiP and comes to a bad end as its arguments say.
 *
 *	fatal END [N]	see ends[]; 0 if a check fails on the way (or 1 to 99 for which)
 *
 * Functions that a backtrace should show are not inlined.
 */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define VISIBLE static __attribute__((noinline))

static void *volatile nowhere = (void *)0x18;
static volatile int endless = 1, sink;

VISIBLE void fatal_store(void)
{
	*(volatile int *)nowhere = 1;
	sink++;
}

VISIBLE void fatal_middle(void)
{
	fatal_store();
	sink++;
}

static void end_segv(int n)
{
	(void)n;
	fatal_middle();
}

VISIBLE int fatal_recurse(volatile char *above)
{
	volatile char here[1000];

	here[0] = *above;
	return endless ? fatal_recurse(here) + here[0] : 0;
}

static void end_overflow(int n)
{
	volatile char bottom = 0;

	(void)n;
	sink = fatal_recurse(&bottom);
}

static void *thread_overflow(void *arg)
{
	end_overflow(0);
	return arg;
}

static void *thread_store(void *arg)
{
	if (arg)
		pthread_barrier_wait(arg);
	fatal_store();
	return NULL;
}

static void run_thread(void *(*body)(void *))
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, body, NULL))
		_exit(90);
	pthread_join(thread, NULL);
}

static void end_thread(int n)
{
	(void)n;
	run_thread(thread_store);
}

static void end_thread_overflow(int n)
{
	(void)n;
	run_thread(thread_overflow);
}

/* n threads, all at once. */
static void end_threads(int n)
{
	pthread_barrier_t barrier;
	pthread_t thread = 0;

	pthread_barrier_init(&barrier, NULL, (unsigned)n);
	for (int i = 0; i < n; i++)
		if (pthread_create(&thread, NULL, thread_store, &barrier))
			_exit(90);
	pthread_join(thread, NULL);
}

static void end_raise(int n)
{
	raise(n);
}

static void end_abort(int n)
{
	(void)n;
	abort();
}

/* The C library finds this while it holds the arena's lock, and calls abort(). */
static void end_heap(int n)
{
	volatile size_t *volatile p = malloc(2000);

	(void)n;
	p[-1] = 0x41414140;
	free((void *)p);
}

static void end_null_call(int n)
{
	void (*volatile function)(int) = NULL;

	function(n); /* cppcheck-suppress nullPointer ; that is what it is for */
	sink++;
}

static void end_exec_data(int n)
{
	static int data;
	void (*volatile function)(int);

	*(void **)&function = &data;
	function(n);
	sink++;
}

/* Nothing is left of the stack pointer. */
static void end_no_stack(int n)
{
	(void)n;
#if defined(__x86_64__)
	__asm__ volatile("mov $64, %%rsp; xor %%ebp, %%ebp; pop %%rax" ::: "memory");
#else
	__asm__ volatile("mov x29, #0; mov x9, #64; mov sp, x9; ldr x0, [sp]" ::: "memory");
#endif
}

static void handler_resets(int sig)
{
	signal(sig, SIG_DFL);
}

VISIBLE void fatal_handler(int sig)
{
	(void)sig;
	fatal_store();
}

/* A handler that does what most crash handlers do: the default action, then the fault again. */
static void end_own_handler(int n)
{
	(void)n;
	signal(SIGSEGV, handler_resets);
	fatal_middle();
}

/* A fault in a handler for another signal. */
static void end_in_handler(int n)
{
	(void)n;
	signal(SIGUSR1, fatal_handler);
	raise(SIGUSR1);
}

static void end_blocked(int n)
{
	sigset_t set;

	(void)n;
	sigfillset(&set);
	sigprocmask(SIG_SETMASK, &set, NULL);
	fatal_middle();
}

/* A forked child is no task; it ends like any process. */
static void end_in_child(int n)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		if (n == SIGSEGV)
			fatal_middle();
		raise(n);
		_exit(0);
	}
	if (waitpid(pid, &status, 0) != pid)
		_exit(90);
	_exit(WIFSIGNALED(status) && WTERMSIG(status) == n ? 42 : 91);
}

/* So does the child of a vfork. */
static void end_in_vfork(int n)
{
	int status;
	/* NOLINTNEXTLINE(clang-analyzer-security.insecureAPI.vfork): that is what it tests */
	pid_t pid = vfork();

	if (pid == 0) {
		/* NOLINTNEXTLINE(clang-analyzer-unix.Vfork): it ends here */
		kill(getpid(), n);
		_exit(0);
	}
	if (waitpid(pid, &status, 0) != pid)
		_exit(90);
	_exit(WIFSIGNALED(status) && WTERMSIG(status) == n ? 42 : 91);
}

static int children_ended;

static void count_child(int sig)
{
	(void)sig;
	children_ended++;
}

static void tell_children(void)
{
	int status;

	dprintf(1, "%d ended, wait %d\n", children_ended, waitpid(-1, &status, WNOHANG));
}

static void *wait_for_children(void *arg)
{
	int status;

	pthread_barrier_wait(arg);
	/* No child of this program is ever reported. */
	while (waitpid(-1, &status, 0) < 0)
		;
	_exit(92);
}

/* What reports the end is no child that the program could see. */
static void end_with_children(int n)
{
	pthread_barrier_t barrier;
	pthread_t thread;

	(void)n;
	signal(SIGCHLD, count_child);
	atexit(tell_children);
	pthread_barrier_init(&barrier, NULL, 2);
	if (pthread_create(&thread, NULL, wait_for_children, &barrier))
		_exit(90);
	pthread_barrier_wait(&barrier);
	fatal_middle();
}

static void hang(void)
{
	for (;;)
		pause();
}

/* What its exit handlers do does not end, or (n) is another mistake. */
static void end_hang_at_exit(int n)
{
	atexit(n ? fatal_store : hang);
	fatal_middle();
}

static void nothing(int sig)
{
	(void)sig;
}

/* What a program sees of its signals is what execve() leaves. */
static void end_look(int n)
{
	struct sigaction sa, set = { .sa_handler = nothing, .sa_flags = SA_RESTART };
	stack_t stack, own = { .ss_size = 65536 };

	(void)n;
	for (int sig = 1; sig < 32; sig++) {
		if (sigaction(sig, NULL, &sa) || sa.sa_handler != SIG_DFL || sa.sa_flags)
			_exit(sig);
		if (sig == SIGKILL || sig == SIGSTOP)
			continue;
		if (sigaction(sig, &set, &sa) || sa.sa_handler != SIG_DFL)
			_exit(sig);
		if (signal(sig, SIG_IGN) != nothing || signal(sig, SIG_DFL) != SIG_IGN)
			_exit(sig);
		if (sigaction(sig, NULL, &sa) || sa.sa_handler != SIG_DFL)
			_exit(sig);
		if (syscall(SYS_rt_sigaction, sig, NULL, 16, 8) != -1)
			_exit(sig);
	}
	if (sigaltstack(NULL, &stack) || stack.ss_flags != SS_DISABLE || stack.ss_size)
		_exit(50);
	own.ss_sp = malloc(own.ss_size);
	if (sigaltstack(&own, &stack) || stack.ss_flags != SS_DISABLE)
		_exit(51);
	if (sigaltstack(NULL, &stack) || stack.ss_flags || stack.ss_sp != own.ss_sp)
		_exit(52);
	own.ss_flags = SS_DISABLE;
	if (sigaltstack(&own, &stack) || stack.ss_sp != own.ss_sp || stack.ss_flags)
		_exit(53);
	if (sigaltstack(NULL, &stack) || stack.ss_flags != SS_DISABLE)
		_exit(54);
	_exit(42);
}

/* After that, an overflow is still reported. */
static void end_altstack_overflow(int n)
{
	stack_t own = { .ss_size = 65536, .ss_sp = malloc(65536) };

	sigaltstack(&own, NULL);
	if (n) {
		own.ss_flags = SS_DISABLE;
		sigaltstack(&own, NULL);
	}
	end_overflow(0);
}

static const struct {
	const char *name;
	void (*function)(int);
} ends[] = {
	{ "segv", end_segv },
	{ "overflow", end_overflow },
	{ "thread", end_thread },
	{ "thread-overflow", end_thread_overflow },
	{ "threads", end_threads },
	{ "raise", end_raise },
	{ "abort", end_abort },
	{ "heap", end_heap },
	{ "null-call", end_null_call },
	{ "exec-data", end_exec_data },
	{ "no-stack", end_no_stack },
	{ "own-handler", end_own_handler },
	{ "in-handler", end_in_handler },
	{ "blocked", end_blocked },
	{ "in-child", end_in_child },
	{ "in-vfork", end_in_vfork },
	{ "with-children", end_with_children },
	{ "hang-at-exit", end_hang_at_exit },
	{ "look", end_look },
	{ "altstack-overflow", end_altstack_overflow },
};

int main(int argc, char **argv)
{
	for (size_t i = 0; argc > 1 && i < sizeof(ends) / sizeof(ends[0]); i++)
		if (strcmp(argv[1], ends[i].name) == 0)
			ends[i].function(argc > 2 ? atoi(argv[2]) : 0);
	return 0;
}
