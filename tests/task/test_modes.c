/*
 * test_modes.c - which mode opts of pip_init() and PIP_MODE give together.
 *
 * The table is that of the interface for a program without libpip-preload.so in LD_PRELOAD, in
 * which process:preload is EPERM; process:got gives the same without it.
 */
#include <errno.h>

#include "root.h"

static const char *const values[] = {
	NULL,     "",        "process",     "process:preload", "process:pipclone",
	"thread", "pthread", "process:got", "rubbish",
};

/* A letter for each of values[]: + process:pipclone, G process:preload, T pthread, P EPERM,
 * I EINVAL. */
static const struct {
	int opts;
	const char *want;
} table[] = {
	{ PIP_OPTS_NONE, "+++P+TTGP" },
	{ PIP_MODE_PROCESS, "+++P+PPIP" },
	{ PIP_MODE_PROCESS_PRELOAD, "PPPPPPPPP" },
	{ PIP_MODE_PROCESS_PIPCLONE, "+++P+PPPP" },
	{ PIP_MODE_PTHREAD, "TTPPPTTPP" },
	{ PIP_MODE_PROCESS_GOT_OBS, "IIIIIIIII" },
	{ PIP_MODE_PTHREAD | PIP_MODE_PROCESS, "IIIIIIIII" },
	{ PIP_MODE_PTHREAD | PIP_MODE_PROCESS_PIPCLONE, "IIIIIIIII" },
	{ 0x0200, "IIIIIIIII" },
	{ PIP_MODE_MASK, "IIIIIIIII" },
};

static const struct mode {
	char letter;
	int code, mode, initialized, shared_fd;
	const char *name;
} modes[] = {
	{ '+', 0, PIP_MODE_PROCESS_PIPCLONE, 0x500, 0, "process:pipclone" },
	{ 'G', 0, PIP_MODE_PROCESS_PRELOAD, 0x500, 0, "process:preload" },
	{ 'T', 0, PIP_MODE_PTHREAD, 0x1000, 0x1000, "pthread" },
	{ 'P', EPERM, 0, 0, 0, NULL },
	{ 'I', EINVAL, 0, 0, 0, NULL },
};

static const struct mode *mode_of(char letter)
{
	const struct mode *m = modes;

	while (m->letter != letter)
		m++;
	return m;
}

static void set_mode(const char *value)
{
	if (value)
		setenv("PIP_MODE", value, 1);
	else
		unsetenv("PIP_MODE");
}

static void try_mode(int opts, const char *value, char letter)
{
	const struct mode *want = mode_of(letter);
	int rc, mode = 0;

	set_mode(value);
	rc = pip_init(NULL, NULL, NULL, opts);
	if (rc != want->code)
		check_failed(__FILE__, __LINE__, "opts 0x%x, PIP_MODE=%s: %s, not %s", opts,
			     value ? value : "(unset)", pip_errname(rc), pip_errname(want->code));
	if (rc) {
		check_int(pip_is_initialized(), 0);
		check_int(pip_fin(), EPERM);
		return;
	}
	check_int(pip_get_mode(&mode), 0);
	check_int(mode, want->mode);
	check_str(pip_get_mode_str(), want->name);
	check_int(pip_is_initialized(), want->initialized);
	check_int(pip_is_threaded(&mode), 0);
	check_int(mode, letter == 'T');
	check_int(pip_is_shared_fd(&mode), 0);
	check_int(mode, want->shared_fd);
	root_fin();
}

static void negotiation(void)
{
	for (int i = 0; i < LENGTH(table); i++)
		for (int v = 0; v < LENGTH(values); v++)
			try_mode(table[i].opts, values[v], table[i].want[v]);
}

/* Capital letters are small ones; what stands beside the mode bits does not matter. */
static void tolerance(void)
{
	try_mode(0, "PROCESS", '+');
	try_mode(0, "Process:PipClone", '+');
	try_mode(0, "PThread", 'T');
	try_mode(0, "PROCESS:PRELOAD", 'P');
	try_mode(0xff, NULL, '+');
	try_mode(PIP_MODE_PROCESS | 0x70001, "process", '+');
	try_mode(PIP_MODE_PROCESS_PIPCLONE | 0xff, NULL, '+');
	try_mode(0, "process ", 'P');
	try_mode(0, "proces", 'P');
	try_mode(0, "process:", 'P');
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
	const char *const good[] = { NULL, "", "process", "process:pipclone", "thread", "pthread" };

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
