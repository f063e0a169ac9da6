/*
 * lib.c - the front door: the functions of <pip/pip.h>.  Checks arguments, makes one call
 * inward, turns -errno into the positive code of the interface.  The odd helpers are in util.c.
 */
#include <limits.h>
#include <pip/pip.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>
#include <unistd.h>

#include "barrier.h"
#include "export.h"
#include "join.h"
#include "lib.h"
#include "log.h"
#include "mode.h"
#include "root.h"
#include "self.h"
#include "signals.h"
#include "spawn.h"
#include "thread.h"
#include "wait.h"

/* ---- Who calls whom ------------------------------------------------------------------------ */

/* A target PIPID: PIP_PIPID_ROOT or 0 ... ntasks-1 in *pipidp afterwards. */
static int check_target(int *pipidp)
{
	const struct task *me = self_task();

	if (!me)
		return EPERM;
	switch (*pipidp) {
	case PIP_PIPID_ANY:
	case PIP_PIPID_NULL:
		return EINVAL;
	case PIP_PIPID_MYSELF:
		*pipidp = me->pipid;
		return 0;
	case PIP_PIPID_ROOT:
		return kill(root_of(me)->pid, 0) && errno == ESRCH ? EACCES : 0;
	default:
		return *pipidp < 0 || *pipidp >= me->ntasks ? ERANGE : 0;
	}
}

/* The record behind a checked target PIPID, NULL if there is none. */
static struct task *target(int pipid)
{
	struct task *root = root_of(self_task());

	return pipid == PIP_PIPID_ROOT ? root : root_task(root, pipid);
}

int lib_live_target(int pipid, struct task **tp)
{
	int rc = check_target(&pipid);

	if (rc)
		return rc;
	*tp = target(pipid);
	return *tp && atomic_load(&(*tp)->state) == TASK_LIVE && atomic_load(&(*tp)->pid) ? 0
											  : ESRCH;
}

/* ---- Joining and leaving ------------------------------------------------------------------- */

PIP_API int pip_init(int *pipidp, int *ntasksp, void **root_expp, int opts)
{
	const struct task *me = self_task();

	if (!self_is_task()) {
		int rc = join_as_root(ntasksp, root_expp ? *root_expp : NULL, opts);

		if (!rc && pipidp)
			*pipidp = PIP_PIPID_ROOT;
		return -rc;
	}
	if (pipidp)
		*pipidp = me->pipid;
	if (ntasksp)
		*ntasksp = me->ntasks;
	if (root_expp && me->root_export)
		*root_expp = me->root_export;
	return 0;
}

PIP_API int pip_fin(void)
{
	if (!self_task())
		return EPERM;
	return self_is_root() ? -join_leave(self_task()) : 0;
}

PIP_API int pip_is_initialized(void)
{
	const struct task *me = self_task();

	if (!me)
		return 0;
	return me->mode == PIP_MODE_PTHREAD ? PIP_MODE_PTHREAD : PIP_MODE_PROCESS;
}

/* ---- Spawning and waiting ------------------------------------------------------------------ */

PIP_API int pip_task_spawn(pip_spawn_program_t *progp, uint32_t coreno, uint32_t opts, int *pipidp,
			   pip_spawn_hook_t *hookp)
{
	int pipid = pipidp ? *pipidp : PIP_PIPID_ANY, rc;

	(void)opts;
	if (!progp)
		return EINVAL;
	if (!self_is_root())
		return EPERM;
	if (!progp->prog || (!progp->funcname && (!progp->argv || !progp->argv[0])))
		return EINVAL;
	if (pipid != PIP_PIPID_ANY && (pipid < 0 || pipid >= self_task()->ntasks))
		return EINVAL;
	if (!spawn_core_valid(coreno))
		return EINVAL;
	rc = spawn_task(self_task(), progp, coreno, &pipid, hookp);
	if (!rc && pipidp)
		*pipidp = pipid;
	return -rc;
}

PIP_API int pip_spawn(char *filename, char **argv, char **envv, int coreno, int *pipidp,
		      pip_spawnhook_t before, pip_spawnhook_t after, void *hookarg)
{
	pip_spawn_program_t program;
	pip_spawn_hook_t hook;

	if (!filename || !argv)
		return EINVAL;
	pip_spawn_from_main(&program, filename, argv, envv, NULL);
	pip_spawn_hook(&hook, before, after, hookarg);
	return pip_task_spawn(&program, (uint32_t)coreno, 0, pipidp, &hook);
}

