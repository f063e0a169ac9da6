/* mode.h - which mode a root runs its tasks in. */
#ifndef MODE_H
#define MODE_H

#include <stdbool.h>
#include <stdint.h>

/* From pip_init's opts and the environment's PIP_MODE; a PIP_MODE_* value in *modep.
 * 0, -EINVAL or -EPERM (with a message that says why). */
int mode_negotiate(int opts, uint32_t *modep);

/* Does PIP_MODE let an unmodified launcher have tasks?  Says why not. */
bool mode_intercepts(void);

/* "process:pipclone" and the like. */
const char *mode_name(uint32_t mode);

/* The letter between prefix and name in a task's comm. */
char mode_mark(uint32_t mode);

#endif
