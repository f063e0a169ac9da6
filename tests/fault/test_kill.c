/*
 * test_kill.c - tasks ended by SIGKILL at any instant, while others are being started.
 *
 * Each round starts a few victims, each of which is killed some time after its process has come to
 * be: while its root still waits for it, or starts the next one.  Two siblings live through all
 * of it, and meet the root after each round.
 */
#include <pthread.h>
#include <sched.h>

#include "fault.h"
#include "prog/share.h"

#define SIBLINGS 2
#define VICTIMS 4
#define SLICE 400 /* of a long run */

struct victim {
	const char *function; /* of share.c, or NULL */
	char *argv[6];
};

static int before_loaded, at_end;

static void victim_start(const struct victim *v, int pipid)
{
	pip_spawn_program_t program;
	int id = pipid, rc;

	if (v->function)
		pip_spawn_from_func(&program, (char *)FAULT_PROG("share"), (char *)v->function,
				    NULL, NULL, NULL);
	else
		pip_spawn_from_main(&program, v->argv[0], (char **)v->argv, NULL, NULL);
	rc = pip_task_spawn(&program, PIP_CPUCORE_ASIS, 0, &id, NULL);
	if (rc)
		check_failed(__FILE__, __LINE__, "%s %s: pip_task_spawn() is %s", program.prog,
			     v->function ? v->function : program.argv[1], pip_errname(rc));
	check_int(id, pipid);
}

/* Mostly while it is being loaded, which takes a millisecond or so. */
static long moment(void)
{
	return (long)(dice(4) ? dice(1500) : dice(6000));
}

static void kill_some(const struct victim *kinds, int nkinds)
{
	for (int i = 0; i < VICTIMS; i++) {
		killer_aim(SIBLINGS + i, SIGKILL, moment());
		victim_start(&kinds[dice((unsigned long)nkinds)], SIBLINGS + i);
		before_loaded += killer_has_shot(SIBLINGS + i);
	}
	for (int i = 0; i < VICTIMS; i++) {
		int status;

		killer_await(SIBLINGS + i);
		status = task_collect(SIBLINGS + i);
		if (!ended_by(status, SIGKILL) && !ended_with(status, 0))
			check_failed(__FILE__, __LINE__, "a victim ended with status 0x%x", status);
		at_end += ended_with(status, 0);
	}
	meet();
}

static void kill_rounds(const struct victim *kinds, int nkinds, int n)
{
	struct ledger ledger = { 0 };

	root_init(SIBLINGS + VICTIMS);
	siblings_start(SIBLINGS);
	killer_start();
	for (int i = 0; i < 10; i++)
		kill_some(kinds, nkinds);
	ledger_take(&ledger);
	before_loaded = at_end = 0;
	for (int i = 0; i < n; i += VICTIMS)
		kill_some(kinds, nkinds);
	ledger_same(&ledger);
	printf("%d rounds: %d killed while they were loaded, %d had ended before\n", n,
	       before_loaded, at_end);
	killer_stop();
	siblings_end();
	root_fin();
}

/* ---- What they do meanwhile ---- */

static const struct victim plain[] = {
	{ NULL, { PROG("plain") } },
	{ NULL, { FAULT_PROG("storm-linked") } },
	{ NULL, { FAULT_PROG("storm"), "spin" } },
#ifdef HAVE_STATIC_PIE
	{ NULL, { PROG("plain-static"), "pause" } },
#endif
};

static void kill_plain_rounds(int n)
{
	kill_rounds(plain, LENGTH(plain), n);
}

static void kill_at_any_time(void **state)
{
	(void)state;
	in_slices(kill_plain_rounds, rounds(200), SLICE);
}

static const struct victim memory[] = {
	{ NULL, { FAULT_PROG("storm"), "malloc" } },
	{ NULL, { FAULT_PROG("storm-linked"), "malloc" } },
	{ NULL, { FAULT_PROG("storm"), "mmap" } },
	{ NULL, { FAULT_PROG("storm"), "threads" } },
	{ NULL, { FAULT_PROG("storm"), "dlopen", PROG("libgone.so"), PROG("libother.so") } },
};

static void kill_memory_rounds(int n)
{
	kill_rounds(memory, LENGTH(memory), n);
}

static void kill_in_memory_storms(void **state)
{
	(void)state;
	in_slices(kill_memory_rounds, rounds(200), SLICE);
}

static const struct victim locks[] = {
	{ "share_names", { NULL } },
	{ "share_locks", { NULL } },
	{ "share_import", { NULL } },
};

static void kill_lock_rounds(int n)
{
	kill_rounds(locks, LENGTH(locks), n);
}

static void kill_with_locks(void **state)
{
	(void)state;
	in_slices(kill_lock_rounds, rounds(200), SLICE);
}

static const struct victim forks[] = {
	{ NULL, { FAULT_PROG("storm"), "fork" } },
	{ NULL, { FAULT_PROG("storm-linked"), "forks" } },
	{ NULL, { FAULT_PROG("storm"), "spawn" } },
};

static void kill_fork_rounds(int n)
{
	kill_rounds(forks, LENGTH(forks), n);
}

static void kill_in_forks(void **state)
{
	(void)state;
	in_slices(kill_fork_rounds, rounds(100), SLICE);
}

