/*
 * join.c - how a program becomes a root, and ends being one.
 * Entry functions: join_as_root(), join_leave().
 */
#include "join.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <pip/pip.h>

#include "copies.h"
#include "embryo/thread.h"
#include "embryo/window.h"
#include "log.h"
#include "mode.h"
#include "namespace.h"
#include "root.h"
#include "self.h"
#include "shim.h"
#include "signals.h"
#include "thread_once.h"
#include "trouble.h"

_Static_assert(PIP_NTASKS_MAX == TASK_PIPIDS, "the tables of a root");

static bool is_root; /* like self_is_root(), but a forked child still sees it */

static void name_root(struct task *root)
{
	char comm[16], name[20];

	prctl(PR_GET_NAME, comm);
	comm[15] = '\0';
	snprintf(name, sizeof(name), "R%c%s", mode_mark(root->mode), comm);
	name[15] = '\0';
	prctl(PR_SET_NAME, name);
}

static void unname_root(void)
{
	char comm[16];

	prctl(PR_GET_NAME, comm);
	comm[15] = '\0';
	if (comm[0] == 'R' && comm[1])
		prctl(PR_SET_NAME, comm + 2);
}

/* A forked child of a root is an ordinary process, which may become a root itself. */
static void after_fork_in_child(void)
{
	sigset_t mask;

	if (!is_root)
		return;
	is_root = false;
	thread_signals_give_back();
	unname_root();
	sigemptyset(&mask);
	sigaddset(&mask, SIGCHLD);
	pthread_sigmask(SIG_UNBLOCK, &mask, NULL);
}

static void before_fork(void)
{
	if (self_is_root())
		window_leave_out(self_task()->space, NULL);
}

static void watch_forks(void)
{
	pthread_atfork(before_fork, NULL, after_fork_in_child);
}

/* The record of this program as a root, whether it says so itself or is one unawares. */
static int make_root(struct task **rootp, uint32_t mode)
{
	int rc = root_create(rootp, mode, getpid(), NULL);

	if (rc)
		return rc;
	(*rootp)->quiet = getenv(PIP_ENV_QUIET) != NULL;
	trouble_init(*rootp);
	atomic_store(&(*rootp)->state, TASK_LIVE);
	return 0;
}

int join_as_launcher(struct task **rootp)
{
	return make_root(rootp, PIP_MODE_PROCESS_PRELOAD);
}

int join_as_root(int *ntasksp, void *export, int opts)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	int ntasks = ntasksp ? *ntasksp : PIP_NTASKS_MAX, rc;
	struct task *root = shim_launcher();
	bool is_new = !root;
	bool namespaces = false;
	sigset_t mask;
	uint32_t mode = 0;

	if (self_is_root())
		return -EBUSY;
	if (ntasks <= 0)
		return -EINVAL;
	if (ntasks > PIP_NTASKS_MAX)
		return -EOVERFLOW;
	rc = mode_negotiate(opts, &mode);
	if (!rc)
		rc = namespace_wanted(&namespaces);
	if (rc)
		return rc;
	pthread_sigmask(SIG_SETMASK, NULL, &mask);
	if (sigismember(&mask, SIGCHLD)) {
		log_err("SIGCHLD is being masked (blocked)");
		return -EPERM;
	}
	/* It may be one already, by what it has launched. */
	rc = is_new ? make_root(&root, mode) : 0;
	if (rc) {
		log_err("unable to create the space: %s", strerror(-rc));
		return rc;
	}
	if (mode == PIP_MODE_PROCESS_PRELOAD && is_new) {
		rc = shim_start(root);
		if (rc)
			log_err("mode process:preload: its calls cannot be intercepted: %s",
				strerror(-rc));
	}
	if (!rc)
		rc = self_set(root);
	if (rc) {
		if (is_new && !root->space->intercepts)
			space_destroy(root->space);
		return rc;
	}
	root->mode = mode;
	root->ntasks = ntasks;
	root->root_export = export;
	root->namespaces = namespaces;
	sigemptyset(&mask);
	sigaddset(&mask, SIGCHLD);
	pthread_sigmask(SIG_BLOCK, &mask, NULL);
	thread_once();
	signals_install();
	name_root(root);
	is_root = true;
	pthread_once(&once, watch_forks);
	return 0;
}

int join_leave(struct task *root)
{
	struct space *sp = root->space;
	sigset_t mask;

	if (root_has_spawned(root))
		return -EBUSY;
	signals_restore();
	unname_root();
	is_root = false;
	self_set(NULL);
	if (sp->intercepts) { /* it may have launched others, who live on */
		root_begin_anew(root);
	} else {
		copies_forget();
		space_destroy(sp);
	}
	sigemptyset(&mask);
	sigaddset(&mask, SIGCHLD);
	pthread_sigmask(SIG_UNBLOCK, &mask, NULL);
	return 0;
}

void join_kill_all(struct task *root, bool say)
{
	for (int i = 0; i < root->ntasks; i++) {
		struct task *t = root_task(root, i);
		siginfo_t info = { .si_pid = 0 };

		if (!t || atomic_load(&t->state) != TASK_LIVE || atomic_load(&t->pid) <= 0 ||
		    t->launched) /* as a launcher's children they outlive it */
			continue;
		if (t->thread.on) {
			if (say && !atomic_load(&t->thread.ended))
				log_info("PiP task %d is still running and killed", i);
			if (atomic_load(&t->spawned))
				thread_kill(t, SIGKILL);
			continue;
		}
		if (waitid(P_PID, (id_t)t->pid, &info, WEXITED | WNOHANG | WNOWAIT) || info.si_pid)
			continue; /* ended already: its status stays what it is */
		if (say)
			log_info("PiP task %d is still running and killed", i);
		kill(t->pid, SIGKILL);
	}
}
