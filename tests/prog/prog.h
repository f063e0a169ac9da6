/*
 * prog.h - for the programs that tests run as tasks.
 *
 * A task tells by its exit code that something was not as it should be, and on stderr what.
 */
#ifndef PROG_H
#define PROG_H

#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define EXPECT_FAILED 99

/* A function that can be started as a task. */
#define START(name)                                                                                \
	int name(void *);                                                                          \
	int name(void *arg)

#define EXPECT_INT(expr, want)                                                                     \
	do {                                                                                       \
		intmax_t got_ = (expr), want_ = (want);                                            \
		if (got_ != want_) {                                                               \
			dprintf(STDERR_FILENO, "%s:%d: task: %s is %jd, not %jd\n", __FILE__,      \
				__LINE__, #expr, got_, want_);                                     \
			_exit(EXPECT_FAILED);                                                      \
		}                                                                                  \
	} while (0)

#define EXPECT(cond) EXPECT_INT(!(cond), 0)

/* Waits for another task; gives up when it takes too long. */
#define WAIT_FOR(cond)                                                                             \
	do {                                                                                       \
		int left_ = 40000;                                                                 \
		while (!(cond)) {                                                                  \
			EXPECT(left_-- > 0);                                                       \
			usleep(1000);                                                              \
		}                                                                                  \
	} while (0)

#endif
