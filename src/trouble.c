/*
 * trouble.c - what happens when a signal ends a program: the root's part.
 * Entry functions: trouble_init(), trouble_ended().  The report itself is embryo/fatal.c's.
 */
#include "trouble.h"

#include <pip/pip.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "embryo/fatal.h"
#include "interp.h"
#include "log.h"

static void warn(const char *name, size_t len)
{
	log_warn("%.*s is not acceptable for attaching PiP-gdb and ignored", (int)len, name);
}

/* Where the library is installed, and the program that makes backtraces. */
static void find_helper(struct space *sp)
{
	static const char *const places[] = { "libexec/pip",
					      "tools/backtrace" /* of a build folder */ };
	char *slash;

	strcpy(sp->prefix, interp_facts()->libpip);
	/* <prefix>/lib/libpip.so.0 or, with multiarch, <prefix>/lib/<triplet>/libpip.so.0 */
	for (int up = 0; up < 2 && (slash = strrchr(sp->prefix, '/')) != NULL; up++)
		*slash = '\0';
	if ((slash = strrchr(sp->prefix, '/')) != NULL && strcmp(slash, "/lib") == 0)
		*slash = '\0';
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		int n = snprintf(sp->helper, sizeof(sp->helper), "%s/%s/pip-backtrace", sp->prefix,
				 places[i]);

		if (n < (int)sizeof(sp->helper) && access(sp->helper, X_OK) == 0)
			return;
	}
	sp->helper[0] = '\0';
}

void trouble_init(struct task *root)
{
	const char *signals = getenv(PIP_ENV_GDB_SIGNALS);

	find_helper(root->space);
	fatal_settings(&root->trouble, (const char *const *)environ);
	/* What a task has from its root is not worth a second warning. */
	if (signals)
		fatal_parse_signals(signals, warn);
}

void trouble_ended(const struct task *t, int status)
{
	int sig = WTERMSIG(status);

	if (!WIFSIGNALED(status) || !fatal_is(sig) || atomic_load(&t->fatal_reported) || t->quiet)
		return;
	log_err("task %d (PID %d, %s): SIG%s (%s); it could not report where", t->pipid, t->pid,
		t->path, sigabbrev_np(sig), strsignal(sig));
}
