/*
 * test_trouble.c - what is said when a signal ends a task, and PIP_BACKTRACE, PIP_GDB_PATH,
 * PIP_GDB_COMMAND, PIP_GDB_SIGNALS, PIP_SHOW_MAPS and PIP_QUIET then.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>

#include "root.h"

#ifdef HAVE_BACKTRACE
#define BACKTRACE 1
#else
#define BACKTRACE 0
#endif

#define LINE(program, what)                                                                        \
	"^PiP-ERR\\[[0-9]+\\(T0\\):T0\\] task 0 \\(PID [0-9]+, [^ ]*/" program "\\): " what "$"
#define FRAME(function) "^  #[0-9]+ +0x[0-9a-f]{16} in " function

/* One task, its arguments, and how it ends. */
struct ending {
	const char *program;
	char *how, *number;
	int signal;            /* 0: it exits with code 42 */
	const char *line;      /* on stderr; NULL: nothing at all is said */
	const char *frames[3]; /* if there are backtraces */
};

static void ending_body(void *arg)
{
	const struct ending *e = arg;
	struct rlimit none = { 0, 0 };
	static struct sheet sheet;
	int pipid;

	setrlimit(RLIMIT_CORE, &none);
	root_init(1);
	for (int round = 0; round < 3; round++) {
		pipid = task_main(e->program, e->how, e->number, NULL);
		if (e->signal)
			task_signaled(pipid, e->signal);
		else
			task_exits(pipid, 42);
		if (round == 0)
			sheet_take(&sheet);
	}
	sheet_same(&sheet);
	root_fin();
}

static void stuck_body(void *arg)
{
	(void)arg;
	root_init(1);
	task_signaled(task_main(PROG("fatal-pip"), "hang-at-exit", NULL), SIGSEGV);
	root_fin();
}

static void judge_ending(const struct ending *e)
{
	struct outcome o;

	scenario_run(&o, ending_body, (void *)e);
	if (!WIFEXITED(o.status) || WEXITSTATUS(o.status) != 0)
		scenario_fail(&o, "%s %s", e->how, e->number);
	if (e->line)
		scenario_said(&o, e->line);
	else if (o.err_len)
		scenario_fail(&o, "%s %s is not silent", e->how, e->number);
	for (int i = 0; i < LENGTH(e->frames) && e->frames[i] && BACKTRACE; i++)
		scenario_said(&o, e->frames[i]);
	if (!e->frames[0])
		scenario_said_not(&o, "^  #0");
	scenario_left_nothing(&o);
	scenario_free(&o);
}

static void judge_endings(const struct ending *e, int n)
{
	for (int i = 0; i < n; i++)
		judge_ending(&e[i]);
}

#define SEGV_LINE LINE("fatal", "SIGSEGV \\(Segmentation fault\\) at address 0x18")
#define SENT(name, text) LINE("fatal", "SIG" name " \\(" text "\\) sent by PID [0-9]+")
#define STORE FRAME("fatal_store\\+0x[0-9a-f]+ \\(fatal\\+0x[0-9a-f]+\\)$")

/* ---- The line and the backtrace ---- */

static void signals_of_a_mistake(void **state)
{
	static const struct ending endings[] = {
		{ PROG("fatal"),
		  "segv",
		  NULL,
		  SIGSEGV,
		  SEGV_LINE,
		  { STORE, FRAME("fatal_middle\\+"), FRAME("main\\+") } },
		{ PROG("fatal"),
		  "abort",
		  NULL,
		  SIGABRT,
		  SENT("ABRT", "Aborted"),
		  { FRAME("abort\\+0x[0-9a-f]+ \\(libc"), FRAME("main\\+") } },
		{ PROG("fatal"),
		  "raise",
		  "7",
		  SIGBUS,
		  SENT("BUS", "Bus error"),
		  { FRAME("main\\+") } },
		{ PROG("fatal"),
		  "raise",
		  "4",
		  SIGILL,
		  SENT("ILL", "Illegal instruction"),
		  { FRAME("main\\+") } },
		{ PROG("fatal"),
		  "raise",
		  "8",
		  SIGFPE,
		  SENT("FPE", "Floating point exception"),
		  { FRAME("main\\+") } },
		{ PROG("fatal"),
		  "raise",
		  "31",
		  SIGSYS,
		  SENT("SYS", "Bad system call"),
		  { FRAME("main\\+") } },
		{ PROG("fatal"),
		  "raise",
		  "5",
		  SIGTRAP,
		  SENT("TRAP", "Trace/breakpoint trap"),
		  { FRAME("main\\+") } },
	};

	(void)state;
	judge_endings(endings, LENGTH(endings));
}

