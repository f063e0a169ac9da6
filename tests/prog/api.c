/* api.c - start functions that use the PiP API from inside a task; api.h has their arguments. */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "api.h"
#include "prog.h"

static int is_thread(void)
{
	const char *mode = getenv("HARNESS_MODE");

	return mode && strcmp(mode, "pthread") == 0;
}

static uint32_t my_mode(void)
{
	const char *mode = getenv("HARNESS_MODE");

	if (mode && (strcmp(mode, "process:got") == 0 || strcmp(mode, "process:preload") == 0))
		return PIP_MODE_PROCESS_PRELOAD;
	return is_thread() ? PIP_MODE_PTHREAD : PIP_MODE_PROCESS_PIPCLONE;
}

static const char *my_mode_name(void)
{
	return my_mode() == PIP_MODE_PTHREAD           ? "pthread"
	       : my_mode() == PIP_MODE_PROCESS_PRELOAD ? "process:preload"
						       : "process:pipclone";
}

static pip_id_t my_id(void)
{
	return is_thread() ? (pip_id_t)pthread_self() : (pip_id_t)getpid();
}

static int at_constructor = -1, pipid_at_constructor = -1;

static __attribute__((constructor)) void constructor(void)
{
	at_constructor = pip_is_initialized();
	pipid_at_constructor = pip_get_pipid(NULL);
}

/* Constructors run before the library is effective, everything else after. */
START(api_constructor)
{
	(void)arg;
	EXPECT_INT(at_constructor, 0);
	EXPECT_INT(pipid_at_constructor, EPERM);
	EXPECT(pip_is_initialized() != 0);
	EXPECT_INT(pip_get_pipid(NULL), 0);
	return 0;
}

/* Every query, before and without pip_init(). */
START(api_queries)
{
	const struct view *v = arg;
	int n = -1;
	void *p = NULL;
	pip_id_t id = 0;

	EXPECT_INT(pip_is_initialized(), is_thread() ? 0x1000 : 0x500);
	EXPECT_INT(pip_isa_root(), 0);
	EXPECT_INT(pip_isa_task(), 1);
	EXPECT_INT(pip_isa_piptask(), 1);
	EXPECT_INT(pip_get_pipid(&n), 0);
	EXPECT_INT(n, v->pipid);
	EXPECT_INT(pip_get_ntasks(&n), 0);
	EXPECT_INT(n, v->ntasks);
	EXPECT_INT(pip_get_mode(&n), 0);
	EXPECT_INT(n, my_mode());
	EXPECT(strcmp(pip_get_mode_str(), my_mode_name()) == 0);
	n = -1;
	EXPECT_INT(pip_is_threaded(&n), 0);
	EXPECT_INT(n, is_thread());
	n = -1;
	EXPECT_INT(pip_is_shared_fd(&n), 0);
	EXPECT_INT(n, is_thread() ? 0x1000 : 0);
	EXPECT_INT(pip_get_system_id(v->pipid, &id), 0);
	EXPECT_INT(id, my_id());
	id = 0;
	EXPECT_INT(pip_get_system_id(PIP_PIPID_MYSELF, &id), 0);
	EXPECT_INT(id, my_id());
	EXPECT_INT(pip_get_system_id(PIP_PIPID_ROOT, &id), 0);
	EXPECT_INT(id, v->root);
	EXPECT_INT(pip_get_aux(&p), 0);
	EXPECT(p == v->aux);
	EXPECT_INT(pip_get_pipid(NULL), 0);
	EXPECT_INT(pip_get_ntasks(NULL), 0);
	EXPECT_INT(pip_get_mode(NULL), 0);
	EXPECT_INT(pip_is_threaded(NULL), 0);
	EXPECT_INT(pip_is_shared_fd(NULL), 0);
	EXPECT_INT(pip_get_aux(NULL), 0);
	EXPECT_INT(pip_yield(PIP_YIELD_DEFAULT), 0);
	EXPECT(is_thread() || getppid() == (pid_t)v->root);
	EXPECT_INT(pip_gettid(), is_thread() ? (pid_t)syscall(SYS_gettid) : getpid());
	return 0;
}

