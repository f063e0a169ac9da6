/*
 * test_guard.c - copies that meet memory that is not there, and the signals of a program that makes
 * them.  The test itself is the "task".  Each case is a child, since cmocka has handlers too.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "embryo/guard.h"

#define FAILED 99
#define EXPECT(cond)                                                                               \
	do {                                                                                       \
		if (!(cond)) {                                                                     \
			dprintf(STDERR_FILENO, "%s:%d: %s\n", __FILE__, __LINE__, #cond);          \
			_exit(FAILED);                                                             \
		}                                                                                  \
	} while (0)

static struct task task;
static struct window_head head = { .task = &task };
static char *from, *to; /* two pages each, and one behind them that is not there */

static void *two_pages(void)
{
	char *p = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	EXPECT(p != MAP_FAILED && munmap(p + 2 * PAGE, PAGE) == 0);
	return p;
}

static void run(void (*body)(void), uint32_t slot, int status)
{
	int got = -1;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		task.slot = slot;
		task.pid = getpid();
		signal(SIGSEGV, SIG_DFL);
		signal(SIGBUS, SIG_DFL);
		from = two_pages();
		to = two_pages();
		for (size_t i = 0; i < 2 * PAGE; i++)
			from[i] = (char)(i * 7 + i / 256);
		body();
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &got, 0), pid);
	assert_int_equal(WIFEXITED(got) ? WEXITSTATUS(got) : -WTERMSIG(got), status);
}

/* What libc's sigaction() would do in a task. */
static long trapped(int sig, const struct kernel_sigaction *act, struct kernel_sigaction *old)
{
	struct arch_trap tr = { .nr = SYS_rt_sigaction,
				.arg = { sig, (long)act, (long)old, KERNEL_SIGSET_SIZE } };

	if (!guard_sigaction(&head, &tr))
		return sys_sigaction(sig, act, old);
	return tr.nr;
}

/* Every length and alignment around the end of what is there. */
static void copy_all(bool by_kernel)
{
	struct guard g;

	for (size_t n = 0; n < 200; n++) {
		for (size_t room = 0; room < 150; room += 1 + room / 8) {
			size_t done = n < room ? n : room;
			char *source = from + 2 * PAGE - room, *sink = to + 2 * PAGE - room;

			memset(to, 1, 2 * PAGE);
			EXPECT(guard_open(&g, &head) == 0);
			EXPECT(g.by_kernel == by_kernel);
			EXPECT(guard_copy(&g, (uintptr_t)to + n % 9, (uintptr_t)source, n) ==
			       n - done);
			guard_close(&g);
			EXPECT(memcmp(to + n % 9, source, done) == 0 && to[n % 9 + done] == 1);

			EXPECT(guard_open(&g, &head) == 0);
			EXPECT(guard_copy(&g, (uintptr_t)sink, (uintptr_t)from + n % 7, n) ==
			       n - done);
			guard_close(&g);
			EXPECT(memcmp(sink, from + n % 7, done) == 0);
		}
	}
	EXPECT(guard_open(&g, &head) == 0);
	EXPECT(guard_copy(&g, (uintptr_t)to, (uintptr_t)from, 2 * PAGE) == 0);
	EXPECT(memcmp(to, from, 2 * PAGE) == 0);
	EXPECT(guard_copy(&g, ~0UL - 100, (uintptr_t)from, 10) == 10);
	guard_close(&g);
}

static void body_plain(void)
{
	copy_all(false);
}

static void body_blocked(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGSEGV);
	sigprocmask(SIG_BLOCK, &set, NULL);
	copy_all(true);
}

static void body_ignored(void)
{
	struct kernel_sigaction ignore = { .handler = (void *)SIG_IGN }, old = { 0 };

	body_plain();
	EXPECT(trapped(SIGBUS, &ignore, NULL) == 0);
	EXPECT(sys_sigaction(SIGBUS, NULL, &old) == 0 && old.handler == (void *)SIG_IGN);
	copy_all(true);
	EXPECT(trapped(SIGBUS, NULL, &old) == 0 && old.handler == (void *)SIG_IGN);
	ignore.handler = (void *)SIG_DFL;
	EXPECT(trapped(SIGBUS, &ignore, &old) == 0 && old.handler == (void *)SIG_IGN);
	body_plain();
}

static void body_default(void)
{
	body_plain();
	*(volatile char *)(from + 2 * PAGE);
}

static void body_sent(void)
{
	body_plain();
	kill(getpid(), SIGSEGV);
}

static volatile int handled;
static sigjmp_buf back;