/* The holder of the locks dies while others wait for them, or before; or only its thread does. */
static void holder_dies(void)
{
	for (int round = 0; round < 20; round++) {
		static struct locks l;
		bool in_thread = round & 1, early = round & 2;
		pid_t holder;

		memset(&l, 0, sizeof(l));
		root_init(3);
		task_func(FAULT_PROG("share"), in_thread ? "share_hold_in_thread" : "share_hold",
			  &l);
		holder = task_pid(0);
		if (early) {
			check(retry(l.held));
			check_int(kill(holder, SIGKILL), 0);
		}
		task_func(FAULT_PROG("share"), "share_want", &l);
		task_func(FAULT_PROG("share"), "share_want", &l);
		if (!early) {
			check(retry(l.wanted == 2));
			if (in_thread)
				check(retry(l.got == 2));
			else
				check_int(l.got, 0);
			check_int(kill(holder, SIGKILL), 0);
		}
		task_exits(1, 0);
		task_exits(2, 0);
		task_signaled(0, SIGKILL);
		root_fin();
	}
}

/* Hooks run on the task's process, too. */
static int hook(void *arg)
{
	for (long n = (long)(uintptr_t)arg; n; n--)
		sched_yield();
	return 0;
}

static void kill_hook_rounds(int n)
{
	char *argv[] = { FAULT_PROG("storm"), NULL };
	struct ledger ledger = { 0 };

	root_init(1);
	killer_start();
	for (int i = -10; i < n; i++) {
		int status;

		if (i == 0)
			ledger_take(&ledger);
		killer_aim(0, SIGKILL, moment());
		check_int(task_hooked(argv[0], argv, hook, hook, (void *)(uintptr_t)dice(10000)),
			  0);
		killer_await(0);
		status = task_collect(0);
		check(ended_by(status, SIGKILL) || ended_with(status, 0));
	}
	ledger_same(&ledger);
	killer_stop();
	root_fin();
}

static void kill_in_hooks(void **state)
{
	(void)state;
	in_slices(kill_hook_rounds, rounds(100), SLICE);
}

/* A task kills another by its PIPID, whatever state that is in, and nobody else. */
static void kill_by_task_rounds(int n)
{
	char *argv[] = { FAULT_PROG("storm"), "spin", NULL };
	static volatile int victim = 1;
	struct ledger ledger = { 0 };

	root_init(VICTIMS + 1);
	task_func(FAULT_PROG("share"), "share_kill", (void *)&victim);
	for (int i = -10; i < n; i++) {
		if (i == 0)
			ledger_take(&ledger);
		victim = (i & 1) + 1;
		check_int(spawn(victim, argv), 0);
		task_signaled(victim, SIGKILL);
	}
	ledger_same(&ledger);
	check_int(pip_kill(0, SIGKILL), 0);
	task_signaled(0, SIGKILL);
	root_fin();
}

static void kill_by_task(void **state)
{
	(void)state;
	in_slices(kill_by_task_rounds, rounds(200), SLICE);
}

static _Atomic int collected;

static void *collect_all(void *arg)
{
	const int *n = arg;

	while (collected < *n) {
		int pipid = -1, status = -1, rc = pip_wait_any(&pipid, &status);

		if (rc == ECHILD) /* there is none just now */
			continue;
		check_int(rc, 0);
		check(pipid >= 0);
		check_int(status, 0);
		collected++;
	}
	return NULL;
}

/* One thread starts tasks, another collects whatever has ended, some of them very early. */
static void wait_beside_spawn_rounds(int n)
{
	char *argv[] = { FAULT_PROG("storm"), NULL }, *bad[] = { temp_dir(), NULL };
	struct ledger ledger = { 0 };
	pthread_t thread;
	int status, none = 0;

	bad[0] = path_in(bad[0], "needs-gone");
	file_copy(PROG("needs-gone"), bad[0], 0755);
	root_init(VICTIMS);
	for (int i = 0; i < VICTIMS; i++)
		check_int(spawn(i, argv), 0);
	for (int i = 0; i < VICTIMS; i++)
		check_int(pip_wait_any(NULL, &status), 0);
	check_int(spawn(0, bad), ELIBEXEC);
	/* What libc keeps of a thread's stack is there from now on. */
	check_int(pthread_create(&thread, NULL, collect_all, &none), 0);
	check_int(pthread_join(thread, NULL), 0);
	ledger_take(&ledger);
	check_int(pthread_create(&thread, NULL, collect_all, &n), 0);
	for (int i = 0; i < n;) {
		int pipid = PIP_PIPID_ANY, rc;

		/* It never becomes a task, so nobody may hear of it. */
		if (i % 8 == 0) {
			rc = pip_spawn(bad[0], bad, NULL, PIP_CPUCORE_ASIS, &pipid, NULL, NULL,
				       NULL);
			check(rc == ELIBEXEC || rc == EAGAIN);
		}
		rc = pip_spawn(argv[0], argv, NULL, PIP_CPUCORE_ASIS, &pipid, NULL, NULL, NULL);
		if (rc == EAGAIN)
			continue;
		check_int(rc, 0);
		check(pipid >= 0 && pipid < VICTIMS);
		i++;
	}
	check_int(pthread_join(thread, NULL), 0);
	check_int(collected, n);
	check_int(pip_trywait_any(NULL, NULL), ECHILD);
	ledger_same(&ledger);
	root_fin();
}

static void wait_beside_spawn(void **state)
{
	(void)state;
	in_slices(wait_beside_spawn_rounds, rounds(200), SLICE);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(kill_at_any_time),
	cmocka_unit_test(kill_in_memory_storms),
	cmocka_unit_test(kill_with_locks),
	cmocka_unit_test(kill_in_forks),
	CASE(holder_dies),
	cmocka_unit_test(kill_in_hooks),
	cmocka_unit_test(kill_by_task),
	cmocka_unit_test(wait_beside_spawn),
};

TEST_MAIN(tests)