/* What somebody sends to end a program is no mistake of its own. */
static void other_signals(void **state)
{
	static const struct ending endings[] = {
		{ PROG("fatal"), "raise", "1", SIGHUP, NULL, { NULL } },
		{ PROG("fatal"), "raise", "2", SIGINT, NULL, { NULL } },
		{ PROG("fatal"), "raise", "9", SIGKILL, NULL, { NULL } },
		{ PROG("fatal"), "raise", "13", SIGPIPE, NULL, { NULL } },
		{ PROG("fatal"), "raise", "15", SIGTERM, NULL, { NULL } },
	};

	(void)state;
	judge_endings(endings, LENGTH(endings));
}

/* The faults that leave little to go by. */
static void hard_cases(void **state)
{
	static const struct ending endings[] = {
		{ PROG("fatal"),
		  "overflow",
		  NULL,
		  SIGSEGV,
		  LINE("fatal", "SIGSEGV \\(Segmentation fault\\) at address 0x[0-9a-f]+"),
		  { FRAME("fatal_recurse[^ ]*\\+"), "^ +\\.\\.\\. and [0-9]{4,} more times$" } },
		{ PROG("fatal"),
		  "altstack-overflow",
		  "0",
		  SIGSEGV,
		  LINE("fatal", "SIGSEGV .*"),
		  { FRAME("fatal_recurse") } },
		{ PROG("fatal"),
		  "altstack-overflow",
		  "1",
		  SIGSEGV,
		  LINE("fatal", "SIGSEGV .*"),
		  { FRAME("fatal_recurse") } },
		{ PROG("fatal"),
		  "thread",
		  NULL,
		  SIGSEGV,
		  SEGV_LINE,
		  { STORE, FRAME("thread_store\\+") } },
		{ PROG("fatal"),
		  "threads",
		  "8",
		  SIGSEGV,
		  SEGV_LINE,
		  { STORE, FRAME("thread_store\\+") } },
		{ PROG("fatal"),
		  "heap",
		  NULL,
		  SIGABRT,
		  SENT("ABRT", "Aborted"),
		  { FRAME("free\\+0x[0-9a-f]+ \\(libc"), FRAME("main\\+") } },
		{ PROG("fatal"),
		  "null-call",
		  NULL,
		  SIGSEGV,
		  LINE("fatal", "SIGSEGV .* at address 0x0"),
		  { "^  #0  0x0{16} in \\?$", FRAME("end_null_call\\+"), FRAME("main\\+") } },
		{ PROG("fatal"),
		  "exec-data",
		  NULL,
		  SIGSEGV,
		  LINE("fatal", "SIGSEGV .*"),
		  { FRAME("\\?$"), FRAME("end_exec_data\\+"), FRAME("main\\+") } },
		{ PROG("fatal"),
		  "no-stack",
		  NULL,
		  SIGSEGV,
		  LINE("fatal", "SIGSEGV .* at address 0x40"),
		  { FRAME("end_no_stack\\+") } },
		{ PROG("fatal"),
		  "in-handler",
		  NULL,
		  SIGSEGV,
		  SEGV_LINE,
		  { FRAME("fatal_(store|handler)\\+"), FRAME("<signal handler called>$"),
		    FRAME("main\\+") } },
		{ PROG("fatal"),
		  "own-handler",
		  NULL,
		  SIGSEGV,
		  SEGV_LINE,
		  { STORE, FRAME("fatal_middle\\+") } },
		{ PROG("fatal"), "with-children", NULL, SIGSEGV, SEGV_LINE, { STORE } },
	};

	(void)state;
	judge_endings(endings, LENGTH(endings));
}

