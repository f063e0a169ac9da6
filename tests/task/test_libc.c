/* test_libc.c - programs use their C library as ever, several of them at a time in one space. */
#include <errno.h>

#include "root.h"

#define TASKS 4
#define LIBC (harness_namespaces() ? PROG("libc-no-tls") : PROG("libc"))

/* So many tasks of this topic, beside each other, and what is left of them afterwards. */
static void topic(const char *name)
{
	static struct sheet sheet;

	root_init(TASKS);
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < TASKS; i++)
			check_int(task_main(LIBC, name, NULL), i);
		for (int i = 0; i < TASKS; i++)
			task_exits(i, 0);
		if (round == 0)
			sheet_take(&sheet);
	}
	sheet_same(&sheet);
	root_fin();
}

#define TOPIC(name)                                                                                \
	static void libc_##name(void)                                                              \
	{                                                                                          \
		topic(#name);                                                                      \
	}

TOPIC(ctype)
TOPIC(format)
TOPIC(time)
TOPIC(hosts)
TOPIC(dlopen)
TOPIC(threads)
TOPIC(cpus)
TOPIC(timers)
TOPIC(memory)
TOPIC(stdio)
TOPIC(sockets)
TOPIC(algorithms)

static void all_at_once(void)
{
	root_init(TASKS);
	for (int i = 0; i < TASKS; i++)
		task_main(LIBC, "all", NULL);
	for (int i = 0; i < TASKS; i++)
		task_exits(i, 0);
	root_fin();
}

#ifdef HAVE_OPENMP
static void openmp(void)
{
	static struct sheet sheet;

	/* LLVM's library takes a second one under its PID for a mistake, and tasks that are threads
	 * have the same. */
	setenv("KMP_DUPLICATE_LIB_OK", "TRUE", 1);
	root_init(TASKS);
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < TASKS; i++)
			task_main(PROG("openmp"), NULL);
		for (int i = 0; i < TASKS; i++)
			task_exits(i, 5);
		if (round == 0)
			sheet_take(&sheet);
	}
	sheet_same(&sheet);
	root_fin();
}
#endif

#ifdef HAVE_CXX
static void cxx_language(void)
{
	char *argv[] = { PROG("objects"), NULL, NULL }, *text;

	root_init(TASKS);
	text = task_output(argv, NULL);
	check_str(text, "global gone\n");
	free(text);
	for (int i = 0; i < TASKS; i++)
		task_main(PROG("objects"), NULL);
	for (int i = 0; i < TASKS; i++)
		check_int(task_collect(i == TASKS - 1 ? 0 : i + 1), 0);
	root_fin();
}

/* Made in one task, deleted in another. */
static void cxx_objects(void)
{
	int count;

	root_init(2);
	for (int i = 0; i < 3; i++) {
		int pipid = 0;
		pip_spawn_program_t program;

		count = 0;
		pip_spawn_from_func(&program, PROG("objects"), "objects_make", &count, NULL, NULL);
		check_int(pip_task_spawn(&program, PIP_CPUCORE_ASIS, 0, &pipid, NULL), 0);
		check_int(task_func(PROG("objects"), "objects_delete", &count), 1);
		task_exits(1, 0);
		task_exits(0, 0);
	}
	root_fin();
}
#endif

#ifdef HAVE_FORTRAN
static void fortran(void)
{
	struct capture c;
	char *text;

	root_init(TASKS);
	capture_begin(&c, STDOUT_FILENO);
	for (int i = 0; i < TASKS; i++)
		task_main(PROG("fortran"), NULL);
	for (int i = 0; i < TASKS; i++)
		task_exits(i, 5);
	text = capture_end(&c);
	check_match(text, "^total +500500\\.0\ntotal +500500\\.0\ntotal +500500\\.0\n"
			  "total +500500\\.0\n$");
	free(text);
	root_fin();
}
#endif

static const struct CMUnitTest tests[] = {
	CASE(libc_ctype),
	CASE(libc_format),
	CASE(libc_time),
	CASE(libc_hosts),
	CASE(libc_dlopen),
	CASE(libc_threads),
	CASE(libc_cpus),
	CASE_PROCESS(libc_timers),
	CASE(libc_memory),
	CASE(libc_stdio),
	CASE(libc_sockets),
	CASE(libc_algorithms),
	CASE(all_at_once),
#ifdef HAVE_OPENMP
	CASE(openmp),
#endif
#ifdef HAVE_CXX
	CASE_PRIVATE(cxx_language),
	CASE_PRIVATE(cxx_objects),
#endif
#ifdef HAVE_FORTRAN
	CASE(fortran),
#endif
};

TEST_MAIN(tests)
