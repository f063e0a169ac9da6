/* spawn.h - starting a task. */
#ifndef SPAWN_H
#define SPAWN_H

#include <pip/pip.h>

#include "task.h"

/* pip_task_spawn() after its argument checks; pipid is in range or PIP_PIPID_ANY.  0 or -errno. */
int spawn_task(struct task *root, const pip_spawn_program_t *program, uint32_t coreno, int *pipidp,
	       const pip_spawn_hook_t *hook);

/* Is this a valid coreno? */
bool spawn_core_valid(uint32_t coreno);

#endif
