/*
 * harness.h - what the test programs share: scenarios, a watchdog, a balance sheet, a proof.
 *
 * A *scenario* is a function that runs in a forked child of the test, so that state of the whole
 * process (signal handlers, PiP's root) is fresh each time and its end can be watched from outside.
 * scenario_run() collects what became of it; a scenario that does not end in time is killed, and
 * so is whatever it leaves behind, by PID.  In scenarios use check*() instead of cmocka's asserts,
 * which would jump back into the copy of the test's runner.
 *
 *	scenario_run(), CASE(), TEST_MAIN()	run and judge scenarios
 *	check(), check_int(), check_str()	inside scenarios
 *	sheet_take(), sheet_same()		descriptors, mappings, children, threads
 *	proof_begin() to proof_end()		tasks really were processes
 *	temp_dir(), file_write(), retry()	odds and ends
 */
#ifndef HARNESS_H
#define HARNESS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

/* Whether the test is built with AddressSanitizer, whose allocator takes the place of libc's. */
#if defined(__SANITIZE_ADDRESS__)
#define HARNESS_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HARNESS_ASAN 1
#endif
#endif
#ifndef HARNESS_ASAN
#define HARNESS_ASAN 0
#endif

/* ---- Scenarios ---- */

#define SCENARIO_LIMIT_MS 60000 /* generous: the machine may be loaded, the code instrumented */
#define CHECK_FAILED 99         /* exit code of a scenario in which a check failed */

struct outcome {
	int status;      /* wait(2) word of the scenario's process */
	bool hung;       /* it had to be killed */
	int survivors;   /* processes it left behind, still alive after a moment */
	char *out, *err; /* what it and its tasks wrote; ended by NUL */
	size_t out_len, err_len;
};

/* Runs body(arg) in a child; returning from body is exit(0).  Free the outcome afterwards.  In the
 * mode process:preload the child executes this program anew, so arg must be a small number or point
 * to what is the same there: a constant. */
void scenario_run(struct outcome *o, void (*body)(void *), void *arg);
void scenario_free(struct outcome *o);

