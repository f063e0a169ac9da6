/*
 * example.h - what the examples have in common: check(), the shortest error handling that says what
 * went wrong; and collect(), for the end of a root.
 */
#ifndef EXAMPLE_H
#define EXAMPLE_H

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <pip/pip.h>

/* For calls that return 0 or an error number: those of PiP and of pthreads. */
static inline void check(int err, const char *what)
{
	if (err) {
		fprintf(stderr, "%s: %s\n", what, strerror(err));
		exit(EXIT_FAILURE); /* in the root, this ends the tasks as well */
	}
}

/*
 * Waits for the ntasks tasks of this root.  Once one has failed the rest are ended, as they might
 * wait for it for ever.  Returns how many have failed.
 */
static inline int collect(int ntasks)
{
	int failed = 0;

	for (int i = 0; i < ntasks; i++) {
		int pipid, status;

		check(pip_wait_any(&pipid, &status), "pip_wait_any");
		if (status && !failed++) {
			fprintf(stderr, "task %d has failed: wait status 0x%x\n", pipid,
				(unsigned)status);
			pip_kill_all_child_tasks();
		}
	}
	check(pip_fin(), "pip_fin");
	return failed;
}

#endif