/* Where no handler can run the root has the last word. */
static void without_handler(void **state)
{
	static const char line[] =
		"^PiP-ERR\\[[0-9]+\\(R\\):R\\] task 0 \\(PID [0-9]+, .*/fatal\\): "
		"SIGSEGV \\(Segmentation fault\\); it could not report where$";
	static const struct ending endings[] = {
		{ PROG("fatal"), "blocked", NULL, SIGSEGV, line, { NULL } },
		{ PROG("fatal"), "thread-overflow", NULL, SIGSEGV, line, { NULL } },
	};

	(void)state;
	judge_endings(endings, LENGTH(endings));
}

/* The program sees nothing of it, and its children are not concerned. */
static void unseen(void **state)
{
	static const struct ending endings[] = {
		{ PROG("fatal"), "look", NULL, 0, NULL, { NULL } },
		{ PROG("fatal"), "in-child", "11", 0, NULL, { NULL } },
		{ PROG("fatal"), "in-child", "6", 0, NULL, { NULL } },
		{ PROG("fatal"), "in-vfork", "11", 0, NULL, { NULL } },
	};

	(void)state;
	judge_endings(endings, LENGTH(endings));
}

static void stripped(void **state)
{
	static const struct ending e = {
		PROG("fatal-stripped"),
		"segv",
		NULL,
		SIGSEGV,
		LINE("fatal-stripped", "SIGSEGV .* at address 0x18"),
		{ "^  #0  0x[0-9a-f]+ in \\(fatal-stripped\\+0x[0-9a-f]+\\)$",
		  FRAME("__libc_start_main[^ ]*\\+0x[0-9a-f]+ \\(libc") },
	};

	(void)state;
	judge_ending(&e);
}

/* One that is linked with libpip says what the interface promises, and the same on top. */
static void aware(void **state)
{
	static const struct ending endings[] = {
		{ PROG("fatal-pip"),
		  "segv",
		  NULL,
		  SIGSEGV,
		  "^PiP-ERR\\[[0-9]+\\(T0\\):T0\\] Exception signal: Segmentation fault \\(11\\) "
		  "!!$",
		  { FRAME("fatal_store\\+"), FRAME("fatal_middle\\+"), FRAME("main\\+") } },
		{ PROG("fatal-pip"),
		  "overflow",
		  NULL,
		  SIGSEGV,
		  LINE("fatal-pip", "SIGSEGV .*"),
		  { FRAME("fatal_recurse") } },
		{ PROG("fatal-pip"),
		  "threads",
		  "4",
		  SIGSEGV,
		  LINE("fatal-pip", "SIGSEGV .* at address 0x18"),
		  { FRAME("thread_store\\+") } },
		{ PROG("fatal-pip"),
		  "abort",
		  NULL,
		  SIGABRT,
		  LINE("fatal-pip", "SIGABRT .*"),
		  { FRAME("abort\\+") } },
		{ PROG("fatal-pip"),
		  "heap",
		  NULL,
		  SIGABRT,
		  LINE("fatal-pip", "SIGABRT .*"),
		  { FRAME("free\\+") } },
		{ PROG("fatal-pip"), "in-child", "6", 0, NULL, { NULL } },
	};

	(void)state;
	judge_endings(endings, LENGTH(endings));
}

/* Exit handlers that fail as well, or never end, do not change what it dies of. */
static void aware_and_stuck(void **state)
{
	static const struct ending e = { PROG("fatal-pip"),
					 "hang-at-exit",
					 "1",
					 SIGSEGV,
					 LINE("fatal-pip", "SIGSEGV .*"),
					 { FRAME("fatal_middle\\+") } };
	struct outcome o;

	(void)state;
	judge_ending(&e);
	scenario_run(&o, stuck_body, NULL);
	scenario_exited(&o, 0);
	scenario_said(&o, LINE("fatal-pip", "SIGSEGV .*"));
	scenario_free(&o);
}

#ifdef HAVE_STATIC_PIE
static void static_pie(void **state)
{
	static const struct ending endings[] = {
		{ PROG("plain-static"),
		  "segv",
		  NULL,
		  SIGSEGV,
		  LINE("plain-static", "SIGSEGV .* at address 0x8"),
		  { FRAME("main\\+|end\\+") } },
		{ PROG("plain-static"),
		  "overflow",
		  NULL,
		  SIGSEGV,
		  LINE("plain-static", "SIGSEGV .*"),
		  { FRAME("recurse") } },
	};

	(void)state;
	judge_endings(endings, LENGTH(endings));
}
#endif

