/*
 * root.c - one root's table of tasks.  Entry functions: root_claim(), root_release().
 * Freestanding.
 */
#include "root.h"

#include <string.h>
#include <sys/prctl.h>

#include <pip/pip.h>

#include "base/str.h"
#include "export.h"

/* slot_of[pipid]: 0 = never used, ROOT_HAD = its task has been waited for, else slot + 1. */
#define ROOT_HAD UINT32_MAX

struct task *root_of(const struct task *t)
{
	return &t->space->task[t->root_slot];
}

struct task *root_task(const struct task *root, int pipid)
{
	uint32_t slot = root->slot_of[pipid];

	return slot == 0 || slot == ROOT_HAD ? NULL : &root->space->task[slot - 1];
}

bool root_had_task(const struct task *root, int pipid)
{
	return root->slot_of[pipid] == ROOT_HAD;
}

int root_create(struct task **rootp, uint32_t mode, pid_t shown, const char *path)
{
	struct task *root;
	int rc = space_create(&root);

	if (rc)
		return rc;
	root->root_slot = root->slot;
	root->pipid = PIP_PIPID_ROOT;
	root->pid = shown;
	if (shown != sys_getpid()) /* a stand-in */
		root->process = sys_getpid();
	/* See embryo/peer.c.  A kernel without CONFIG_CHECKPOINT_RESTORE does not tell. */
	if (sys_gettid() == sys_getpid())
		sys_call(SYS_prctl, PR_GET_TID_ADDRESS, &root->tid_word, 0, 0, 0, 0);
	root->mode = mode;
	/* What a forked child's program maps in the window that it came with is its own. */
	atomic_store(&root->memory.keep_on_fork, 1);
	root->ntasks = PIP_NTASKS_MAX;
	root->last_pipid = -1;
	memset(root->slot_of, 0, sizeof(root->slot_of));
	memset(root->names_of, 0, sizeof(root->names_of));
	if (path) {
		str_copy(root->path, path, sizeof(root->path));
	} else {
		ssize_t n = sys_readlink("/proc/self/exe", root->path, sizeof(root->path) - 1);

		root->path[n > 0 ? n : 0] = '\0';
	}
	*rootp = root;
	return 0;
}

bool root_has_spawned(const struct task *root)
{
	for (int i = 0; i < root->ntasks; i++) {
		const struct task *t = root_task(root, i);

		if (t && !atomic_load(&t->launched))
			return true;
	}
	return false;
}

void root_begin_anew(struct task *root)
{
	kernel_sigset_t mask = lock_acquire(&root->space->lock);

	for (int i = 0; i < TASK_PIPIDS; i++)
		if (!root_task(root, i)) {
			export_forget(root, i);
			root->slot_of[i] = 0;
		}
	export_forget(root, PIP_PIPID_ROOT);
	atomic_store(&root->aux, NULL);
	atomic_store(&root->exported, NULL);
	root->root_export = NULL;
	root->ntasks = PIP_NTASKS_MAX;
	root->last_pipid = -1;
	root->incarnation++; /* by which its segments are nobody's any more */
	atomic_store(&root->segments, 0);
	lock_release(&root->space->lock, mask);
}

int root_enter(struct task *root, int pipid, struct task *t)
{
	kernel_sigset_t mask = lock_acquire(&root->space->lock);
	int rc = -EAGAIN;

	if (pipid == PIP_PIPID_ANY) {
		for (int i = 1; i <= root->ntasks && pipid == PIP_PIPID_ANY; i++)
			if (!root_task(root, (root->last_pipid + i) % root->ntasks))
				pipid = (root->last_pipid + i) % root->ntasks;
	} else if (root_task(root, pipid)) {
		pipid = PIP_PIPID_ANY;
	}
	if (pipid != PIP_PIPID_ANY) {
		t->pipid = pipid;
		t->root_slot = root->slot;
		if (root->mode != PIP_MODE_PTHREAD || !t->launched)
			t->mode = root->mode;
		t->ntasks = root->ntasks;
		t->quiet = root->quiet;
		t->root_export = root->root_export;
		export_forget(root, pipid);
		root->slot_of[pipid] = t->slot + 1;
		root->last_pipid = pipid;
		rc = 0;
	}
	lock_release(&root->space->lock, mask);
	if (!rc)
		export_announce(root);
	return rc;
}

int root_claim(struct task *root, int pipid, struct task **tp)
{
	int rc;

	*tp = space_claim_slot(root->space);
	if (!*tp)
		return -EAGAIN;
	rc = root_enter(root, pipid, *tp);
	if (rc) {
		space_free_slot(*tp);
	} else if (root->mode == PIP_MODE_PTHREAD) {
		(*tp)->thread.on = 1;
		(*tp)->process = task_process(root);
	}
	return rc;
}

void root_forget(struct task *root, struct task *t)
{
	kernel_sigset_t mask = lock_acquire(&root->space->lock);

	/* A task that never ran leaves no trace: imports from its pipid go on waiting. */
	root->slot_of[t->pipid] = atomic_load(&t->spawned) || atomic_load(&t->launched) ? ROOT_HAD
											: 0;
	lock_release(&root->space->lock, mask);
}

void root_release(struct task *root, struct task *t)
{
	root_forget(root, t);
	space_free_slot(t);
}
