/*
 * test_crash.c - tasks that crash, or end in odd ways: the root learns the right status, and
 * neither it nor the siblings are harmed.
 */
#include "fault.h"

#define SIBLINGS 2

/* clang-format off */
static const struct end {
	char *how, *number;
	int signum; /* it ends by this, or by exit(code) */
	int code;
} ends[] = {
	{ "segv", NULL, SIGSEGV, 0 },
	{ "jump", NULL, SIGSEGV, 0 },
	{ "divide", NULL, SIGFPE, 0 },
	{ "overflow", NULL, SIGSEGV, 0 },
	{ "pipe", NULL, SIGPIPE, 0 },
	{ "bus", NULL, SIGBUS, 0 },
	{ "ill", NULL, SIGILL, 0 },
	{ "heap", NULL, SIGABRT, 0 },
	{ "abort", NULL, SIGABRT, 0 },
	{ "twice", NULL, SIGSEGV, 0 },
	{ "handler", NULL, SIGSEGV, 0 },
	{ "blocked", NULL, SIGSEGV, 0 },
	{ "raise", "15", SIGTERM, 0 },
	{ "raise", "10", SIGUSR1, 0 },
	{ "raise", "40", 40, 0 }, /* a real-time signal */
	{ "exit", "0", 0, 0 },
	{ "exit", "11", 0, 11 }, /* no SIGSEGV */
	{ "exit", "300", 0, 44 },
	{ "_exit", "11", 0, 11 },
	{ "_exit", "127", 0, 127 },
	{ "_exit", "255", 0, 255 },
};
/* clang-format on */

static void crash_once(const char *prog, const struct end *end, bool in_thread)
{
	char how[32], *argv[] = { (char *)prog, how, end->number, NULL };
	int status = -1;

	snprintf(how, sizeof(how), "%s%s", in_thread ? "thread-" : "", end->how);
	check_int(run(SIBLINGS, argv, &status), 0);
	if (end->signum ? !ended_by(status, end->signum) : !ended_with(status, end->code))
		check_failed(__FILE__, __LINE__, "%s %s %s: status 0x%x", prog, how,
			     end->number ? end->number : "", status);
	meet();
}

static void crash_all(const char *prog)
{
	struct ledger ledger = { 0 };

	setenv("PIP_QUIET", "", 1);
	root_init(SIBLINGS + 1);
	siblings_start(SIBLINGS);
	killer_start();
	for (int i = 0, n = rounds(2); i <= n; i++) {
		for (int k = 0; k < LENGTH(ends); k++) {
			crash_once(prog, &ends[k], false);
			crash_once(prog, &ends[k], true);
		}
		if (i == 0)
			ledger_take(&ledger);
	}
	ledger_same(&ledger);
	killer_stop();
	siblings_end();
	root_fin();
}

static void crash_plain(void)
{
	crash_all(FAULT_PROG("crash"));
}

/* With our library and its handlers. */
static void crash_linked(void)
{
	crash_all(FAULT_PROG("crash-linked"));
}

static void crash_static(void)
{
#ifdef HAVE_STATIC_PIE
	crash_all(FAULT_PROG("crash-static"));
#endif
}

/* A crashed program whose exit handlers do not return is ended all the same. */
static void crash_stuck(void)
{
	char *const stuck[][3] = {
		{ FAULT_PROG("crash-linked"), "stuck" },
		{ FAULT_PROG("crash-linked"), "thread-stuck" },
	};

	root_init(LENGTH(stuck));
	for (int i = 0; i < LENGTH(stuck); i++)
		check_int(spawn(i, stuck[i]), 0);
	for (int i = 0; i < LENGTH(stuck); i++)
		task_signaled(i, SIGSEGV);
	root_fin();
}

/* Many at once. */
static void crash_together(void)
{
	char *argv[] = { FAULT_PROG("crash-linked"), "thread-segv", NULL };
	struct ledger ledger = { 0 };

	setenv("PIP_QUIET", "", 1);
	root_init(SIBLINGS + 32);
	siblings_start(SIBLINGS);
	for (int i = 0, n = rounds(4); i <= n; i++) {
		for (int k = 0; k < 32; k++)
			check_int(spawn(SIBLINGS + k, argv), 0);
		for (int k = 0; k < 32; k++)
			task_signaled(SIBLINGS + k, SIGSEGV);
		meet();
		if (i == 0)
			ledger_take(&ledger);
	}
	ledger_same(&ledger);
	siblings_end();
	root_fin();
}

static const struct CMUnitTest tests[] = {
	CASE(crash_plain), CASE(crash_linked),   CASE(crash_static),
	CASE(crash_stuck), CASE(crash_together),
};

TEST_MAIN(tests)
