/* test_many.c - a thousand tasks at a time, and thousands one after the other. */
#include <errno.h>
#include <sys/resource.h>

#include "root.h"
#include "../prog/api.h"

/* All of PIP_NTASKS_MAX live at once, in one space, each a process of its own. */
static void all_at_once(void)
{
	static struct proof proof;
	struct gate gate = { 0 };
	char *argv[] = { PROG("plain"), "pause", NULL };

	root_init(PIP_NTASKS_MAX);
	proof_begin(&proof);
	for (int i = 0; i < PIP_NTASKS_MAX; i++) {
		if (i % 8)
			check_int(task_main(argv[0], argv[1], NULL), i);
		else
			check_int(task_func(PROG("api"), "api_wait_gate", &gate), i);
		proof_task(&proof, task_pid(i));
	}
	check_int(pip_spawn(argv[0], argv, NULL, PIP_CPUCORE_ASIS, NULL, NULL, NULL, NULL), EAGAIN);
	check(retry(gate.here == PIP_NTASKS_MAX / 8));
	gate.open = 1;
	for (int i = 0; i < PIP_NTASKS_MAX; i += 8) {
		task_exits(i, 0);
		proof_collected(&proof);
	}
	check_int(pip_kill_all_child_tasks(), 0);
	for (int i = 0; i < PIP_NTASKS_MAX; i++) {
		if (i % 8 == 0)
			continue;
		task_signaled(i, SIGKILL);
		proof_collected(&proof);
	}
	proof_end(&proof, PIP_NTASKS_MAX);
	root_fin();
}

/* Short tasks, some at a time: after two thousand there is as much as after a hundred. */
static void one_after_the_other(void)
{
	enum {
		WIDTH = 4
	};
	static struct sheet sheet;

	root_init(WIDTH);
	for (int round = 0; round < 500; round++) {
		for (int i = 0; i < WIDTH; i++)
			task_main("/bin/true", NULL);
		for (int i = 0; i < WIDTH; i++)
			task_exits(i, 0);
		if (round == 25)
			sheet_take(&sheet);
	}
	sheet_same(&sheet);
	root_fin();
}

static const struct CMUnitTest tests[] = {
	CASE_PRIVATE(all_at_once),
	CASE(one_after_the_other),
};

int main(int argc, char **argv)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NPROC, &limit) == 0 && limit.rlim_cur < 2UL * PIP_NTASKS_MAX)
		harness_skip("RLIMIT_NPROC allows too few processes");
	return harness_main(argc, argv, tests, sizeof(tests) / sizeof(tests[0]));
}
