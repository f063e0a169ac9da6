/*
 * wait.c - a task's end.  Entry functions: wait_task(), wait_any().
 *
 * The kernel tells when a task's process is gone, all its threads included: wait(2) reports it
 * only then, and by then none of them uses the shared memory any more.
 */
#include "wait.h"

#include <pip/pip.h>
#include <signal.h>
#include <sys/wait.h>

#include "carrier.h"
#include "embryo/birth.h"
#include "embryo/window.h"
#include "export.h"
#include "log.h"
#include "namespace.h"
#include "root.h"
#include "stop.h"
#include "thread.h"
#include "trouble.h"

static int wait_word(const siginfo_t *info)
{
	switch (info->si_code) {
	case CLD_EXITED:
		return (info->si_status & 0xff) << 8;
	case CLD_DUMPED:
		return info->si_status | 0x80;
	default:
		return info->si_status;
	}
}

/* Has this task ended?  1, 0, or -ECHILD if its process is nobody's child any more. */
static int ended(struct task *t, int flags, int *word)
{
	siginfo_t info = { .si_pid = 0 };
	int rc;

	if (t->thread.on)
		return thread_ended(t, !(flags & WNOHANG), word);
	do
		rc = waitid(P_PID, (id_t)t->pid, &info, WEXITED | flags);
	while (rc && errno == EINTR);
	if (rc)
		return -errno;
	if (info.si_pid == 0)
		return 0;
	*word = wait_word(&info);
	return 1;
}

int wait_peek(struct task *t, int *status)
{
	int rc = ended(t, WNOWAIT, status);

	return rc < 0 ? rc : 0;
}

bool wait_has_ended(struct task *t)
{
	int word;

	return ended(t, WNOWAIT | WNOHANG, &word) != 0;
}

/* What the task itself noted about its end goes before what the kernel can express. */
static int final_status(struct task *t, int word)
{
	uint32_t signal = atomic_load(&t->end_signal), code = atomic_load(&t->end_code);

	if (signal && WIFEXITED(word) && (uint32_t)WEXITSTATUS(word) == (signal & 0xff))
		return (int)signal;
	if (code && WIFEXITED(word) && WEXITSTATUS(word) == 0)
		return (int)(code & 0xff) << 8;
	return word;
}

int wait_collect(struct task *root, struct task *t, int *status)
{
	uint32_t live = TASK_LIVE;
	struct name_space *ns;
	int word = 0;
	bool kept;

	/* One of several waiting threads gets it. */
	if (!atomic_compare_exchange_strong(&t->state, &live, TASK_ENDED))
		return -ECHILD;
	/* This fails if the program has waited for the process itself, and its status with it. */
	ended(t, 0, &word);
	if (status)
		*status = final_status(t, word);
	if (t->thread.cancelled)
		log_warn("PiP Task [%d] is canceled", t->pipid);
	trouble_ended(t, word);
	lock_recover(&t->space->libc_lock);
	lock_recover(&t->space->universal_lock);
	export_close(t);
	stop_reap(t);
	carrier_stop(t->hooks.carrier, t->hooks.inside);
	ns = namespace_leave(t);
	kept = birth_keep_memory(t); /* from then on the record may be another's at any moment */
	namespace_close(ns, kept);
	if (!kept) {
		birth_bereave(t);
		window_close(t);
		root_release(root, t);
	}
	birth_collect(root); /* what its children left */
	return 0;
}

/* Until pip_spawn() has returned, a task is the spawning thread's, whatever becomes of it. */
static bool is_task(const struct task *t)
{
	return t && atomic_load(&t->state) == TASK_LIVE && atomic_load(&t->spawned);
}

int wait_task(struct task *root, int pipid, bool block, int *status)
{
	struct task *t = root_task(root, pipid);
	int word, rc;

	if (!is_task(t))
		return -ECHILD;
	rc = ended(t, WNOWAIT | (block ? 0 : WNOHANG), &word);
	if (rc == 0)
		return -ECHILD;
	return wait_collect(root, t, status);
}

/* The first ended task behind *from; *live counts those that have not ended. */
static struct task *scan(struct task *root, int from, int *live)
{
	*live = 0;
	for (int i = 0; i < root->ntasks; i++) {
		struct task *t = root_task(root, (from + i) % root->ntasks);

		if (!is_task(t))
			continue;
		if (wait_has_ended(t))
			return t;
		++*live;
	}
	return NULL;
}

int wait_any(struct task *root, bool block, int *pipidp, int *status)
{
	static _Atomic int next; /* for fairness */
	/* SIGCHLD announces an end.  It may go to another thread of the root that does not
	 * block it, so it is not relied upon alone. */
	struct timespec limit = { 0, 50000000 };
	sigset_t set;
	int live;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	for (;;) {
		uint32_t ends = thread_ends(root);
		struct task *t = scan(root, next % root->ntasks, &live);

		if (t) {
			int pipid = t->pipid;

			if (wait_collect(root, t, status))
				continue;
			next = pipid + 1;
			if (pipidp)
				*pipidp = pipid;
			return 0;
		}
		if (live == 0 || !block)
			return -ECHILD;
		if (root->mode == PIP_MODE_PTHREAD)
			thread_await_end(root, ends);
		else
			sigtimedwait(&set, NULL, &limit);
	}
}
