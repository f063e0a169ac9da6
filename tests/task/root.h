/*
 * root.h - for scenarios that act as a PiP root: start tasks, collect them, judge their ends.
 *
 * All of it is for use inside scenarios: what goes wrong ends the scenario.
 */
#ifndef ROOT_H
#define ROOT_H

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <pip/pip.h>

#include "../harness.h"

/* A program of tests/prog.  The brackets tell clang-tidy that no comma is missing. */
#define PROG(name) (PROG_DIR "/" name)

#define LENGTH(array) ((int)(sizeof(array) / sizeof((array)[0])))

/* What pip_is_initialized(), pip_get_mode() and its kin say, and the mode's mark in names. */
#define INITIALIZED (harness_threads() ? PIP_MODE_PTHREAD : PIP_MODE_PROCESS)
#define BY_MODE(thread, launches, process)                                                         \
	(harness_threads() ? (thread) : harness_launches() ? (launches) : (process))
#define TASK_MODE BY_MODE(PIP_MODE_PTHREAD, PIP_MODE_PROCESS_PRELOAD, PIP_MODE_PROCESS_PIPCLONE)
#define TASK_MODE_NAME BY_MODE("pthread", "process:preload", "process:pipclone")
#define TASK_MARK BY_MODE('|', ':', ';')

/* pip_init() for n tasks and pip_fin(), which must succeed. */
void root_init(int n);
void root_fin(void);

/* Start a task at main, argv being its path and what follows up to NULL; its PIPID. */
int task_main(const char *path, ...) __attribute__((sentinel));
/* Start a task at a function. */
int task_func(const char *path, const char *function, void *arg);
/* Start a task at main with hooks. */
int task_hooked(const char *path, char **argv, pip_spawnhook_t before, pip_spawnhook_t after,
		void *hookarg);

/* Runs a program, which knows nothing of PiP, with libpip-preload.so; it must end with 0. */
void runs_under_shim(char **argv);

/* The kernel's number for its main thread, and for its process. */
pid_t task_pid(int pipid);
pid_t task_getpid(int pipid);

/* A signal for it from outside; where tasks are threads only pip_kill() can do that. */
void task_kill(int pipid, int sig);

/* Has it ended?  Its status stays to be collected. */
bool task_has_ended(int pipid);
/* Wait until a task has ended; its status stays to be collected. */
void task_await_end(int pipid);

/* Wait for a task; its status. */
int task_collect(int pipid);
/* Wait for a task, which must end this way. */
void task_exits_at(const char *file, int line, int pipid, int code);
void task_signaled_at(const char *file, int line, int pipid, int signum);
#define task_exits(pipid, code) task_exits_at(__FILE__, __LINE__, pipid, code)
#define task_signaled(pipid, signum) task_signaled_at(__FILE__, __LINE__, pipid, signum)

/* From _begin to _end, descriptor fd is a file; _end gives what was written to it, to be freed. */
struct capture {
	int fd, saved, file;
};
void capture_begin(struct capture *c, int fd);
char *capture_end(struct capture *c);

/* Run a task to its end, which must be exit code 0; what it wrote to stdout, to be freed. */
char *task_output(char **argv, char **envv);

#endif
