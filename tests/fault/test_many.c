/*
 * test_many.c - many short tasks, one after another and a lot at a time: after the last the root
 * has what it had after the first hundred.
 */
#include "fault.h"

#define FIRST 100
#define AT_A_TIME 200
#define SLICE 20000

/* Programs without our library in them, and with it. */
static char *const programs[][3] = {
	{ PROG("plain"), "exit", "0" },
	{ FAULT_PROG("share") },
	{ FAULT_PROG("small") },
};

static char *const *program(int i)
{
	return programs[i % LENGTH(programs)];
}

static void result(const struct ledger *before)
{
	struct ledger after;

	ledger_take(&after);
	ledger_print("after the first", before);
	ledger_print("after the last ", &after);
	ledger_same(before);
}

static void one_after_another_rounds(int n)
{
	struct ledger ledger = { 0 };

	root_init(1);
	for (int i = 0; i < FIRST + n; i++) {
		if (i == FIRST)
			ledger_take(&ledger);
		check_int(spawn(0, program(i)), 0);
		task_exits(0, 0);
	}
	result(&ledger);
	root_fin();
}

static void one_after_another(void **state)
{
	(void)state;
	in_slices(one_after_another_rounds, rounds(1000), SLICE);
}

static void many_at_a_time_rounds(int n)
{
	int total = AT_A_TIME + (n + AT_A_TIME - 1) / AT_A_TIME * AT_A_TIME;
	struct ledger ledger = { 0 };

	root_init(AT_A_TIME);
	for (int i = 0; i < total; i += AT_A_TIME) {
		if (i == AT_A_TIME)
			ledger_take(&ledger);
		for (int k = 0; k < AT_A_TIME; k++)
			check_int(spawn(k, program(k)), 0);
		for (int k = 0; k < AT_A_TIME; k++) {
			int status = -1;

			check_int(pip_wait_any(NULL, &status), 0);
			check_int(status, 0);
		}
	}
	result(&ledger);
	root_fin();
}

static void many_at_a_time(void **state)
{
	(void)state;
	in_slices(many_at_a_time_rounds, rounds(1000), SLICE);
}

/* The table is full of tasks that live, and is emptied. */
static void full_tables_rounds(int n)
{
	char *argv[] = { PROG("plain"), "pause", NULL };
	struct ledger ledger = { 0 };

	root_init(AT_A_TIME);
	for (int i = 0; i <= n; i += AT_A_TIME) {
		for (int k = 0; k < AT_A_TIME; k++)
			check_int(spawn(k, argv), 0);
		check_int(spawn(0, argv), EAGAIN);
		check_int(pip_kill_all_child_tasks(), 0);
		for (int k = 0; k < AT_A_TIME; k++)
			task_signaled(k, SIGKILL);
		if (i == 0)
			ledger_take(&ledger);
	}
	result(&ledger);
	root_fin();
}

static void full_tables(void **state)
{
	(void)state;
	in_slices(full_tables_rounds, rounds(600), SLICE);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(one_after_another),
	cmocka_unit_test(many_at_a_time),
	cmocka_unit_test(full_tables),
};

TEST_MAIN(tests)
