/* stop.c - PIP_STOP_ON_START=[script][@[pipid]].  Entry functions: stop_wanted(), stop_await(). */
#include "stop.h"

#include <errno.h>
#include <pip/pip.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "embryo/stop.h"
#include "log.h"

bool stop_wanted(const struct task *t)
{
	char script[PATH_MAX];
	const char *why;

	if (!stop_names(getenv(PIP_ENV_STOP_ON_START), t, script))
		return false;
	if (t->thread.on) {
		log_warn("%s is NOT effective with (p)thread mode", PIP_ENV_STOP_ON_START);
		return false;
	}
	why = script[0] ? stop_hindrance(script) : NULL;
	if (why)
		log_warn("%s: %s", why, script);
	return !why;
}

void stop_await(struct task *t)
{
	char script[PATH_MAX], pid[16], pipid[16];
	char *argv[] = { script, pid, pipid, t->path, NULL };
	siginfo_t info;
	sigset_t none;
	posix_spawnattr_t attr;
	const char **envv;
	size_t n = 1;
	pid_t child;
	int rc;

	if (waitid(P_PID, (id_t)t->pid, &info, WSTOPPED | WEXITED | WNOWAIT) ||
	    info.si_code != CLD_STOPPED)
		return; /* ended meanwhile: waiting for it will tell */
	waitid(P_PID, (id_t)t->pid, &info, WSTOPPED);
	stop_names(getenv(PIP_ENV_STOP_ON_START), t, script);
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
	while (environ[n - 1])
		n++;
	envv = malloc(n * sizeof(*envv));
	if (envv)
		stop_environment(envv, n, (const char *const *)environ);
	rc = envv ? posix_spawn(&child, script, NULL, &attr, argv, (char **)envv) : ENOMEM;
	free(envv);
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