/* pip_init() in a task: always 0, whatever opts; pip_fin(): always 0, without effect. */
START(api_init)
{
	const struct view *v = arg;

	for (int i = 0; i < 3; i++) {
		static int untouched;
		int pipid = -1, ntasks = -1;
		void *exp = &untouched;

		EXPECT_INT(pip_init(&pipid, &ntasks, &exp, i ? 0x1234567 : 0), 0);
		EXPECT_INT(pipid, v->pipid);
		EXPECT_INT(ntasks, v->ntasks);
		EXPECT(exp == (v->root_exp ? v->root_exp : &untouched));
		EXPECT_INT(pip_init(NULL, NULL, NULL, PIP_MODE_PTHREAD | PIP_MODE_PROCESS), 0);

		EXPECT_INT(pip_fin(), 0);
		EXPECT_INT(pip_fin(), 0);
		EXPECT_INT(pip_is_initialized(), is_thread() ? 0x1000 : 0x500);
		EXPECT_INT(pip_isa_task(), 1);
		EXPECT_INT(pip_get_pipid(&pipid), 0);
		EXPECT_INT(pipid, v->pipid);
	}
	return 0;
}

START(api_aux)
{
	void *p = NULL;

	EXPECT_INT(pip_get_aux(&p), 0);
	EXPECT(p == arg);
	EXPECT_INT(pip_set_aux(&p), 0);
	EXPECT_INT(pip_get_aux(&p), 0);
	EXPECT(p == &p);
	EXPECT_INT(pip_set_aux(NULL), 0);
	EXPECT_INT(pip_get_aux(&p), 0);
	EXPECT(p == NULL);
	return 0;
}

/* What only a root may do. */
START(api_root_only)
{
	char *argv[] = { "true", NULL };
	int pipid = PIP_PIPID_ANY, status = 1234;
	pip_spawn_program_t program;

	(void)arg;
	pip_spawn_from_main(&program, NULL, argv, NULL, NULL);
	for (int round = 0; round < 2; round++) {
		EXPECT_INT(pip_task_spawn(NULL, 0, 0, NULL, NULL), EINVAL);
		EXPECT_INT(pip_task_spawn(&program, PIP_CPUCORE_ASIS, 0, &pipid, NULL), EPERM);
		EXPECT_INT(pip_spawn("true", argv, NULL, 0, &pipid, NULL, NULL, NULL), EPERM);
		EXPECT_INT(pipid, PIP_PIPID_ANY);
		EXPECT_INT(pip_wait(0, &status), EPERM);
		EXPECT_INT(pip_trywait(0, &status), EPERM);
		EXPECT_INT(pip_wait_any(&pipid, &status), EPERM);
		EXPECT_INT(pip_trywait_any(&pipid, &status), EPERM);
		EXPECT_INT(pip_wait(PIP_PIPID_MYSELF, NULL), EPERM);
		EXPECT_INT(pip_wait(-123, NULL), EPERM);
		EXPECT_INT(pip_kill_all_child_tasks(), EPERM);
		EXPECT_INT(pip_kill_all_tasks(), EPERM);
		EXPECT_INT(status, 1234);

		/* The same once more, with a signal pending. */
		sigset_t usr1;

		sigemptyset(&usr1);
		sigaddset(&usr1, SIGUSR1);
		EXPECT_INT(pip_sigmask(SIG_BLOCK, &usr1, NULL), 0);
		EXPECT_INT(pip_kill(PIP_PIPID_MYSELF, SIGUSR1), 0);
	}
	return 0;
}

START(api_wait_gate)
{
	struct gate *g = arg;

	atomic_fetch_add(&g->here, 1);
	WAIT_FOR(g->open);
	return 0;
}

/* As api_wait_gate(), and tells where its variable is. */
START(api_variable)
{
	static int variable = 42;
	struct view *v = arg;

	v->pid = getpid();
	v->variable = &variable;
	v->done = 1;
	WAIT_FOR(v->done == 2);
	return variable;
}

START(api_return)
{
	return (int)(intptr_t)arg;
}

/* Only the symbol table knows it. */
static __attribute__((noinline, used)) int api_static(void *arg)
{
	return (int)(intptr_t)arg + 1;
}

int main(int argc, char **argv)
{
	/* api fin N: leave PiP first, then main's value counts as ever */
	if (argc == 3 && strcmp(argv[1], "fin") == 0) {
		EXPECT_INT(pip_fin(), 0);
		return atoi(argv[2]);
	}
	/* api pip_exit N */
	if (argc == 3 && strcmp(argv[1], "pip_exit") == 0)
		pip_exit(atoi(argv[2]));
	/* api fin-pip_exit N */
	if (argc == 3 && strcmp(argv[1], "fin-pip_exit") == 0) {
		EXPECT_INT(pip_fin(), 0);
		pip_exit(atoi(argv[2]));
	}
	return EXPECT_FAILED;
}
