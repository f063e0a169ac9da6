/*
 * test_cross_free.c - blocks that one program allocates and another frees or reallocates, under
 * load, while owners are killed.
 *
 * All tasks and the root put blocks of their own in the place of others', which they free: see
 * share_swap() in prog/share.c.  Before a killed task is waited for, and its memory goes, the root
 * takes its blocks out, and waits until each task has been without a block in its hands.
 */
#include <pthread.h>

#include "fault.h"
#include "prog/share.h"

#define TASKS 4
#define SLICE 400

static struct swap swap;

static struct block *new_block(uint32_t size)
{
	struct block *b = malloc(sizeof(*b) + size);

	check(b != NULL);
	b->owner = -1;
	b->size = size;
	memset(b->data, b->owner & 0xff, size);
	return b;
}

static void swap_some(int n)
{
	for (int i = 0; i < n; i++) {
		struct block *b = new_block((uint32_t)dice(dice(50) ? 2000 : 300000));

		b = atomic_exchange(&swap.slot[dice(SWAP_SLOTS)], b);
		if (b && b->size)
			check_int(b->data[b->size - 1], b->owner & 0xff);
		free(b);
	}
}

/* Nobody has a block of this owner, who is dead: there is none in the slots, and all others have
 * had empty hands since. */
static void forget(int owner)
{
	long pauses[TASKS];

	for (int i = 0; i < SWAP_SLOTS; i++) {
		struct block *b = atomic_exchange(&swap.slot[i], NULL), *none = NULL;

		if (b && b->owner != owner &&
		    !atomic_compare_exchange_strong(&swap.slot[i], &none, b))
			free(b);
	}
	for (int i = 0; i < TASKS; i++)
		pauses[i] = swap.pauses[i];
	for (int i = 0; i < TASKS; i++)
		while (i != owner && swap.pauses[i] < pauses[i] + 2)
			sched_yield();
}

static void start(int pipid)
{
	pip_spawn_program_t program;

	pip_spawn_from_func(&program, (char *)FAULT_PROG("share"), "share_swap", &swap, NULL, NULL);
	check_int(pip_task_spawn(&program, PIP_CPUCORE_ASIS, 0, &pipid, NULL), 0);
}

static void swap_rounds(int n)
{
	struct ledger ledger = { 0 };
	siginfo_t info;

	root_init(TASKS);
	ledger_take(&ledger);
	for (int i = 0; i < TASKS; i++)
		start(i);
	for (int i = 0; i < n; i++) {
		int victim = (int)dice(TASKS);
		pid_t pid = task_pid(victim);

		swap_some((int)dice(2000));
		check_int(kill(pid, SIGKILL), 0);
		check_int(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
		forget(victim);
		task_signaled(victim, SIGKILL);
		start(victim);
	}
	swap.ends = 1;
	for (int i = 0; i < TASKS; i++) {
		check_int(waitid(P_PID, (id_t)task_pid(i), &info, WEXITED | WNOWAIT), 0);
		check_int(info.si_status, 0);
	}
	/* Now all blocks are the root's to free, whoever their owner is. */
	for (int i = 0; i < SWAP_SLOTS; i++)
		free(atomic_exchange(&swap.slot[i], NULL));
	for (int i = 0; i < TASKS; i++)
		task_exits(i, 0);
	free(malloc(1)); /* and gets back what others have freed */
	ledger_print("before", &ledger);
	ledger_take(&ledger);
	ledger_print("after ", &ledger);
	root_fin();
}

static void swap_with_dying_owners(void **state)
{
	(void)state;
	in_slices(swap_rounds, rounds(200), SLICE);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(swap_with_dying_owners),
};

TEST_MAIN(tests)