/* Prints what the scenario wrote, then fails the running cmocka test. */
_Noreturn void scenario_fail(const struct outcome *o, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* The parts of "it went well": scenario_passes() is all of them with exit code 0. */
void scenario_exited(const struct outcome *o, int code);
void scenario_signaled(const struct outcome *o, int signum);
void scenario_left_nothing(const struct outcome *o);
void scenario_said(const struct outcome *o, const char *regex);     /* on stderr, by line */
void scenario_said_not(const struct outcome *o, const char *regex); /* on stderr, by line */
void scenario_passes(void (*body)(void *), void *arg);

/* A cmocka test that is one scenario: static void name(void). */
void scenario_case(void **state);
#define CASE(name)                                                                                 \
	{                                                                                          \
#name, scenario_case, NULL, NULL, (void *)(name)                                   \
	}
/* One about what only tasks that are processes have; left out where they are threads. */
void scenario_case_process(void **state);
#define CASE_PROCESS(name)                                                                         \
	{                                                                                          \
#name, scenario_case_process, NULL, NULL, (void *)(name)                           \
	}
#define TEST_PROCESS(name)                                                                         \
	{                                                                                          \
#name, name, NULL, NULL, &process_only                                             \
	}
extern int process_only; /* marks such a test */
/* One about what the dlmopen loader cannot do; see the table in docs/ARCHITECTURE.md. */
void scenario_case_private(void **state);
#define CASE_PRIVATE(name)                                                                         \
	{                                                                                          \
#name, scenario_case_private, NULL, NULL, (void *)(name)                           \
	}
#define TEST_PRIVATE(name)                                                                         \
	{                                                                                          \
#name, name, NULL, NULL, &private_only                                             \
	}
#define TEST_PROCESS_PRIVATE(name)                                                                 \
	{                                                                                          \
#name, name, NULL, NULL, &process_private_only                                     \
	}
extern int private_only, process_private_only;

/* main(): TAP, no PIP_* in the environment, no core files, orphans come to us.  argv[1] filters. */
int harness_main(int argc, char **argv, const struct CMUnitTest *tests, size_t ntests);
#define TEST_MAIN(tests)                                                                           \
	int main(int argc, char **argv)                                                            \
	{                                                                                          \
		return harness_main(argc, argv, tests, sizeof(tests) / sizeof((tests)[0]));        \
	}

/*
 * The matrix: HARNESS_MODE is the PIP_MODE of all scenarios and HARNESS_LOADER their PIP_LOADER.
 * Without them a scenario runs as if neither were set.
 */
bool harness_threads(void);
bool harness_launches(void); /* what the root forks or executes may be a task, too */
bool harness_preloads(void); /* process:preload */
bool harness_namespaces(void);

/* For a test program that cannot run here; call it before harness_main(). */
_Noreturn void harness_skip(const char *why);

/* ---- Checks for scenarios: on failure, a line on stderr and _exit(CHECK_FAILED) ---- */

_Noreturn void check_failed(const char *file, int line, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void check_int_at(const char *file, int line, const char *expr, intmax_t got, intmax_t want);
void check_str_at(const char *file, int line, const char *expr, const char *got, const char *want);
void check_match_at(const char *file, int line, const char *expr, const char *got,
		    const char *regex);

#define check(cond)                                                                                \
	do {                                                                                       \
		if (!(cond))                                                                       \
			check_failed(__FILE__, __LINE__, "%s", #cond);                             \
	} while (0)
#define check_int(expr, want) check_int_at(__FILE__, __LINE__, #expr, (expr), (want))
#define check_ptr(expr, want)                                                                      \
	check_int_at(__FILE__, __LINE__, #expr, (intptr_t)(expr), (intptr_t)(want))
#define check_str(expr, want) check_str_at(__FILE__, __LINE__, #expr, (expr), (want))
#define check_match(expr, regex) check_match_at(__FILE__, __LINE__, #expr, (expr), (regex))

/* Whether a POSIX extended regular expression matches, with ^ and $ at each line. */
bool text_matches(const char *text, const char *regex);

/* ---- Balance sheet: after an exchange the process has as much as before ---- */

struct sheet {
	int fds, maps, children, threads;
	size_t text_len;
	char text[96 * 1024]; /* of /proc/self/maps, to tell what is new */
};

/* Allocates nothing, so that taking it does not change it. */
void sheet_take(struct sheet *s);
void sheet_same_at(const char *file, int line, const struct sheet *before);
#define sheet_same(before) sheet_same_at(__FILE__, __LINE__, before)

/* ---- Proof that tasks were processes in the root's address space ---- */

#define PROOF_TASKS 2048

struct proof {
	pid_t root;
	int tasks, collected;
	pid_t pid[PROOF_TASKS];
};

void proof_begin(struct proof *p);
/* Call it for each task while it lives: a process, no other task's PID, the root's memory. */
void proof_task(struct proof *p, pid_t pid);
/* Call it for each status collected. */
void proof_collected(struct proof *p);
/* n tasks were seen, n statuses collected, and the root is still itself. */
void proof_end(const struct proof *p, int n);

/* ---- Odds and ends ---- */

/* A new, empty directory that is removed when the test program ends.  Free the name. */
char *temp_dir(void);
/* DIR/NAME, to be freed. */
char *path_in(const char *dir, const char *name);
void file_write(const char *path, const void *data, size_t len, mode_t mode);
void file_copy(const char *from, const char *to, mode_t mode);
/* The first bytes of a file as a string, less a final newline; to be freed.  NULL: unreadable. */
char *file_read(const char *path);

/* The state letter of /proc/PID/stat; 0 if there is no such process. */
int process_state(pid_t pid);
/* Milliseconds of CPU time that a process has used. */
long process_cpu_ms(pid_t pid);
/* Children of this process, zombies too. */
int children_count(void);

double now_seconds(void);
void sleep_ms(int ms);

/* Whether cond came true within some seconds. */
#define retry(cond)                                                                                \
	({                                                                                         \
		double retry_limit_ = now_seconds() + 20;                                          \
		bool retry_true_;                                                                  \
		while (!(retry_true_ = (cond)) && now_seconds() < retry_limit_)                    \
			sleep_ms(1);                                                               \
		retry_true_;                                                                       \
	})

#endif
