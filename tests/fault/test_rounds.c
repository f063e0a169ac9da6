/*
 * test_rounds.c - 8 tasks, again and again: spawn, exchange addresses, meet at a barrier, wait.
 * Nothing hangs, and the root has afterwards what it had before, in each mode.
 */
#include "fault.h"
#include "prog/share.h"

#define TASKS 8
#define FIRST 3
#define SLICE 1000

static void round_of_all(struct meeting *m, bool processes)
{
	bool seen[TASKS] = { false };
	struct proof proof;

	proof_begin(&proof);
	m->last = -1;
	check_int(pip_barrier_init(&m->barrier, TASKS + 1), 0);
	for (int i = 0; i < TASKS; i++) {
		check_int(task_func(FAULT_PROG("share"), "share_meet", m), i);
		if (processes)
			proof_task(&proof, task_pid(i));
	}
	m->last = 0;
	check_int(pip_barrier_wait(&m->barrier), 0);
	for (int i = 0; i < TASKS; i++) {
		int pipid = -1, status = -1;

		check_int(pip_wait_any(&pipid, &status), 0);
		check_int(status, 0);
		check(pipid >= 0 && pipid < TASKS && !seen[pipid]);
		seen[pipid] = true;
		proof_collected(&proof);
	}
	check_int(pip_wait_any(NULL, NULL), ECHILD);
	check_int(pip_barrier_fin(&m->barrier), 0);
	if (processes)
		proof_end(&proof, TASKS);
	else
		check_int(proof.collected, TASKS);
}

static void go_round(int n, const char *mode, const char *shown)
{
	static struct meeting m = { .siblings = TASKS };
	struct ledger ledger;
	int ntasks = TASKS;

	setenv("PIP_MODE", mode, 1);
	check_int(pip_init(NULL, &ntasks, NULL, 0), 0);
	check_str(pip_get_mode_str(), shown);
	/* share_meet() asks for it by this name. */
	check_int(pip_named_export(&m, "turn %d", 0), 0);
	for (int i = 0; i < n + FIRST; i++) {
		if (i == FIRST)
			ledger_take(&ledger);
		round_of_all(&m, strcmp(mode, "pthread") != 0);
	}
	if (getenv("PIP_LOADER")) {
		struct ledger after;

		/* The root's allocator, which the common dynamic linker uses in every task, may
		 * have made arenas meanwhile, and its list of free stacks is another. */
		ledger_take(&after);
		check_int(after.fds, ledger.fds);
		check_int(after.threads, ledger.threads);
		check_int(after.children, ledger.children);
		check(after.maps <= ledger.maps + 32);
		check(after.size_kb <= ledger.size_kb + ledger.size_kb / 4);
	} else {
		ledger_same(&ledger);
	}
	root_fin();
}

static void as_processes(int n)
{
	go_round(n, "process:pipclone", "process:pipclone");
}

/* In a root that looks after what it executes and forks, too. */
static void as_processes_of_launcher(void *n)
{
	go_round((int)(intptr_t)n, getenv("HARNESS_MODE"), "process:preload");
}

static void as_threads(int n)
{
	go_round(n, "pthread", "pthread");
}

#ifdef HAVE_DLMOPEN
static void in_namespaces(int n)
{
	setenv("PIP_LOADER", "dlmopen", 1);
	go_round(n, "process:pipclone", "process:pipclone");
}

static void threads_in_namespaces(int n)
{
	setenv("PIP_LOADER", "dlmopen", 1);
	go_round(n, "pthread", "pthread");
}

static void rounds_of_threads_in_namespaces(void **state)
{
	(void)state;
	in_slices(threads_in_namespaces, rounds(60), SLICE);
}

static void rounds_in_namespaces(void **state)
{
	(void)state;
	in_slices(in_namespaces, rounds(60), SLICE);
}
#endif

static void rounds_of_processes(void **state)
{
	(void)state;
	in_slices(as_processes, rounds(60), SLICE);
}

static void rounds_of_launcher(const char *mode)
{
	setenv("HARNESS_MODE", mode, 1);
	scenario_passes(as_processes_of_launcher, (void *)(intptr_t)rounds(60));
	unsetenv("HARNESS_MODE");
}

static void rounds_with_got(void **state)
{
	(void)state;
	rounds_of_launcher("process:got");
}

static void rounds_with_preload(void **state)
{
	(void)state;
	rounds_of_launcher("process:preload");
}

static void rounds_of_threads(void **state)
{
	(void)state;
	in_slices(as_threads, rounds(60), SLICE);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(rounds_of_processes),  cmocka_unit_test(rounds_of_threads),
	cmocka_unit_test(rounds_with_got),
#if !HARNESS_ASAN /* whose runtime has to be loaded first */
	cmocka_unit_test(rounds_with_preload),
#endif
#ifdef HAVE_DLMOPEN
	cmocka_unit_test(rounds_in_namespaces), cmocka_unit_test(rounds_of_threads_in_namespaces),
#endif
};

TEST_MAIN(tests)
