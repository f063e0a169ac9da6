/* test_messages.c - what messages look like, and who writes them. */
#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>

#include "root.h"

/* Messages of this program, with stderr as a file; free the text. */
static char *said_by(void (*body)(void))
{
	struct capture c;

	capture_begin(&c, STDERR_FILENO);
	body();
	return capture_end(&c);
}

static void say_all(void)
{
	pip_info_mesg("says %d %s", 42, "text");
	pip_warn_mesg("warns");
	pip_err_mesg("errs");
}

static void in_root(void)
{
	char *text, *want;

	text = said_by(say_all);
	check(asprintf(&want,
		       "PiP-INFO[%d(-):-] says 42 text\nPiP-WARN[%d(-):-] warns\n"
		       "PiP-ERR[%d(-):-] errs\n",
		       getpid(), getpid(), getpid()) > 0);
	check_str(text, want);
	free(text);
	free(want);

	root_init(1);
	text = said_by(say_all);
	check(asprintf(&want,
		       "PiP-INFO[%d(R):R] says 42 text\nPiP-WARN[%d(R):R] warns\n"
		       "PiP-ERR[%d(R):R] errs\n",
		       getpid(), getpid(), getpid()) > 0);
	check_str(text, want);
	free(text);
	free(want);
	root_fin();
}

static void in_task(void)
{
	struct capture out, err;
	char *text, *want;
	pid_t pid = 0;

	root_init(3);
	for (int i = 0; i < 3; i++) {
		capture_begin(&out, STDOUT_FILENO);
		capture_begin(&err, STDERR_FILENO);
		check_int(task_func(PROG("talk"), "talk_all", &pid), i);
		task_exits(i, 0);
		check(pid > 0 && pid != getpid());
		text = capture_end(&err);
		check(asprintf(&want,
			       "PiP-INFO[%d(T%d):T%d] task says 42 text\n"
			       "PiP-WARN[%d(T%d):T%d] task warns\nPiP-ERR[%d(T%d):T%d] task errs\n",
			       pid, i, i, pid, i, i, pid, i, i) > 0);
		check_str(text, want);
		free(text);
		free(want);
		text = capture_end(&out);
		check(asprintf(&want, "PiP-INFO[%d(T%d):T%d] task says to stdout\n", pid, i, i) >
		      0);
		check_str(text, want);
		free(text);
		free(want);
	}
	root_fin();
}

static int say_in_hook(void *arg)
{
	*(pid_t *)arg = gettid();
	pip_info_mesg("hook says");
	return 0;
}

/* In a hook the kernel thread is the task's, the code is the root's. */
static void in_hooks(void)
{
	char *argv[] = { PROG("plain"), "return", "0", NULL }, *text, *want;
	struct capture c;
	pid_t tid = 0;

	root_init(1);
	capture_begin(&c, STDERR_FILENO);
	check_int(task_hooked(argv[0], argv, say_in_hook, say_in_hook, &tid), 0);
	task_exits(0, 0);
	text = capture_end(&c);
	check(tid != gettid());
	check(asprintf(&want, "PiP-INFO[%d(T0):R] hook says\nPiP-INFO[%d(T0):R] hook says\n", tid,
		       tid) > 0);
	check_str(text, want);
	free(text);
	free(want);
	root_fin();
}

static void in_children(void)
{
	struct capture c;
	char *text;
	pid_t pid;

	root_init(1);
	capture_begin(&c, STDERR_FILENO);
	pid = fork();
	if (pid == 0) {
		pip_info_mesg("child says");
		_exit(0);
	}
	check_int(waitpid(pid, NULL, 0), pid);
	task_exits(task_func(PROG("talk"), "talk_fork", NULL), 0);
	text = capture_end(&c);
	check_match(text,
		    "^PiP-INFO\\[[0-9]+\\(-\\):-\\] child says\nPiP-INFO\\[[0-9]+\\(-\\):-\\] "
		    "child says\n$");
	free(text);
	root_fin();
}

/* To a stream, only what is an information. */
static void to_a_stream(void)
{
	char buf[200] = "";
	FILE *stream = fmemopen(buf, sizeof(buf), "w");

	root_init(1);
	pip_info_fmesg(stream, "says %s", "it");
	fclose(stream);
	check_match(buf, "^PiP-INFO\\[[0-9]+\\(R\\):R\\] says it\n$");
	root_fin();
}