static int wait_for(int pipid, bool block, int *status)
{
	int rc;

	if (!self_is_root())
		return EPERM;
	rc = check_target(&pipid);
	if (rc)
		return rc;
	if (pipid == PIP_PIPID_ROOT)
		return EDEADLK;
	return -wait_task(self_task(), pipid, block, status);
}

PIP_API int pip_wait(int pipid, int *status)
{
	return wait_for(pipid, true, status);
}

PIP_API int pip_trywait(int pipid, int *status)
{
	return wait_for(pipid, false, status);
}

PIP_API int pip_wait_any(int *pipid, int *status)
{
	return self_is_root() ? -wait_any(self_task(), true, pipid, status) : EPERM;
}

PIP_API int pip_trywait_any(int *pipid, int *status)
{
	return self_is_root() ? -wait_any(self_task(), false, pipid, status) : EPERM;
}

/* ---- Export and import --------------------------------------------------------------------- */

/* The name that a format makes, for the caller to free; *rc 0 or ENOMEM. */
__attribute__((format(printf, 1, 0))) static char *make_name(const char *format, va_list ap,
							     int *rc)
{
	char *name = NULL;

	if (!format)
		name = strdup("");
	else if (vasprintf(&name, format, ap) < 0)
		name = NULL;
	*rc = name ? 0 : ENOMEM;
	return name;
}

PIP_API int pip_named_export(void *exp, const char *format, ...)
{
	va_list ap;
	char *name;
	int rc;

	if (!self_task())
		return EPERM;
	va_start(ap, format);
	name = make_name(format, ap, &rc);
	va_end(ap);
	if (name)
		rc = -export_named(self_task(), name, exp);
	free(name);
	return rc;
}

__attribute__((format(printf, 4, 0))) static int import(int pipid, bool block, void **expp,
							const char *format, va_list ap)
{
	int rc = check_target(&pipid);
	char *name;

	if (rc)
		return rc;
	name = make_name(format, ap, &rc);
	if (name)
		rc = -export_import(self_task(), pipid, name, block, expp);
	free(name);
	return rc;
}

PIP_API int pip_named_import(int pipid, void **expp, const char *format, ...)
{
	va_list ap;
	int rc;

	va_start(ap, format);
	rc = import(pipid, true, expp, format, ap);
	va_end(ap);
	return rc;
}

PIP_API int pip_named_tryimport(int pipid, void **expp, const char *format, ...)
{
	va_list ap;
	int rc;

	va_start(ap, format);
	rc = import(pipid, false, expp, format, ap);
	va_end(ap);
	return rc;
}

PIP_API int pip_export(void *exp)
{
	void *nothing = NULL;

	if (!self_task())
		return EPERM;
	if (!exp)
		return EINVAL;
	return atomic_compare_exchange_strong(&self_task()->exported, &nothing, exp) ? 0 : EBUSY;
}

PIP_API int pip_import(int pipid, void **expp)
{
	int rc = check_target(&pipid);
	struct task *t;

	if (rc)
		return rc;
	t = target(pipid);
	if (!t)
		return ESRCH;
	if (expp)
		*expp = atomic_load(&t->exported);
	return 0;
}

PIP_API int pip_set_aux(void *aux)
{
	if (!self_task())
		return EPERM;
	atomic_store(&self_task()->aux, aux);
	return 0;
}

PIP_API int pip_get_aux(void **auxp)
{
	if (!self_task())
		return EPERM;
	if (auxp)
		*auxp = atomic_load(&self_task()->aux);
	return 0;
}

/* ---- Queries ------------------------------------------------------------------------------- */

static int answer(int *p, int value)
{
	if (!self_task())
		return EPERM;
	if (p)
		*p = value;
	return 0;
}

PIP_API int pip_get_pipid(int *pipidp)
{
	return answer(pipidp, self_task() ? self_task()->pipid : 0);
}

PIP_API int pip_get_ntasks(int *ntasksp)
{
	return answer(ntasksp, self_task() ? self_task()->ntasks : 0);
}

PIP_API int pip_get_mode(int *modep)
{
	return answer(modep, self_task() ? (int)self_task()->mode : 0);
}

PIP_API const char *pip_get_mode_str(void)
{
	return self_task() ? mode_name(self_task()->mode) : NULL;
}

static int is_thread_mode(void)
{
	return self_task() && self_task()->mode == PIP_MODE_PTHREAD;
}

PIP_API int pip_is_threaded(int *flagp)
{
	return answer(flagp, is_thread_mode());
}

