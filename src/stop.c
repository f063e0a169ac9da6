/* stop.c - PIP_STOP_ON_START=[script][@[pipid]].  Entry functions: stop_wanted(), stop_await(). */
#include "stop.h"

#include <pip/pip.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "log.h"

/* Splits the setting.  Returns whether it names this task; script is "" if there is none. */
static bool parse(const struct task *t, char script[PATH_MAX])
{
	const char *value = getenv(PIP_ENV_STOP_ON_START), *at;

	script[0] = '\0';
	if (!value)
		return false;
	at = strrchr(value, '@');
	snprintf(script, PATH_MAX, "%.*s", (int)(at ? at - value : (long)strlen(value)), value);
	if (at && at[1]) {
		long id = strtol(at + 1, NULL, 10);

		return id < 0 || id == t->pipid;
	}
	return true;
}

bool stop_wanted(const struct task *t)
{
	char script[PATH_MAX];
	struct stat st;

	if (!parse(t, script))
		return false;
	if (t->thread.on) {
		log_warn("%s is NOT effective with (p)thread mode", PIP_ENV_STOP_ON_START);
		return false;
	}
	if (script[0] == '\0')
		return true;
	if (stat(script, &st)) {
		log_warn("Unable to find file: %s", script);
		return false;
	}
	if (!S_ISREG(st.st_mode) || !(st.st_mode & 0111)) {
		log_warn("Not an executable file: %s", script);
		return false;
	}
	return true;
}

void stop_await(struct task *t)
{
	char script[PATH_MAX], pid[16], pipid[16];
	char *argv[] = { script, pid, pipid, t->path, NULL };
	siginfo_t info;
	sigset_t none;
	posix_spawnattr_t attr;
	pid_t child;
	int rc;

	if (waitid(P_PID, (id_t)t->pid, &info, WSTOPPED | WEXITED | WNOWAIT) ||
	    info.si_code != CLD_STOPPED)
		return; /* ended meanwhile: waiting for it will tell */
	waitid(P_PID, (id_t)t->pid, &info, WSTOPPED);
	parse(t, script);
	log_info("PiP task[%d] (PID=%d) is SIGSTOPed%s%s%s", t->pipid, t->pid,
		 *script ? " and executing '" : "", script, *script ? "' script" : "");
	if (!*script)
		return;
	snprintf(pid, sizeof(pid), "%d", t->pid);
	snprintf(pipid, sizeof(pipid), "%d", t->pipid);
	sigemptyset(&none);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK);
	rc = posix_spawn(&child, script, NULL, &attr, argv, environ);
	posix_spawnattr_destroy(&attr);
	if (rc) {
		log_warn("Unable to execute script '%s': %s", script, strerror(rc));
		kill(t->pid, SIGCONT);
		return;
	}
	t->script_pid = child;
}

void stop_reap(struct task *t)
{
	if (t->script_pid > 0)
		waitpid(t->script_pid, NULL, 0);
	t->script_pid = 0;
}