/* A pipe that keeps writes apart: each message is one. */
static void one_write_each(void)
{
	int ends[2], saved = fcntl(2, F_DUPFD_CLOEXEC, 3);
	char buf[4096];
	ssize_t n;

	check_int(pipe2(ends, O_DIRECT | O_CLOEXEC), 0);
	root_init(1);
	check(dup2(ends[1], 2) == 2);
	say_all();
	task_exits(task_func(PROG("talk"), "talk_much", (void *)3), 0);
	check(dup2(saved, 2) == 2);
	close(ends[1]);
	for (int i = 0; i < 6; i++) {
		n = read(ends[0], buf, sizeof(buf) - 1);
		check(n > 0);
		buf[n] = '\0';
		check_match(buf, "^PiP-(INFO|WARN|ERR)\\[[0-9]+\\((R|T0)\\):(R|T0)\\] [a-z].*\n$");
		check(strchr(buf, '\n') == buf + n - 1);
	}
	check_int(read(ends[0], buf, sizeof(buf)), 0);
	root_fin();
}

/* At most 512 bytes, the newline among them; what is longer is cut. */
static void long_messages(void)
{
	char *text, *longer = malloc(2001);
	struct capture c;

	memset(longer, 'x', 2000);
	longer[2000] = '\0';
	root_init(1);
	for (int len = 400; len <= 2000; len += 4) {
		size_t n;

		capture_begin(&c, STDERR_FILENO);
		pip_warn_mesg("%.*s", len, longer);
		text = capture_end(&c);
		n = strlen(text);
		check(n <= 512 && n >= 400);
		check(text[n - 1] == '\n' && strchr(text, '\n') == text + n - 1);
		check_match(text, "^PiP-WARN\\[[0-9]+\\(R\\):R\\] x+$");
		free(text);
	}
	root_fin();
	free(longer);
}

/* Nobody's line is torn. */
static void at_the_same_time(void)
{
	enum {
		TASKS = 6,
		MESSAGES = 300
	};
	int seen[TASKS] = { 0 };
	struct capture c;
	char *text, *line, *rest;

	root_init(TASKS);
	capture_begin(&c, STDERR_FILENO);
	for (int i = 0; i < TASKS; i++)
		task_func(PROG("talk"), "talk_much", (void *)MESSAGES);
	for (int i = 0; i < TASKS; i++)
		task_exits(i, 0);
	text = capture_end(&c);
	for (line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		int pid, kernel, code, number, end = 0;

		check_int(sscanf(line,
				 "PiP-INFO[%d(T%d):T%d] message %d of many, which is long "
				 "enough to be torn if it could be%n",
				 &pid, &kernel, &code, &number, &end),
			  4);
		check_int(end, strlen(line));
		check_int(kernel, code);
		check(code >= 0 && code < TASKS);
		check_int(number, seen[code]);
		seen[code]++;
	}
	for (int i = 0; i < TASKS; i++)
		check_int(seen[i], MESSAGES);
	free(text);
	root_fin();
}

static void id_string(void)
{
	char id[64], want[64], little[4];
	size_t left;

	snprintf(want, sizeof(want), "%d(-):-", getpid());
	left = pip_idstr(id, sizeof(id));
	check_str(id, want);
	check_int(left, sizeof(id) - strlen(want));
	root_init(2);
	snprintf(want, sizeof(want), "%d(R):R", getpid());
	left = pip_idstr(id, sizeof(id));
	check_str(id, want);
	check_int(left, sizeof(id) - strlen(want));
	/* Too little room: what fits, and no more. */
	memset(little, 'x', sizeof(little));
	pip_idstr(little, 3);
	check_int(little[3], 'x');
	check(memchr(little, '\0', 3) != NULL);
	for (int i = 0; i < 2; i++)
		task_exits(task_func(PROG("talk"), "talk_id", (void *)(intptr_t)i), 0);
	root_fin();
}

/* Messages leave errno alone. */
static void errno_stays(void)
{
	char *text;
	struct capture c;

	capture_begin(&c, STDERR_FILENO);
	errno = E2BIG;
	say_all();
	check_int(errno, E2BIG);
	close(2);
	errno = E2BIG;
	say_all();
	check_int(errno, E2BIG);
	check(dup2(c.file, 2) == 2);
	text = capture_end(&c);
	free(text);
}

static const struct CMUnitTest tests[] = {
	CASE(in_root),     CASE(in_task),        CASE(in_hooks),      CASE(in_children),
	CASE(to_a_stream), CASE(one_write_each), CASE(long_messages), CASE(at_the_same_time),
	CASE(id_string),   CASE(errno_stays),
};

TEST_MAIN(tests)