#ifdef HAVE_CXX
static void cxx(void **state)
{
	static const struct ending endings[] = {
		{ PROG("fatal-cxx"),
		  NULL,
		  NULL,
		  SIGSEGV,
		  LINE("fatal-cxx", "SIGSEGV .* at address 0x0"),
		  { FRAME("deep::Thing::method\\(std::vector<"),
		    FRAME("int deep::call<deep::Thing>\\(deep::Thing&\\)\\+") } },
		{ PROG("fatal-cxx"),
		  "throw",
		  NULL,
		  SIGABRT,
		  LINE("fatal-cxx", "SIGABRT .*"),
		  { FRAME("std::terminate\\(\\)\\+"), FRAME("main[^ ]*\\+") } },
	};

	(void)state;
	judge_endings(endings, LENGTH(endings));
}
#endif

/* ---- PIP_BACKTRACE, PIP_QUIET ---- */

static void no_backtrace(void **state)
{
	static const struct ending endings[] = {
		{ PROG("fatal"), "segv", NULL, SIGSEGV, SEGV_LINE, { NULL } },
		{ PROG("fatal-pip"),
		  "segv",
		  NULL,
		  SIGSEGV,
		  LINE("fatal-pip", "SIGSEGV .* at address 0x18"),
		  { NULL } },
	};

	(void)state;
	setenv("PIP_BACKTRACE", "0", 1);
	judge_endings(endings, LENGTH(endings));
	unsetenv("PIP_BACKTRACE");
}

static void quiet(void **state)
{
	static const struct ending endings[] = {
		{ PROG("fatal"), "segv", NULL, SIGSEGV, NULL, { NULL } },
		{ PROG("fatal-pip"), "segv", NULL, SIGSEGV, NULL, { NULL } },
		/* The last one: the kernel itself ends all that share its PID. */
		{ PROG("fatal"), "blocked", NULL, SIGSEGV, NULL, { NULL } },
	};
	const char *const values[] = { "", "1", "0" };

	(void)state;
	for (int i = 0; i < LENGTH(values); i++) {
		setenv("PIP_QUIET", values[i], 1);
		judge_endings(endings, LENGTH(endings) - harness_threads());
	}
	unsetenv("PIP_QUIET");
}

/* The environment that counts is the task's own. */
static void settings_of_the_task(void)
{
	char *argv[] = { PROG("fatal"), "segv", NULL };
	char *off[] = { "PIP_BACKTRACE=0", NULL }, *none[] = { NULL };
	int pipid = PIP_PIPID_ANY;
	struct capture c;
	char *said;

	root_init(1);
	capture_begin(&c, STDERR_FILENO);
	check_int(pip_spawn(argv[0], argv, off, PIP_CPUCORE_ASIS, &pipid, NULL, NULL, NULL), 0);
	task_signaled(pipid, SIGSEGV);
	said = capture_end(&c);
	check_match(said, SEGV_LINE);
	check(!text_matches(said, "^  #0"));
	free(said);
	capture_begin(&c, STDERR_FILENO);
	setenv("PIP_BACKTRACE", "0", 1);
	pipid = PIP_PIPID_ANY;
	check_int(pip_spawn(argv[0], argv, none, PIP_CPUCORE_ASIS, &pipid, NULL, NULL, NULL), 0);
	task_signaled(pipid, SIGSEGV);
	said = capture_end(&c);
	check_match(said, SEGV_LINE);
	if (BACKTRACE)
		check_match(said, STORE);
	free(said);
	root_fin();
}

/* ---- Several at once ---- */

static void several_body(void *arg)
{
	(void)arg;
	root_init(16);
	for (int i = 0; i < 16; i++)
		task_main(i % 2 ? PROG("fatal") : PROG("fatal-pip"), "segv", NULL);
	for (int i = 0; i < 16; i++)
		task_signaled(i, SIGSEGV);
	root_fin();
}