static void handler(int sig, siginfo_t *info, void *context)
{
	sigset_t now;

	(void)context;
	handled++;
	EXPECT(sig == SIGSEGV && info->si_signo == sig && info->si_addr == from + 2 * PAGE);
	EXPECT(sigprocmask(SIG_BLOCK, NULL, &now) == 0);
	EXPECT(sigismember(&now, SIGSEGV) && sigismember(&now, SIGUSR2));
	copy_all(true);
	siglongjmp(back, 1);
}

static void meet_handler(void)
{
	int before = handled;

	if (sigsetjmp(back, 1) == 0)
		*(volatile char *)(from + 2 * PAGE);
	EXPECT(handled == before + 1);
}

static void set_handler(unsigned long flags)
{
	struct kernel_sigaction sa = { (void *)handler, flags, (void *)arch_sigaction_return,
				       1UL << (SIGUSR2 - 1) };
	struct kernel_sigaction now = { 0 };

	if (head.guarded) /* else the kernel drops it, but qemu does not */
		sa.mask |= 1UL << (SIGKILL - 1);

	EXPECT(trapped(SIGSEGV, &sa, NULL) == 0);
	EXPECT(trapped(SIGSEGV, NULL, &now) == 0);
	EXPECT(now.handler == sa.handler && now.flags == sa.flags);
	EXPECT(now.restorer == sa.restorer && now.mask == 1UL << (SIGUSR2 - 1));
}

#define RESTORER 0x04000000UL /* SA_RESTORER */

static void body_handler(void)
{
	set_handler(SA_SIGINFO | RESTORER);
	body_plain();
	meet_handler();
	set_handler(RESTORER);
	set_handler(SA_SIGINFO | SA_ONSTACK | RESTORER);
	body_plain();
	meet_handler();
	meet_handler();
	body_plain();
}

static void body_reset(void)
{
	struct kernel_sigaction now = { 0 };

	body_plain();
	set_handler(SA_SIGINFO | SA_RESETHAND | RESTORER);
	meet_handler();
	EXPECT(trapped(SIGSEGV, NULL, &now) == 0);
	EXPECT(now.handler == (void *)SIG_DFL);
	EXPECT(now.flags == (SA_SIGINFO | SA_RESETHAND | RESTORER));
	body_plain();
	*(volatile char *)(from + 2 * PAGE);
}

/* It has the handlers, but not what else makes a process the one they were made for. */
static void body_child(void)
{
	struct kernel_sigaction now = { 0 };
	int status = -1;
	pid_t pid;

	body_plain();
	set_handler(SA_SIGINFO | RESTORER);
	pid = fork();
	if (pid == 0) {
		head = (struct window_head){ 0 };
		EXPECT(trapped(SIGSEGV, NULL, &now) == 0 && now.handler == (void *)handler);
		EXPECT(trapped(SIGBUS, NULL, &now) == 0 && now.handler == (void *)SIG_DFL);
		now.flags |= SA_RESTART;
		EXPECT(trapped(SIGBUS, &now, NULL) == 0);
		EXPECT(sys_sigaction(SIGBUS, NULL, &now) == 0 && now.handler == (void *)SIG_DFL);
		EXPECT(now.flags & SA_RESTART);
		raise(SIGBUS);
		_exit(FAILED);
	}
	EXPECT(waitpid(pid, &status, 0) == pid);
	EXPECT(WIFSIGNALED(status) && WTERMSIG(status) == SIGBUS);
	body_plain();
	meet_handler();
}

static void copies(void **state)
{
	(void)state;
	run(body_plain, 0, 0);
	run(body_plain, 1, 0);
	run(body_plain, SPACE_TASKS - 1, 0);
}

static void copies_without_handler(void **state)
{
	(void)state;
	run(body_blocked, 7, 0);
	run(body_ignored, 7, 0);
}

static void default_actions(void **state)
{
	(void)state;
	run(body_default, 0, -SIGSEGV);
	run(body_sent, SPACE_TASKS - 1, -SIGSEGV);
}

static void handlers(void **state)
{
	(void)state;
	run(body_handler, 0, 0);
	run(body_handler, SPACE_TASKS - 1, 0);
	run(body_reset, 300, -SIGSEGV);
}

static void forked_child(void **state)
{
	(void)state;
	run(body_child, 70, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(copies),          cmocka_unit_test(copies_without_handler),
		cmocka_unit_test(default_actions), cmocka_unit_test(handlers),
		cmocka_unit_test(forked_child),
	};

	return cmocka_run_group_tests_name("guard", tests, NULL, NULL);
}
