/*
 * root.c - one root's table of tasks.  Entry functions: root_claim(), root_release().
 * Freestanding.
 */
#include "root.h"

#include <pip/pip.h>

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
		t->mode = root->mode;
		t->ntasks = root->ntasks;
		t->quiet = root->quiet;
		t->root_export = root->root_export;
		export_forget(root, pipid);
		root->slot_of[pipid] = t->slot + 1;
		root->last_pipid = pipid;
		root->nspawned++;
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
	if (rc)
		space_free_slot(*tp);
	return rc;
}

void root_release(struct task *root, struct task *t)
{
	kernel_sigset_t mask = lock_acquire(&root->space->lock);

	/* A task that never ran leaves no trace: imports from its pipid go on waiting. */
	root->slot_of[t->pipid] = atomic_load(&t->spawned) || atomic_load(&t->launched) ? ROOT_HAD
											: 0;
	root->nspawned--;
	lock_release(&root->space->lock, mask);
	space_free_slot(t);
}
