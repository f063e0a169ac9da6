/* test_queries.c - what root and task can ask, and the auxiliary pointer. */
#include <errno.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <time.h>

#include "root.h"
#include "../prog/api.h"

static void nothing_effective(void)
{
	int n = 1234;
	void *p = &n;
	pip_id_t id = 1234;

	check_int(pip_is_initialized(), 0);
	check_int(pip_isa_root(), 0);
	check_int(pip_isa_task(), 0);
	check_int(pip_isa_piptask(), 0);
	check_ptr(pip_get_mode_str(), NULL);
	check_int(pip_get_pipid(&n), EPERM);
	check_int(pip_get_pipid(NULL), EPERM);
	check_int(pip_get_ntasks(&n), EPERM);
	check_int(pip_get_mode(&n), EPERM);
	check_int(pip_is_threaded(&n), EPERM);
	check_int(pip_is_shared_fd(&n), EPERM);
	check_int(pip_get_system_id(0, &id), EPERM);
	check_int(pip_get_system_id(PIP_PIPID_ANY, &id), EPERM);
	check_int(pip_get_aux(&p), EPERM);
	check_int(pip_set_aux(&p), EPERM);
	check_int(pip_yield(0), EPERM);
	check_int(n, 1234);
	check_ptr(p, &n);
	check_int(id, 1234);
}

static void without_init(void)
{
	nothing_effective();
	root_init(1);
	root_fin();
	nothing_effective();
}

static pip_id_t my_id(void)
{
	return harness_threads() ? (pip_id_t)pthread_self() : (pip_id_t)getpid();
}

static void in_root(void)
{
	pip_id_t id = 0;
	int n = 1234;

	root_init(7);
	check_int(pip_is_initialized(), INITIALIZED);
	check_int(pip_isa_root(), 1);
	check_int(pip_isa_task(), 0);
	check_int(pip_isa_piptask(), 0);
	check_int(pip_get_pipid(&n), 0);
	check_int(n, PIP_PIPID_ROOT);
	check_int(pip_get_ntasks(&n), 0);
	check_int(n, 7);
	check_int(pip_get_mode(&n), 0);
	check_int(n, TASK_MODE);
	check_str(pip_get_mode_str(), TASK_MODE_NAME);
	check_int(pip_is_threaded(&n), 0);
	check_int(n, harness_threads());
	n = 1234;
	check_int(pip_is_shared_fd(&n), 0);
	check_int(n, harness_threads() ? 0x1000 : 0);
	check_int(pip_get_system_id(PIP_PIPID_ROOT, &id), 0);
	check_int(id, my_id());
	id = 0;
	check_int(pip_get_system_id(PIP_PIPID_MYSELF, &id), 0);
	check_int(id, my_id());
	check_int(pip_yield(PIP_YIELD_DEFAULT), 0);
	check_int(pip_yield(PIP_YIELD_USER), 0);
	check_int(pip_yield(PIP_YIELD_SYSTEM), 0);
	check_int(pip_get_pipid(NULL), 0);
	check_int(pip_get_ntasks(NULL), 0);
	check_int(pip_get_mode(NULL), 0);
	check_int(pip_is_threaded(NULL), 0);
	check_int(pip_is_shared_fd(NULL), 0);
	check_int(pip_get_aux(NULL), 0);
	root_fin();
}

static void in_task(void)
{
	struct view view = { .ntasks = 5, .root = 0 };
	pip_spawn_program_t program;

	root_init(5);
	view.root = my_id();
	for (int i = 0; i < 5; i++) {
		int pipid = (i + 3) % 5;

		view.pipid = pipid;
		view.aux = i ? &view : NULL;
		pip_spawn_from_func(&program, PROG("api"), "api_queries", &view, NULL, view.aux);
		check_int(pip_task_spawn(&program, PIP_CPUCORE_ASIS, 0, &pipid, NULL), 0);
		task_exits(pipid, 0);
	}
	root_fin();
}

static void system_id(void)
{
	pip_id_t id = 1234;
	struct gate gate = { 0 };
	char comm[64], *name;

	root_init(3);
	check_int(pip_get_system_id(PIP_PIPID_ANY, &id), EINVAL);
	check_int(pip_get_system_id(PIP_PIPID_NULL, &id), EINVAL);
	check_int(pip_get_system_id(-123, &id), ERANGE);
	check_int(pip_get_system_id(3, &id), ERANGE);
	check_int(pip_get_system_id(0, &id), ESRCH);
	check_int(id, 1234);
	task_func(PROG("api"), "api_wait_gate", &gate);
	check_int(pip_get_system_id(0, &id), 0);
	check_int(pip_get_system_id(0, NULL), 0);
	check(id != my_id());
	snprintf(comm, sizeof(comm), "/proc/%d/comm", task_pid(0));
	name = file_read(comm);
	check(name && name[0] == '0' && name[1] == TASK_MARK);
	check_str(name + 2, "api");
	free(name);
	gate.open = 1;
	task_exits(0, 0);
	id = 1234;
	check_int(pip_get_system_id(0, &id), ESRCH);
	check_int(id, 1234);
	root_fin();
}

static void time_of_day(void)
{
	struct timespec ts;
	double now = pip_gettime();

	check_int(clock_gettime(CLOCK_REALTIME, &ts), 0);
	check(now > (double)ts.tv_sec - 5 && now < (double)ts.tv_sec + 5);
	sleep_ms(20);
	check(pip_gettime() - now > 0.015);
	check(pip_gettime() - now < 10);
}

static void thread_id(void)
{
	check_int(pip_gettid(), syscall(SYS_gettid));
	root_init(1);
	check_int(pip_gettid(), getpid());
	root_fin();
}

static void aux_in_root(void)
{
	void *p = &p;

	root_init(1);
	check_int(pip_get_aux(&p), 0);
	check_ptr(p, NULL);
	check_int(pip_set_aux(&p), 0);
	check_int(pip_get_aux(&p), 0);
	check_ptr(p, &p);
	root_fin();
	/* The next root has one of its own. */
	root_init(1);
	check_int(pip_get_aux(&p), 0);
	check_ptr(p, NULL);
	root_fin();
}

/* One for each task, in a slot used before, too, and none of them the root's. */
static void aux_in_tasks(void)
{
	pip_spawn_program_t program;
	int values[4];
	void *p;

	root_init(4);
	check_int(pip_set_aux(&p), 0);
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < 4; i++) {
			void *aux = round == 1 ? NULL : &values[i];

			pip_spawn_from_func(&program, PROG("api"), "api_aux", aux, NULL, aux);
			check_int(pip_task_spawn(&program, PIP_CPUCORE_ASIS, 0, NULL, NULL), 0);
		}
		for (int i = 0; i < 4; i++)
			task_exits(i, 0);
	}
	check_int(pip_get_aux(&p), 0);
	check_ptr(p, &p);
	root_fin();
}

static const struct CMUnitTest tests[] = {
	CASE(without_init), CASE(in_root),   CASE(in_task),     CASE(system_id),
	CASE(time_of_day),  CASE(thread_id), CASE(aux_in_root), CASE(aux_in_tasks),
};

TEST_MAIN(tests)
