/*
 * main.c - what a task starts when a signal ends it: line, backtrace, maps, pips and debugger.
 *
 * The task waits for it to end.  What it says goes out in one write, so that it does not mix with
 * what other tasks say; a pipe takes no more than PIPE_BUF bytes like that.
 */
#include "backtrace.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define PATIENCE 10 /* seconds for a backtrace */
#define NAME_MAX_SHOWN 120
#define LINE_MAX_SHOWN (NAME_MAX_SHOWN + 160)

/* As src/embryo/fatal.c gives them. */
struct request {
	const char *line; /* what happened, with its newline */
	pid_t pid, tid;
	uintptr_t context, base;
	const char *program;
	const char *wanted; /* letters: l line, b backtrace, m maps, p pips, g gdb, q quiet */
	const char *prefix, *gdb, *command;
};

/* ---- The report ---------------------------------------------------------------------------- */

static char report[PIPE_BUF];
static size_t report_len;

__attribute__((format(printf, 1, 2))) static void add(const char *format, ...)
{
	va_list ap;
	int n;

	va_start(ap, format);
	n = vsnprintf(report + report_len, sizeof(report) - report_len, format, ap);
	va_end(ap);
	if (n > 0)
		report_len += (size_t)n;
	if (report_len >= sizeof(report))
		report_len = sizeof(report) - 1;
}

static bool write_report(void)
{
	ssize_t n;

	do
		n = write(STDERR_FILENO, report, report_len);
	while (n < 0 && errno == EINTR);
	return n >= 0;
}

#ifdef HAVE_LIBUNWIND

static unsigned frames, repeats;
static uintptr_t last_pc;

static void end_repeats(void)
{
	if (repeats)
		add("      ... and %u more times\n", repeats);
	repeats = 0;
}

static bool show_frame(uintptr_t pc, enum frame_kind kind)
{
	/* A call may be the last thing in its function. */
	uintptr_t inside = kind == FRAME_CALL && pc ? pc - 1 : pc, offset;
	struct module *m = module_at(inside);
	char name[NAME_MAX_SHOWN];
	const char *base;

	if (frames && pc == last_pc) {
		repeats++;
		return true;
	}
	end_repeats();
	if (sizeof(report) - report_len < LINE_MAX_SHOWN) {
		add("      ... more frames\n");
		return false;
	}
	last_pc = pc;
	add("  #%-2u 0x%016lx in ", frames++, (unsigned long)pc);
	if (kind == FRAME_SIGNAL) {
		add("<signal handler called>\n");
		return true;
	}
	if (!m) {
		add("?\n");
		return true;
	}
	base = strrchr(m->path, '/');
	base = base ? base + 1 : m->path;
	if (symbol_at(m, inside, name, sizeof(name), &offset))
		add("%s+0x%lx ", name, (unsigned long)(offset + (pc - inside)));
	add("(%.80s+0x%lx)\n", base, (unsigned long)(pc - m->bias));
	return true;
}

static sigjmp_buf broken;

static void on_trouble(int sig)
{
	siglongjmp(broken, sig);
}

/* What there is in a program that has just gone wrong may be anything. */
static void add_backtrace(const struct request *r)
{
	static const int signals[] = { SIGSEGV, SIGBUS, SIGFPE, SIGABRT, SIGALRM };
	struct sigaction sa = { .sa_handler = on_trouble };

	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		sigaction(signals[i], &sa, NULL);
	if (sigsetjmp(broken, 1) == 0) {
		alarm(PATIENCE);
		modules_find(r->pid, r->base, r->program);
		unwind(r->context, show_frame);
		end_repeats();
		if (!frames)
			add("  no backtrace: the memory of the task cannot be read\n");
	} else {
		end_repeats();
		add("      ... the stack cannot be followed further\n");
	}
	alarm(0);
	sa.sa_handler = SIG_DFL;
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		sigaction(signals[i], &sa, NULL);
}

#else

static void add_backtrace(const struct request *r)
{
	(void)r;
	add("  no backtrace: pip-backtrace was built without libunwind\n");
}

#endif

/* ---- Maps, pips, debugger ------------------------------------------------------------------ */

/* With the identity that the task's line begins with. */
static void warn_of(const struct request *r, const char *what, int error)
{
	const char *from = strchr(r->line, '['), *to = from ? strchr(from, ']') : NULL;

	if (strchr(r->wanted, 'q'))
		return;
	report_len = 0;
	add("PiP-ERR%.*s unable to execute '%s': %s\n", to ? (int)(to + 1 - from) : 0,
	    to ? from : "", what, strerror(error));
	write_report();
}

static void show_maps(const struct request *r)
{
	char name[64], buf[4096];
	ssize_t n, done;
	int fd;

	report_len = 0;
	add("*** Show MAPS\n");
	write_report();
	snprintf(name, sizeof(name), "/proc/%d/maps", r->pid);
	fd = open(name, O_RDONLY | O_CLOEXEC);
	while (fd >= 0 && (n = read(fd, buf, sizeof(buf))) > 0)
		for (ssize_t at = 0; at < n; at += done)
			if ((done = write(STDERR_FILENO, buf + at, (size_t)(n - at))) < 0)
				return;
	if (fd >= 0)
		close(fd);
}