PIP_API int pip_is_shared_fd(int *flagp)
{
	return answer(flagp, is_thread_mode() ? PIP_MODE_PTHREAD : 0);
}

PIP_API int pip_get_system_id(int pipid, pip_id_t *idp)
{
	struct task *t;
	int rc = lib_live_target(pipid, &t);

	if (!rc && idp)
		*idp = is_thread_mode() ? thread_handle(t) : (pip_id_t)atomic_load(&t->pid);
	return rc;
}

PIP_API int pip_isa_root(void)
{
	return self_is_root();
}

PIP_API int pip_isa_task(void)
{
	return self_is_task();
}

PIP_API int pip_isa_piptask(void)
{
	return self_is_task() && task_on_main_thread(self_task());
}

PIP_API double pip_gettime(void)
{
	struct timeval tv;

	gettimeofday(&tv, NULL);
	return (double)tv.tv_sec + (double)tv.tv_usec * 1e-6;
}

/* ---- Termination and signals --------------------------------------------------------------- */

PIP_API void pip_exit(int status)
{
	exit(status);
}

PIP_API void pip_abort(void)
{
	signals_abort();
}

PIP_API int pip_kill_all_child_tasks(void)
{
	if (!self_is_root())
		return EPERM;
	join_kill_all(self_task(), false);
	return 0;
}

PIP_API int pip_kill_all_tasks(void)
{
	return pip_kill_all_child_tasks();
}

PIP_API int pip_kill(int pipid, int signum)
{
	int rc = check_target(&pipid);

	return rc ? rc : -signals_kill(self_task(), pipid, signum);
}

PIP_API int pip_sigmask(int how, const sigset_t *sigmask, sigset_t *oldmask)
{
	if (!self_task())
		return EPERM;
	return sigprocmask(how, sigmask, oldmask) ? errno : 0;
}

PIP_API int pip_signal_wait(int signum)
{
	sigset_t set;
	int got, rc;

	if (!self_task())
		return EPERM;
	sigemptyset(&set);
	if (sigaddset(&set, signum))
		return EINVAL;
	do
		rc = sigwait(&set, &got);
	while (rc == EINTR);
	return rc;
}

/* ---- Synchronisation ----------------------------------------------------------------------- */

PIP_API int pip_yield(int flag)
{
	(void)flag;
	if (!self_task())
		return EPERM;
	sched_yield();
	return 0;
}

PIP_API int pip_barrier_init(pip_barrier_t *barrp, int n)
{
	if (!self_task())
		return EPERM;
	if (!barrp || n <= 0)
		return EINVAL;
	barrier_init(barrp, n);
	return 0;
}

PIP_API int pip_barrier_wait(pip_barrier_t *barrp)
{
	barrier_wait(barrp);
	return 0;
}

PIP_API int pip_barrier_fin(pip_barrier_t *barrp)
{
	if (!self_task())
		return EPERM;
	return barrp ? -barrier_fin(barrp) : EINVAL;
}

/* The space's locks are taken across calls, so the signal mask cannot stay blocked meanwhile. */
static void keep_lock(struct lock *l)
{
	kernel_sigset_t before = lock_acquire(l);

	sys_sigmask(SIG_SETMASK, &before, NULL);
}

static void drop_lock(struct lock *l)
{
	kernel_sigset_t now;

	sys_sigmask(SIG_BLOCK, NULL, &now);
	lock_release(l, now);
}

PIP_API void pip_libc_lock(void)
{
	struct space *sp = self_task() ? self_task()->space : NULL;

	if (!sp)
		return;
	if (!lock_is_mine(&sp->libc_lock)) {
		keep_lock(&sp->libc_lock);
		sp->libc_depth = 0; /* its last holder may have died with it */
	}
	sp->libc_depth++;
}

PIP_API void pip_libc_unlock(void)
{
	struct space *sp = self_task() ? self_task()->space : NULL;

	if (sp && lock_is_mine(&sp->libc_lock) && --sp->libc_depth == 0)
		drop_lock(&sp->libc_lock);
}

PIP_API void pip_glibc_lock(void)
{
	pip_libc_lock();
}

PIP_API void pip_glibc_unlock(void)
{
	pip_libc_unlock();
}

PIP_API void pip_universal_lock(void)
{
	if (self_task())
		keep_lock(&self_task()->space->universal_lock);
}

PIP_API void pip_universal_unlock(void)
{
	if (self_task() && lock_is_mine(&self_task()->space->universal_lock))
		drop_lock(&self_task()->space->universal_lock);
}