/* Each report is in one piece: behind its line its frames, in order. */
static void several_at_once(void **state)
{
	struct outcome o;
	int reports = 0, frame = -1;
	unsigned n;

	(void)state;
	scenario_run(&o, several_body, NULL);
	scenario_exited(&o, 0);
	for (char *rest, *line = strtok_r(o.err, "\n", &rest); line;
	     line = strtok_r(NULL, "\n", &rest)) {
		if (strstr(line, "at address 0x18")) {
			if (frame >= 0 && frame < 3)
				scenario_fail(&o, "a report was cut at '%s'", line);
			reports++;
			frame = BACKTRACE ? 0 : -1;
		} else if (sscanf(line, " #%u", &n) == 1) {
			if ((int)n != frame++)
				scenario_fail(&o, "out of order: '%s'", line);
		} else if (!strstr(line, "Exception signal: ") || (frame >= 0 && frame < 3)) {
			scenario_fail(&o, "unexpected: '%s'", line);
		}
	}
	if (reports != 16)
		scenario_fail(&o, "%d reports", reports);
	scenario_free(&o);
}

/* ---- The root ---- */

static void root_body(void *arg)
{
	root_init(1);
	raise((int)(intptr_t)arg);
}

static void root_itself(void **state)
{
	struct outcome o;

	(void)state;
	scenario_run(&o, root_body, (void *)SIGSEGV);
	scenario_exited(&o, SIGSEGV);
	scenario_said(&o, "^PiP-ERR\\[[0-9]+\\(R\\):R\\] root \\(PID [0-9]+, .*/test_trouble\\): "
			  "SIGSEGV .*$");
	if (BACKTRACE)
		scenario_said(&o, FRAME("harness_main\\+.* \\(test_trouble\\+"));
	scenario_free(&o);
	scenario_run(&o, root_body, (void *)SIGABRT);
	scenario_signaled(&o, SIGABRT);
	scenario_said(&o, "^PiP-ERR\\[[0-9]+\\(R\\):R\\] root \\(PID [0-9]+, .*/test_trouble\\): "
			  "SIGABRT .*$");
	scenario_free(&o);
}

/* ---- The core file ---- */

static bool core_files_here(void)
{
	char *pattern = file_read("/proc/sys/kernel/core_pattern");
	bool here = pattern && strcmp(pattern, "core") == 0;

	free(pattern);
	return here;
}

