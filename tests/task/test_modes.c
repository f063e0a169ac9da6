/*
 * test_modes.c - which mode opts of pip_init() and PIP_MODE give together.
 *
 * The table is that of the interface for a library that has process:pipclone only, and is asked
 * without the shim in LD_PRELOAD: what would be process:preload or threads is EPERM.
 */
#include <errno.h>

#include "root.h"

static const char *const values[] = {
	NULL,     "",        "process",     "process:preload", "process:pipclone",
	"thread", "pthread", "process:got", "rubbish",
};

/* A letter for each of values[]: + process:pipclone, P EPERM, I EINVAL. */
static const struct {
	int opts;
	const char *want;
} table[] = {
	{ PIP_OPTS_NONE, "+++P+PPPP" },
	{ PIP_MODE_PROCESS, "+++P+PPIP" },
	{ PIP_MODE_PROCESS_PRELOAD, "PPPPPPPPP" },
	{ PIP_MODE_PROCESS_PIPCLONE, "+++P+PPPP" },
	{ PIP_MODE_PTHREAD, "PPPPPPPPP" },
	{ PIP_MODE_PROCESS_GOT_OBS, "IIIIIIIII" },
	{ PIP_MODE_PTHREAD | PIP_MODE_PROCESS, "IIIIIIIII" },
	{ PIP_MODE_PTHREAD | PIP_MODE_PROCESS_PIPCLONE, "IIIIIIIII" },
	{ 0x0200, "IIIIIIIII" },
	{ PIP_MODE_MASK, "IIIIIIIII" },
};

static int code_of(char letter)
{
	return letter == '+' ? 0 : letter == 'P' ? EPERM : EINVAL;
}

static void set_mode(const char *value)
{
	if (value)
		setenv("PIP_MODE", value, 1);
	else
		unsetenv("PIP_MODE");
}

static void try_mode(int opts, const char *value, int want)
{
	int rc, mode = 0;

	set_mode(value);
	rc = pip_init(NULL, NULL, NULL, opts);
	if (rc != want)
		check_failed(__FILE__, __LINE__, "opts 0x%x, PIP_MODE=%s: %s, not %s", opts,
			     value ? value : "(unset)", pip_errname(rc), pip_errname(want));
	if (rc) {
		check_int(pip_is_initialized(), 0);
		check_int(pip_fin(), EPERM);
		return;
	}
	check_int(pip_get_mode(&mode), 0);
	check_int(mode, PIP_MODE_PROCESS_PIPCLONE);
	check_str(pip_get_mode_str(), "process:pipclone");
	root_fin();
}

static void negotiation(void)
{
	for (int i = 0; i < LENGTH(table); i++)
		for (int v = 0; v < LENGTH(values); v++)
			try_mode(table[i].opts, values[v], code_of(table[i].want[v]));
}

/* Capital letters are small ones; what stands beside the mode bits does not matter. */
static void tolerance(void)
{
	try_mode(0, "PROCESS", 0);
	try_mode(0, "Process:PipClone", 0);
	try_mode(0, "PROCESS:PRELOAD", EPERM);
	try_mode(0xff, NULL, 0);
	try_mode(PIP_MODE_PROCESS | 0x70001, "process", 0);
	try_mode(PIP_MODE_PROCESS_PIPCLONE | 0xff, NULL, 0);
	try_mode(0, "process ", EPERM);
	try_mode(0, "proces", EPERM);
	try_mode(0, "process:", EPERM);
}

/* ---- What the user reads ---- */

struct request {
	int opts;
	const char *value;
	const char *said;
};

static void refused_body(void *arg)
{
	const struct request *r = arg;

	set_mode(r->value);
	check(pip_init(NULL, NULL, NULL, r->opts) != 0);
}

static void messages(void **state)
{
	const char *unknown = "^PiP-WARN.*unknown environment setting PIP_MODE='rubbish'$";
	const struct request requests[] = {
		{ 0, "rubbish", unknown },
		{ PIP_MODE_PROCESS, "rubbish", unknown },
		{ PIP_MODE_PROCESS_GOT_OBS, NULL, "^PiP-ERR.*process:got mode is obsolete$" },
		/* The message says what to do. */
		{ 0, "process:preload", "^PiP-ERR.*process:preload.*LD_PRELOAD" },
		{ PIP_MODE_PROCESS_PRELOAD, NULL, "^PiP-ERR.*process:preload.*LD_PRELOAD" },
		{ 0, "thread", "^PiP-ERR.*PIP_MODE" },
		{ 0, "pthread", "^PiP-ERR.*PIP_MODE" },
		{ PIP_MODE_PTHREAD, NULL, "^PiP-ERR.*PIP_MODE" },
		{ 0, "process:got", "^PiP-ERR.*process:got" },
	};

	(void)state;
	for (int i = 0; i < LENGTH(requests); i++) {
		struct outcome o;

		scenario_run(&o, refused_body, (void *)&requests[i]);
		scenario_exited(&o, 0);
		scenario_said(&o, requests[i].said);
		scenario_free(&o);
	}
}

/* Whatever the words, a mode that was had works. */
static void works(void)
{
	const char *const good[] = { NULL, "", "process", "process:pipclone" };

	for (int i = 0; i < LENGTH(good); i++) {
		set_mode(good[i]);
		check_int(pip_init(NULL, NULL, NULL, 0), 0);
		task_exits(task_main(PROG("plain"), "return", "5", NULL), 5);
		root_fin();
	}
}

static const struct CMUnitTest tests[] = {
	CASE(negotiation),
	CASE(tolerance),
	cmocka_unit_test(messages),
	CASE(works),
};

TEST_MAIN(tests)
