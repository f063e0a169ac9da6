/*
 * stop.c - PIP_STOP_ON_START without libc.
 * Entry functions: stop_names(), stop_launched(), stop_here().
 */
#include "embryo/stop.h"

#include <linux/sched.h>
#include <sys/wait.h>

#include <pip/pip.h>

#include "base/stat.h"
#include "base/str.h"
#include "embryo/birth.h"
#include "embryo/say.h"

#define SCRIPT_STACK 4096
#define PATIENCE 5000 /* ms */

bool stop_names(const char *value, const struct task *t, char script[PATH_MAX])
{
	const char *at = NULL, *p;
	bool negative;
	long id = 0;

	script[0] = '\0';
	if (!value)
		return false;
	for (p = value; *p; p++)
		if (*p == '@')
			at = p;
	if (!at)
		at = p;
	if (at - value >= PATH_MAX)
		return false;
	str_copy(script, value, (size_t)(at - value) + 1);
	if (!*at || !at[1])
		return true;
	/* As strtol() reads it. */
	p = at + 1;
	while (*p == ' ' || (*p >= '\t' && *p <= '\r'))
		p++;
	negative = *p == '-';
	p += *p == '-' || *p == '+';
	for (; *p >= '0' && *p <= '9' && id <= TASK_PIPIDS; p++)
		id = id * 10 + (*p - '0');
	return (negative && id) || id == t->pipid;
}

const char *stop_hindrance(const char *script)
{
	struct stat st;

	if (sys_call(SYS_newfstatat, AT_FDCWD, script, &st, 0, 0, 0))
		return "Unable to find file";
	return S_ISREG(st.st_mode) && st.st_mode & 0111 ? NULL : "Not an executable file";
}

/* error: -errno, or 0. */
static void warn(const struct task *t, const char *what, const char *script, long error)
{
	struct say s;

	say_begin(&s, "PiP-WARN", t);
	say_put(&s, what);
	say_put(&s, ": ");
	say_path(&s, script);
	if (error) {
		say_put(&s, ": errno ");
		say_decimal(&s, -error);
	}
	say_end(&s);
	if (!t->quiet)
		say_write(&s);
}

bool stop_launched(const struct task *t, const char *value)
{
	char script[PATH_MAX];
	const char *why;

	if (!stop_names(value, t, script))
		return false;
	why = script[0] ? stop_hindrance(script) : NULL;
	if (why)
		warn(t, why, script, 0);
	return !why;
}

void stop_environment(const char **to, size_t max, const char *const *from)
{
	size_t n = 0;

	for (; *from && n + 1 < max; from++)
		if (!str_starts(*from, PIP_ENV_STOP_ON_START "="))
			to[n++] = *from;
	to[n] = NULL;
}

/* ---- In the task --------------------------------------------------------------------------- */

/* In the spare room of the task's window: the script's process uses it until it has executed. */
struct starter {
	struct task *t;
	pid_t pid;
	const char *argv[5];
	char script[PATH_MAX], id[24], pipid[24];
	_Alignas(16) char stack[2][SCRIPT_STACK];
	const char *envv[];
};

#define ENV_MOST ((BIRTH_STACK - sizeof(struct starter)) / sizeof(char *))

static void tell(const struct starter *s)
{
	struct say line;

	say_begin(&line, "PiP-INFO", s->t);
	say_put(&line, "PiP task[");
	say_decimal(&line, s->t->pipid);
	say_put(&line, "] (PID=");
	say_decimal(&line, s->pid);
	say_put(&line, ") is SIGSTOPed");
	if (s->script[0]) {
		say_put(&line, " and executing '");
		say_path(&line, s->script);
		say_put(&line, "' script");
	}
	say_end(&line);
	if (!s->t->quiet)
		say_write(&line);
}

/* 0 = it is gone. */
static int state_of(pid_t pid)
{
	char stat[64];
	const char *p = stat_read(pid, stat, sizeof(stat));

	return p ? *p : 0;
}

/* The script's process, once the task has stopped. */
static BARE void become_script(void *arg)
{
	struct starter *s = arg;
	struct timespec nap = { 0, 1000000 };
	kernel_sigset_t none = 0;
	int state = 'R';
	long rc;

	for (int i = 0; i < PATIENCE && state && state != 'T'; i++) {
		state = state_of(s->pid);
		if (state != 'T')
			sys_call(SYS_ppoll, NULL, 0, &nap, NULL, 0, 0);
	}
	if (state != 'T')
		sys_exit_group(127);
	tell(s);
	sys_sigmask(SIG_SETMASK, &none, NULL);
	rc = sys_call(SYS_execve, s->script, s->argv, s->envv, 0, 0, 0);
	warn(s->t, "Unable to execute script", s->script, rc);
	sys_call(SYS_kill, s->pid, SIGCONT, 0, 0, 0, 0);
	sys_exit_group(127);
}

/* A process in between, so that the script is no child that the program would find. */
static BARE void start_script(void *arg)
{
	struct starter *s = arg;
	long child =
		arch_clone(CLONE_VM | SIGCHLD, s->stack[1] + SCRIPT_STACK, NULL, become_script, s);

	sys_exit_group(child > 0 ? 0 : 127);
}

void stop_here(struct task *t, const char *const *envv)
{
	struct starter *s = (struct starter *)t->room;
	const char *value = NULL;
	int status = 0;
	long child;

	for (const char *const *e = envv; *e; e++)
		if (str_starts(*e, PIP_ENV_STOP_ON_START "="))
			value = *e + sizeof(PIP_ENV_STOP_ON_START);
	if (!stop_names(value, t, s->script))
		return;
	s->t = t;
	s->pid = sys_getpid();
	stop_environment(s->envv, ENV_MOST, envv);
	str_decimal(s->id, (unsigned long)s->pid);
	str_decimal(s->pipid, (unsigned long)t->pipid);
	s->argv[0] = s->script;
	s->argv[1] = s->id;
	s->argv[2] = s->pipid;
	s->argv[3] = t->path;
	s->argv[4] = NULL;
	if (!s->script[0]) {
		tell(s);
	} else {
		t->memory.front = 0; /* the script's process may outlive this one */
		child = arch_clone(CLONE_VM, s->stack[0] + SCRIPT_STACK, NULL, start_script, s);
		while (child > 0 &&
		       sys_call(SYS_wait4, child, &status, __WALL, NULL, 0, 0) == -EINTR)
			;
		if (child < 0 || status)
			return; /* nobody would let it go on */
	}
	sys_call(SYS_kill, s->pid, SIGSTOP, 0, 0, 0, 0);
}