/* The kernel says that it wrote one, as without a report. */
static void core_file(void)
{
	struct rlimit some = { 1 << 20, 1 << 20 };
	char *dir = temp_dir();
	int status;

	root_init(1);
	if (core_files_here() && chdir(dir) == 0 && setrlimit(RLIMIT_CORE, &some) == 0) {
		status = task_collect(task_main(PROG("fatal"), "segv", NULL));
		check(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
		check(WCOREDUMP(status));
		check_int(chdir("/"), 0);
	}
	root_fin();
	free(dir);
}

/* ---- PIP_GDB_SIGNALS, PIP_GDB_PATH, PIP_GDB_COMMAND ---- */

/* A debugger that says how it was called. */
static char *fake_gdb(void)
{
	static const char text[] = "#!/bin/sh\n"
				   "echo \"gdb called:\"\n"
				   "for a; do echo \"<$a>\"; done\n"
				   "test -d /proc/$3 && echo \"it lives\"\n"
				   "read line || echo \"no input\"\n";
	char *dir = temp_dir(), *path = path_in(dir, "gdb");

	file_write(path, text, strlen(text), 0755);
	free(dir);
	return path;
}

static void hit(const char *program, int sig)
{
	char number[16];

	snprintf(number, sizeof(number), "%d", sig);
	root_init(1);
	task_signaled(task_main(program, "raise", number, NULL), sig);
	root_fin();
}

/* A program without libpip, and one with it. */
static void hit_plain(void *sig)
{
	hit(PROG("fatal"), (int)(intptr_t)sig);
}

static void hit_linked(void *sig)
{
	hit(PROG("fatal-pip"), (int)(intptr_t)sig);
}

/* The names of the signals that lead to the debugger. */
static void selects(void (*body)(void *), const char *value, const char *names, const char *warning)
{
	static const struct {
		const char *name;
		int sig;
	} all[] = {
		{ "HUP", SIGHUP },   { "INT", SIGINT },   { "QUIT", SIGQUIT }, { "ILL", SIGILL },
		{ "ABRT", SIGABRT }, { "FPE", SIGFPE },   { "SEGV", SIGSEGV }, { "PIPE", SIGPIPE },
		{ "USR1", SIGUSR1 }, { "USR2", SIGUSR2 }, { "TERM", SIGTERM }, { "BUS", SIGBUS },
	};

	if (value)
		setenv("PIP_GDB_SIGNALS", value, 1);
	else
		unsetenv("PIP_GDB_SIGNALS");
	for (int i = 0; i < LENGTH(all); i++) {
		struct outcome o;
		char want[16];

		snprintf(want, sizeof(want), " %s ", all[i].name);
		scenario_run(&o, body, (void *)(intptr_t)all[i].sig);
		scenario_exited(&o, 0);
		if (strstr(names, want))
			scenario_said(&o, "^gdb called:$");
		else
			scenario_said_not(&o, "^gdb called:$");
		if (warning)
			scenario_said(&o, warning);
		else
			scenario_said_not(&o, "PiP-WARN");
		scenario_free(&o);
	}
	unsetenv("PIP_GDB_SIGNALS");
}

static void gdb_signals(void **state)
{
	char *gdb = fake_gdb();

	(void)state;
	if (!BACKTRACE)
		return;
	setenv("PIP_GDB_PATH", gdb, 1);
	selects(hit_plain, NULL, " HUP SEGV ", NULL);
	selects(hit_linked, NULL, " HUP SEGV ", NULL);
	selects(hit_plain, "", "", NULL);
	selects(hit_plain, "SEGV", " SEGV ", NULL);
	selects(hit_plain, "usr1+Pipe", " USR1 PIPE ", NULL);
	selects(hit_linked, "ABRT+int", " ABRT INT ", NULL);
	selects(hit_plain, "ALL", " HUP INT QUIT ILL ABRT FPE SEGV PIPE USR1 USR2 ", NULL);
	selects(hit_linked, "all-SEGV-HUP", " INT QUIT ILL ABRT FPE PIPE USR1 USR2 ", NULL);
	selects(hit_plain, "SEGV-SEGV+FPE", " FPE ", NULL);
	selects(hit_plain, "FPE-ALL+ILL", " ILL ", NULL);
	selects(hit_plain, "ALL-TERM", " HUP INT QUIT ILL ABRT FPE SEGV PIPE USR1 USR2 ",
		"^PiP-WARN.*TERM is not acceptable for attaching PiP-gdb and ignored$");
	selects(hit_plain, "SIGSEGV+ILL", " ILL ",
		"^PiP-WARN.*SIGSEGV is not acceptable for attaching PiP-gdb and ignored$");
	unsetenv("PIP_GDB_PATH");
	free(gdb);
}

/* How it is called, and that the task waits for it and then ends as ever. */
static void gdb_arguments(void **state)
{
	char *gdb = fake_gdb();
	struct outcome o;

	(void)state;
	if (!BACKTRACE)
		return;
	setenv("PIP_GDB_PATH", gdb, 1);
	for (int i = 0; i < 2; i++) {
		scenario_run(&o, i ? hit_linked : hit_plain, (void *)SIGSEGV);
		scenario_exited(&o, 0);
		scenario_said(&o, "^PiP-ERR.* task 0 .*: SIGSEGV ");
		scenario_said_not(&o, "^  #0"); /* that is gdb's now */
		assert_true(text_matches(o.err, "^it lives$"));
		assert_true(text_matches(o.err, "^no input$"));
		assert_non_null(strstr(o.err, "gdb called:\n<-quiet>\n<-p>\n<"));
		assert_non_null(strstr(o.err, "<-ex>\n<set pagination off>\n<-ex>\n<set verbose "
					      "off>\n<-ex>\n<set complaints 0>\n<-ex>\n<set "
					      "confirm off>\n<-ex>\n<info inferiors>\n"));
		assert_non_null(strstr(o.err, "<-ex>\n<bt>\n<-ex>\n<detach>\n<-ex>\n<quit>\n"));
		assert_int_equal(o.out_len, 0);
		scenario_free(&o);
	}
	setenv("PIP_GDB_COMMAND", "/some/file", 1);
	scenario_run(&o, hit_linked, (void *)SIGSEGV);
	scenario_exited(&o, 0);
	assert_true(text_matches(o.err, "^it lives$"));
	assert_non_null(strstr(o.err, ">\n<-x>\n</some/file>\n<-batch>\n"));
	scenario_free(&o);
	unsetenv("PIP_GDB_PATH");
	/* Without a debugger there is nobody to give commands to. */
	scenario_run(&o, hit_linked, (void *)SIGSEGV);
	scenario_exited(&o, 0);
	scenario_said_not(&o, "gdb|/some/file");
	scenario_said(&o, FRAME(""));
	scenario_free(&o);
	unsetenv("PIP_GDB_COMMAND");
	free(gdb);
}

static void gdb_absent(void **state)
{
	struct outcome o;

	(void)state;
	if (!BACKTRACE)
		return;
	setenv("PIP_GDB_PATH", "/there/is/no/gdb", 1);
	scenario_run(&o, hit_plain, (void *)SIGSEGV);
	scenario_exited(&o, 0);
	scenario_said(&o, "^PiP-ERR\\[[0-9]+\\(T0\\):T0\\] unable to execute '/there/is/no/gdb': "
			  "No such file or directory$");
	scenario_free(&o);
	setenv("PIP_QUIET", "", 1);
	scenario_run(&o, hit_plain, (void *)SIGSEGV);
	scenario_exited(&o, 0);
	assert_int_equal(o.err_len, 0);
	scenario_free(&o);
	unsetenv("PIP_QUIET");
	unsetenv("PIP_GDB_PATH");
}

/* ---- PIP_SHOW_MAPS ---- */

static void show_maps(void **state)
{
	const struct {
		const char *value;
		bool shown;
	} values[] = { { "on", true },   { "ON", true }, { "On", true },
		       { "off", false }, { "1", false }, { "", false } };

	(void)state;
	if (!BACKTRACE)
		return;
	for (int i = 0; i < LENGTH(values); i++) {
		for (int k = 0; k < 4; k++) {
			intptr_t sig = k < 2 ? SIGSEGV : SIGILL;
			struct outcome o;

			setenv("PIP_SHOW_MAPS", values[i].value, 1);
			scenario_run(&o, k % 2 ? hit_linked : hit_plain, (void *)sig);
			scenario_exited(&o, 0);
			/* SIGILL is not among those selected. */
			if (values[i].shown && k < 2) {
				scenario_said(&o, "^\\*\\*\\* Show MAPS$");
				scenario_said(&o, "^[0-9a-f]+-[0-9a-f]+ r-xp .*/fatal");
				scenario_said(&o, "^[0-9a-f]+-[0-9a-f]+ .*/test_trouble$");
			} else {
				scenario_said_not(&o, "Show MAPS");
			}
			scenario_said(&o, FRAME("main\\+"));
			scenario_free(&o);
		}
	}
	unsetenv("PIP_SHOW_MAPS");
}

static const struct CMUnitTest tests[] = {
	TEST_PRIVATE(signals_of_a_mistake),
	cmocka_unit_test(other_signals),
	TEST_PRIVATE(hard_cases),
	TEST_PROCESS_PRIVATE(without_handler),
	cmocka_unit_test(unseen),
	TEST_PRIVATE(stripped),
	TEST_PRIVATE(aware),
	cmocka_unit_test(aware_and_stuck),
#ifdef HAVE_STATIC_PIE
	TEST_PRIVATE(static_pie),
#endif
#ifdef HAVE_CXX
	TEST_PRIVATE(cxx),
#endif
	cmocka_unit_test(no_backtrace),
	cmocka_unit_test(quiet),
	CASE(settings_of_the_task),
	TEST_PRIVATE(several_at_once),
	cmocka_unit_test(root_itself),
	CASE(core_file),
	cmocka_unit_test(gdb_signals),
	cmocka_unit_test(gdb_arguments),
	cmocka_unit_test(gdb_absent),
	TEST_PRIVATE(show_maps),
};

TEST_MAIN(tests)