/* The root's environment, which the kernel has for the whole address space; less what changes how
 * programs are loaded. */
static void take_environment(pid_t pid)
{
	static char *list[4096];
	char name[64], *entry = NULL;
	size_t size = 0, n = 0;
	FILE *f;

	snprintf(name, sizeof(name), "/proc/%d/environ", pid);
	f = fopen(name, "re");
	while (f && n < 4095 && getdelim(&entry, &size, '\0', f) > 0)
		if (strncmp(entry, "LD_", 3) != 0 && strchr(entry, '='))
			list[n++] = strdup(entry);
	if (f)
		fclose(f);
	free(entry);
	environ = list;
}

/* Runs a program on what the task has for stderr; says why if it cannot. */
static void run(const struct request *r, const char *path, char *const *argv)
{
	int told[2], error = 0, null;
	pid_t child;

	if (pipe2(told, O_CLOEXEC))
		return;
	child = fork();
	if (child == 0) {
		null = open("/dev/null", O_RDONLY);
		dup2(null, STDIN_FILENO);
		dup2(STDERR_FILENO, STDOUT_FILENO);
		execvp(path, argv);
		error = errno;
		_exit(write(told[1], &error, sizeof(error)) == sizeof(error) ? 127 : 126);
	}
	close(told[1]);
	if (child < 0)
		error = errno;
	else if (read(told[0], &error, sizeof(error)) != sizeof(error))
		error = 0;
	close(told[0]);
	if (child > 0)
		while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
			;
	if (error)
		warn_of(r, path, error);
}

static void run_pips(const struct request *r)
{
	char path[PATH_MAX];
	char *argv[] = { "pips", "x", NULL };

	snprintf(path, sizeof(path), "%s/bin/pips", r->prefix);
	run(r, path, argv);
}

/* The commands that tell gdb of tasks, which has eyes for the root only; "" if not installed. */
static void find_extension(const struct request *r, char *source, size_t size)
{
	static const char *const places[] = { "share/pip", "tools" /* of a build folder */ };

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		snprintf(source, size, "%s/%s/pip-gdb.py", r->prefix, places[i]);
		if (access(source, R_OK) == 0) {
			snprintf(source, size, "source %s/%s/pip-gdb.py", r->prefix, places[i]);
			return;
		}
	}
	source[0] = '\0';
}

static void run_gdb(const struct request *r)
{
	char tid[16], source[PATH_MAX + 32];
	const char *argv[64];
	size_t n = 0;

	snprintf(tid, sizeof(tid), "%d", r->tid);
	argv[n++] = r->gdb;
	argv[n++] = "-quiet";
	argv[n++] = "-p";
	argv[n++] = tid;
	if (r->command[0]) {
		argv[n++] = "-x";
		argv[n++] = r->command;
		argv[n++] = "-batch";
	} else {
		static const char *const before[] = { "set pagination off", "set verbose off",
						      "set complaints 0", "set confirm off",
						      "info inferiors" };
		static const char *const after[] = { "bt", "detach", "quit" };

		for (size_t i = 0; i < sizeof(before) / sizeof(before[0]); i++) {
			argv[n++] = "-ex";
			argv[n++] = before[i];
		}
		find_extension(r, source, sizeof(source));
		if (source[0]) {
			argv[n++] = "-ex";
			argv[n++] = source;
			argv[n++] = "-ex";
			argv[n++] = "pip symbols";
		}
		for (size_t i = 0; i < sizeof(after) / sizeof(after[0]); i++) {
			argv[n++] = "-ex";
			argv[n++] = after[i];
		}
	}
	argv[n] = NULL;
	run(r, r->gdb, (char *const *)argv);
}

/* As they are in a new program: the task has blocked all signals, and may ignore some. */
static void reset_signals(void)
{
	struct sigaction sa = { .sa_handler = SIG_DFL };
	sigset_t none;

	for (int sig = 1; sig < NSIG; sig++)
		sigaction(sig, &sa, NULL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

int main(int argc, char **argv)
{
	struct request r;

	if (argc != 11) {
		fprintf(stderr, "%s: tasks start this program when a signal ends them\n", argv[0]);
		return EXIT_FAILURE;
	}
	r = (struct request){
		.line = argv[1],
		.pid = (pid_t)strtol(argv[2], NULL, 10),
		.tid = (pid_t)strtol(argv[3], NULL, 10),
		.context = strtoul(argv[4], NULL, 16),
		.base = strtoul(argv[5], NULL, 16),
		.program = argv[6],
		.wanted = argv[7],
		.prefix = argv[8],
		.gdb = argv[9],
		.command = argv[10],
	};
	reset_signals();
	if (strchr(r.wanted, 'l')) {
		add("%s", r.line);
		if (strchr(r.wanted, 'b'))
			add_backtrace(&r);
		if (!write_report())
			return EXIT_FAILURE;
	}
	if (strchr(r.wanted, 'm'))
		show_maps(&r);
	if (strpbrk(r.wanted, "pg"))
		take_environment(r.pid);
	if (strchr(r.wanted, 'p'))
		run_pips(&r);
	if (strchr(r.wanted, 'g'))
		run_gdb(&r);
	return EXIT_SUCCESS;
}
