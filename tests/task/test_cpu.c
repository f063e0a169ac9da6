/* test_cpu.c - the coreno of a spawn: which CPUs the task may run on. */
#include <errno.h>
#include <sched.h>

#include "root.h"

static cpu_set_t usable; /* by this process, whatever it was restricted to */
static int nusable;

static void find_usable(void)
{
	cpu_set_t before;

	check_int(sched_getaffinity(0, sizeof(before), &before), 0);
	for (int cpu = 0; cpu < 1024; cpu++) {
		cpu_set_t one;

		CPU_ZERO(&one);
		CPU_SET(cpu, &one);
		if (sched_setaffinity(0, sizeof(one), &one) == 0) {
			CPU_SET(cpu, &usable);
			nusable++;
		}
	}
	check_int(sched_setaffinity(0, sizeof(before), &before), 0);
	check(nusable > 0);
}

static int nth_usable(int n)
{
	for (int cpu = 0;; cpu++)
		if (CPU_ISSET(cpu, &usable) && n-- == 0)
			return cpu;
}

static void set_affinity(int cpu)
{
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	check_int(sched_setaffinity(0, sizeof(one), &one), 0);
}

/* "0 1 " for this set. */
static char *list_of(const cpu_set_t *set)
{
	char *list = strdup("");

	for (int cpu = 0; cpu < 1024; cpu++) {
		char *more;

		if (!CPU_ISSET(cpu, set))
			continue;
		check(asprintf(&more, "%s%d ", list, cpu) > 0);
		free(list);
		list = more;
	}
	return list;
}

/* A task spawned so has just these CPUs, and the root has what it had. */
static void gives(uint32_t coreno, const cpu_set_t *want)
{
	char *argv[] = { PROG("plain"), "affinity", NULL }, *text, *list = list_of(want);
	pip_spawn_program_t program;
	cpu_set_t before, after;
	struct capture c;

	check_int(sched_getaffinity(0, sizeof(before), &before), 0);
	capture_begin(&c, STDOUT_FILENO);
	pip_spawn_from_main(&program, NULL, argv, NULL, NULL);
	check_int(pip_task_spawn(&program, coreno, 0, NULL, NULL), 0);
	task_exits(0, 0);
	text = capture_end(&c);
	text[strcspn(text, "\n")] = '\0';
	if (strcmp(text, list) != 0)
		check_failed(__FILE__, __LINE__, "core 0x%x: CPUs %s, not %s", coreno, text, list);
	check_int(sched_getaffinity(0, sizeof(after), &after), 0);
	check(CPU_EQUAL(&before, &after));
	free(list);
	free(text);
}

static void gives_cpu(uint32_t coreno, int cpu)
{
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	gives(coreno, &one);
}

/* The affinity that the spawning thread has at that moment. */
static void as_is(void)
{
	cpu_set_t now;

	find_usable();
	root_init(1);
	check_int(sched_getaffinity(0, sizeof(now), &now), 0);
	gives(PIP_CPUCORE_ASIS, &now);
	for (int i = 0; i < nusable; i++) {
		set_affinity(nth_usable(i));
		gives_cpu(PIP_CPUCORE_ASIS, nth_usable(i));
	}
	check_int(sched_setaffinity(0, sizeof(usable), &usable), 0);
	gives(PIP_CPUCORE_ASIS, &usable);
	root_fin();
}

/* n is the n-th CPU that the root can use, round and round. */
static void by_number(void)
{
	find_usable();
	root_init(1);
	for (int i = 0; i < 2 * nusable + 1; i++)
		gives_cpu((uint32_t)i, nth_usable(i % nusable));
	gives_cpu(PIP_CPUCORE_CORENO_MAX - 1, nth_usable((PIP_CPUCORE_CORENO_MAX - 1) % nusable));
	root_fin();
}

/* Also beyond what it has been restricted to, before pip_init() or after. */
static void by_number_when_restricted(void)
{
	find_usable();
	set_affinity(nth_usable(0));
	root_init(1);
	for (int i = 0; i < nusable; i++)
		gives_cpu((uint32_t)i, nth_usable(i));
	set_affinity(nth_usable(nusable - 1));
	for (int i = 0; i < nusable; i++)
		gives_cpu((uint32_t)i, nth_usable(i));
	root_fin();
}

static void absolute(void)
{
	find_usable();
	set_affinity(nth_usable(0));
	root_init(1);
	for (int i = 0; i < nusable; i++)
		gives_cpu((uint32_t)nth_usable(i) | PIP_CPUCORE_ABS, nth_usable(i));
	root_fin();
}

/* The v1 form takes the same. */
static void v1_form(void)
{
	char *argv[] = { PROG("plain"), "affinity", NULL }, *text, want[16];
	struct capture c;
	int last;

	find_usable();
	last = nth_usable(nusable - 1);
	root_init(1);
	capture_begin(&c, STDOUT_FILENO);
	check_int(pip_spawn(argv[0], argv, NULL, nusable - 1, NULL, NULL, NULL, NULL), 0);
	task_exits(0, 0);
	text = capture_end(&c);
	snprintf(want, sizeof(want), "%d \n", last);
	check_str(text, want);
	free(text);
	root_fin();
}

/* A binding that fails is a warning only. */
static void no_such_cpu_body(void *arg)
{
	cpu_set_t now;

	(void)arg;
	find_usable();
	root_init(1);
	check_int(sched_getaffinity(0, sizeof(now), &now), 0);
	gives(1000 | PIP_CPUCORE_ABS, &now);
	root_fin();
}

static void no_such_cpu(void **state)
{
	struct outcome o;

	(void)state;
	scenario_run(&o, no_such_cpu_body, NULL);
	scenario_exited(&o, 0);
	scenario_said(&o, "^PiP-WARN.*Unable to bind CPU core:");
	scenario_free(&o);
}

static const struct CMUnitTest tests[] = {
	CASE(as_is),    CASE(by_number), CASE(by_number_when_restricted),
	CASE(absolute), CASE(v1_form),   cmocka_unit_test(no_such_cpu),
};

int main(int argc, char **argv)
{
	cpu_set_t high;

	CPU_ZERO(&high);
	CPU_SET(1000, &high);
	if (sched_setaffinity(0, sizeof(high), &high) == 0)
		harness_skip(
			"this machine has a CPU 1000, of which the tests think that none has it");
	return harness_main(argc, argv, tests, sizeof(tests) / sizeof(tests[0]));
}
