/*
 * harness.c - what the test programs share; see harness.h.
 *
 * Entry functions: harness_main(), scenario_run(), sheet_take(), proof_task().
 */
#include "harness.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <linux/kcmp.h>
#include <malloc.h>
#include <poll.h>
#include <regex.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define WINDOW_FRONT 0x836000UL  /* its head and BIRTH_FRONT of src/embryo/birth.h */
#define WINDOW_SIZE (16UL << 30) /* or less */
#define WINDOW_KEPT (24UL << 20) /* for the rest */
#define SURVIVOR_MS 2000         /* killed tasks of a big space take their time to go */

extern char **environ;

static char base_dir[256]; /* of all temp_dir()s */
static pid_t runner;
static char *program;      /* argv[0] */
static char *library_path; /* LD_LIBRARY_PATH, as this program was started with */

/* Names of the linker's and of libc's: from here to there this program is constant. */
/* NOLINTNEXTLINE(bugprone-reserved-identifier): theirs */
extern const char __executable_start[], __data_start[];

/* ---- Odds and ends ---- */

double now_seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

void sleep_ms(int ms)
{
	struct timespec ts = { ms / 1000, ms % 1000 * 1000000L };

	while (nanosleep(&ts, &ts) < 0 && errno == EINTR)
		;
}

bool text_matches(const char *text, const char *regex)
{
	regex_t re;
	bool found;

	if (regcomp(&re, regex, REG_EXTENDED | REG_NOSUB | REG_NEWLINE)) {
		fprintf(stderr, "bad regular expression: %s\n", regex);
		return false;
	}
	found = regexec(&re, text, 0, NULL, 0) == 0;
	regfree(&re);
	return found;
}

char *path_in(const char *dir, const char *name)
{
	char *path;

	check(asprintf(&path, "%s/%s", dir, name) > 0);
	return path;
}

char *temp_dir(void)
{
	char *dir = path_in(base_dir, "XXXXXX");

	check(mkdtemp(dir) != NULL);
	check(chmod(dir, 0755) == 0);
	return dir;
}

void file_write(const char *path, const void *data, size_t len, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	check(fd >= 0);
	for (size_t done = 0; done < len;) {
		ssize_t n = write(fd, (const char *)data + done, len - done);

		check(n > 0);
		done += (size_t)n;
	}
	check(fchmod(fd, mode) == 0); /* whatever the umask */
	close(fd);
}

void file_copy(const char *from, const char *to, mode_t mode)
{
	int fd = open(from, O_RDONLY | O_CLOEXEC);
	struct stat st;
	void *data;

	check(fd >= 0 && fstat(fd, &st) == 0);
	data = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	check(data != MAP_FAILED);
	file_write(to, data, (size_t)st.st_size, mode);
	munmap(data, (size_t)st.st_size);
	close(fd);
}

char *file_read(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t len = 0, room = 65536;
	char *text;
	ssize_t n;

	if (fd < 0)
		return NULL;
	text = malloc(room);
	check(text != NULL);
	while ((n = read(fd, text + len, room - 1 - len)) > 0)
		len += (size_t)n;
	close(fd);
	if (len && text[len - 1] == '\n')
		len--;
	text[len] = '\0';
	return text;
}

/* Reads a small file of /proc without allocating; its length, or -1. */
static ssize_t proc_read(const char *path, char *buf, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t len = 0;
	ssize_t n;

	if (fd < 0)
		return -1;
	while (len < size - 1 && (n = read(fd, buf + len, size - 1 - len)) > 0)
		len += (size_t)n;
	close(fd);
	buf[len] = '\0';
	return (ssize_t)len;
}

/* What follows the name in /proc/PID/stat: "S ppid ..."; the name may contain anything. */
static const char *stat_fields(pid_t pid, char *buf, size_t size)
{
	char path[64], *end;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	if (proc_read(path, buf, size) <= 0)
		return NULL;
	end = strrchr(buf, ')');
	return end ? end + 2 : NULL;
}

int process_state(pid_t pid)
{
	char buf[1024];
	const char *fields = stat_fields(pid, buf, sizeof(buf));

	return fields ? (unsigned char)fields[0] : 0;
}

long process_cpu_ms(pid_t pid)
{
	unsigned long user = 0, system = 0;
	char buf[1024];
	const char *fields = stat_fields(pid, buf, sizeof(buf));

	check(fields != NULL);
	check(sscanf(fields, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user,
		     &system) == 2);
	return (long)((user + system) * 1000 / (unsigned long)sysconf(_SC_CLK_TCK));
}

/* Calls visit for each entry of a directory, without allocating. */
static void directory_each(const char *path, void (*visit)(const char *name, void *arg), void *arg)
{
	static char buf[8192] __attribute__((aligned(8)));
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	long n;

	check(fd >= 0);
	while ((n = syscall(SYS_getdents64, fd, buf, sizeof(buf))) > 0) {
		for (long at = 0; at < n;) {
			struct dirent64 *entry = (void *)(buf + at);

			if (entry->d_name[0] != '.')
				visit(entry->d_name, arg);
			at += entry->d_reclen;
		}
	}
	close(fd);
}

static void count_entry(const char *name, void *arg)
{
	(void)name;
	++*(int *)arg;
}

static int directory_count(const char *path)
{
	int n = 0;

	directory_each(path, count_entry, &n);
	return n;
}

struct brood {
	pid_t parent;
	int count;
	bool kill;
};

static void visit_process(const char *name, void *arg)
{
	struct brood *brood = arg;
	char buf[1024], state;
	const char *fields;
	pid_t pid = atoi(name);
	int ppid;

	if (pid <= 0)
		return;
	fields = stat_fields(pid, buf, sizeof(buf));
	if (!fields || sscanf(fields, "%c %d", &state, &ppid) != 2 || ppid != brood->parent)
		return;
	brood->count++;
	if (brood->kill)
		kill(pid, SIGKILL);
}

int children_count(void)
{
	struct brood brood = { .parent = getpid() };

	directory_each("/proc", visit_process, &brood);
	return brood.count;
}

/* ---- Checks ---- */

void check_failed(const char *file, int line, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	dprintf(STDERR_FILENO, "%s:%d: check failed: ", file, line);
	vdprintf(STDERR_FILENO, format, ap);
	dprintf(STDERR_FILENO, "\n");
	va_end(ap);
	_exit(CHECK_FAILED);
}

void check_int_at(const char *file, int line, const char *expr, intmax_t got, intmax_t want)
{
	if (got != want)
		check_failed(file, line, "%s is %jd (0x%jx), not %jd (0x%jx)", expr, got, got, want,
			     want);
}

void check_str_at(const char *file, int line, const char *expr, const char *got, const char *want)
{
	if (!got || strcmp(got, want) != 0)
		check_failed(file, line, "%s is \"%s\", not \"%s\"", expr, got ? got : "(null)",
			     want);
}

void check_match_at(const char *file, int line, const char *expr, const char *got,
		    const char *regex)
{
	if (!got || !text_matches(got, regex))
		check_failed(file, line, "%s is \"%s\", which does not match \"%s\"", expr,
			     got ? got : "(null)", regex);
}

/* ---- Scenarios ---- */

static _Noreturn void scenario_begin(void (*body)(void *), void *arg)
{
	void *volatile room; /* else the compiler drops malloc() and free() both */

	/* Let the heap be big enough now, so that nobody counts its growth in a balance sheet. */
	mallopt(M_TOP_PAD, 4 << 20);
	mallopt(M_TRIM_THRESHOLD, INT_MAX);
	mallopt(M_MMAP_THRESHOLD, 1 << 20);
	room = malloc(512 << 10);
	free((void *)room);
	body(arg);
	exit(0);
}

/*
 * The scenario in a fresh program, with libpip-preload.so loaded.  That must not be in the runner,
 * or this would be a child of a launcher.  What to call is named by its place in the program, which
 * may be loaded elsewhere.
 */
static _Noreturn void scenario_execute(void (*body)(void *), void *arg)
{
	size_t base = (size_t)__executable_start, value = (size_t)arg;
	bool is_number = value < 4096;
	char exe[PATH_MAX] = "", text[64];

	if (!is_number && (value < base || value >= (size_t)__data_start))
		check_failed(__FILE__, __LINE__, "the scenario's argument is not constant");
	snprintf(text, sizeof(text), "%zx %d %zx", (size_t)body - base, is_number,
		 is_number ? value : value - base);
	check(readlink("/proc/self/exe", exe, sizeof(exe) - 1) > 0);
	setenv("HARNESS_SCENARIO", text, 1);
	setenv("HARNESS_DIR", base_dir, 1);
	setenv("LD_PRELOAD", PRELOAD, 1);
	if (library_path) /* the dlmopen loader goes by the root's */
		setenv("LD_LIBRARY_PATH", library_path, 1);
	execl(exe, program, (char *)NULL);
	check_failed(__FILE__, __LINE__, "%s: %s", exe, strerror(errno));
}

/* In that fresh program; in the runner it returns. */
static void scenario_resume(void)
{
	const char *text = getenv("HARNESS_SCENARIO"), *dir = getenv("HARNESS_DIR");
	size_t base = (size_t)__executable_start, body, value;
	int is_number;

	if (!text)
		return;
	check(dir && sscanf(text, "%zx %d %zx", &body, &is_number, &value) == 3);
	snprintf(base_dir, sizeof(base_dir), "%s", dir);
	unsetenv("HARNESS_SCENARIO");
	unsetenv("HARNESS_DIR");
	unsetenv("LD_LIBRARY_PATH");
	scenario_begin((void (*)(void *))(base + body), (void *)(is_number ? value : base + value));
}

static _Noreturn void scenario_child(int out, int err, void (*body)(void *), void *arg)
{
	int in = open("/dev/null", O_RDONLY);
	sigset_t none;

	setpgid(0, 0);
	/* cmocka catches some signals to jump back into its runner. */
	for (int sig = 1; sig < NSIG; sig++)
		signal(sig, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (in < 0 || dup2(in, 0) < 0 || dup2(out, 1) < 0 || dup2(err, 2) < 0)
		_exit(CHECK_FAILED);
	/* Nor what the runner was started with. */
	for (int fd = 3; fd < 1024; fd++)
		close(fd);
	if (harness_preloads())
		scenario_execute(body, arg);
	scenario_begin(body, arg);
}

static char *memfd_text(int fd, size_t *lenp)
{
	off_t size = lseek(fd, 0, SEEK_END);
	char *text = malloc((size_t)size + 1);
	ssize_t n = -1;

	if (text)
		n = pread(fd, text, (size_t)size, 0);
	if (n != (ssize_t)size)
		check_failed(__FILE__, __LINE__, "cannot read back what was written");
	text[n] = '\0';
	*lenp = (size_t)n;
	close(fd);
	return text;
}

/* Collects orphans that end by themselves; kills the others and tells how many these were. */
static int survivors_end(pid_t group)
{
	struct brood brood = { .parent = getpid(), .kill = true };
	double limit = now_seconds() + SURVIVOR_MS / 1e3;
	int survivors = 0;
	pid_t pid;

	while ((pid = waitpid(-1, NULL, WNOHANG | __WALL)) >= 0 && now_seconds() < limit)
		if (pid == 0)
			sleep_ms(1);
	if (pid < 0)
		return 0;
	/* Those that they leave come to us in turn. */
	do {
		brood.count = 0;
		directory_each("/proc", visit_process, &brood);
		if (!survivors)
			survivors = brood.count;
		kill(-group, SIGKILL);
		while (waitpid(-1, NULL, WNOHANG | __WALL) > 0)
			;
		sleep_ms(1);
	} while (waitpid(-1, NULL, WNOHANG | __WALL) >= 0);
	return survivors;
}

void scenario_run(struct outcome *o, void (*body)(void *), void *arg)
{
	int out = memfd_create("stdout", MFD_CLOEXEC), err = memfd_create("stderr", MFD_CLOEXEC);
	struct pollfd ended = { .events = POLLIN };
	pid_t pid;
	int rc;

	assert_true(out >= 0 && err >= 0);
	/* At one shared offset several writers can overwrite each other (seen on Linux 6.18). */
	assert_true(fcntl(out, F_SETFL, O_APPEND) == 0 && fcntl(err, F_SETFL, O_APPEND) == 0);
	fflush(NULL); /* what is buffered now must not come out twice */
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		scenario_child(out, err, body, arg);

	memset(o, 0, sizeof(*o));
	ended.fd = (int)syscall(SYS_pidfd_open, pid, 0);
	assert_true(ended.fd >= 0);
	do
		rc = poll(&ended, 1, SCENARIO_LIMIT_MS);
	while (rc < 0 && errno == EINTR);
	close(ended.fd);
	if (rc <= 0) {
		o->hung = true;
		kill(pid, SIGKILL);
	}
	assert_int_equal(waitpid(pid, &o->status, 0), pid);
	o->survivors = survivors_end(pid);
	o->out = memfd_text(out, &o->out_len);
	o->err = memfd_text(err, &o->err_len);
}

void scenario_free(struct outcome *o)
{
	free(o->out);
	free(o->err);
	o->out = o->err = NULL;
}

static void print_text(const char *name, const char *text)
{
	if (!*text)
		return;
	fprintf(stderr, "# its %s:\n", name);
	while (*text) {
		size_t len = strcspn(text, "\n");

		fprintf(stderr, "#   %.*s\n", (int)len, text);
		text += len + (text[len] == '\n');
	}
}

void scenario_fail(const struct outcome *o, const char *format, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	fprintf(stderr, "# scenario: %s\n# status 0x%x%s, %d survivors\n", text, o->status,
		o->hung ? ", hung" : "", o->survivors);
	print_text("stdout", o->out);
	print_text("stderr", o->err);
	fail_msg("%s", text);
	abort(); /* fail_msg() does not come back, but is not declared so */
}

/* UBSan reports and goes on. */
static void scenario_sane(const struct outcome *o)
{
	if (o->hung)
		scenario_fail(o, "it hangs");
	if (text_matches(o->err, "runtime error:|AddressSanitizer"))
		scenario_fail(o, "a sanitizer reports an error");
}

void scenario_exited(const struct outcome *o, int code)
{
	scenario_sane(o);
	if (!WIFEXITED(o->status) || WEXITSTATUS(o->status) != code)
		scenario_fail(o, "should exit with %d", code);
}

void scenario_signaled(const struct outcome *o, int signum)
{
	scenario_sane(o);
	if (!WIFSIGNALED(o->status) || WTERMSIG(o->status) != signum)
		scenario_fail(o, "should be killed by %s", strsignal(signum));
}

void scenario_left_nothing(const struct outcome *o)
{
	if (o->survivors)
		scenario_fail(o, "it left %d processes", o->survivors);
}

void scenario_said(const struct outcome *o, const char *regex)
{
	if (!text_matches(o->err, regex))
		scenario_fail(o, "no line of stderr matches \"%s\"", regex);
}

void scenario_said_not(const struct outcome *o, const char *regex)
{
	if (text_matches(o->err, regex))
		scenario_fail(o, "a line of stderr matches \"%s\"", regex);
}

void scenario_passes(void (*body)(void *), void *arg)
{
	struct outcome o;

	scenario_run(&o, body, arg);
	scenario_exited(&o, 0);
	scenario_left_nothing(&o);
	scenario_free(&o);
}

static void call_case(void *function)
{
	((void (*)(void))function)();
}

void scenario_case(void **state)
{
	scenario_passes(call_case, *state);
}

int process_only, private_only, process_private_only;

void scenario_case_process(void **state)
{
	scenario_case(state);
}

void scenario_case_private(void **state)
{
	scenario_case(state);
}

/* ---- main() ---- */

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static void base_dir_remove(void)
{
	if (getpid() == runner)
		nftw(base_dir, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

/* The tests set what they test; the caller's settings must not get in. */
static void environment_clean(void)
{
	const char *path = getenv("LD_LIBRARY_PATH");
	char name[256];

	/* Meson names every library's folder here; programs must find theirs without. */
	if (path)
		library_path = strdup(path);
	unsetenv("LD_LIBRARY_PATH");
	for (char **env = environ; *env;) {
		size_t len = strcspn(*env, "=");

		if (len < sizeof(name) &&
		    (strncmp(*env, "PIP_", 4) == 0 ||
		     (len > 10 && strncmp(*env + len - 10, "_STACKSIZE", 10) == 0))) {
			memcpy(name, *env, len);
			name[len] = '\0';
			unsetenv(name);
			env = environ;
		} else {
			env++;
		}
	}
}

bool harness_threads(void)
{
	const char *mode = getenv("HARNESS_MODE");

	return mode && strcmp(mode, "pthread") == 0;
}

bool harness_launches(void)
{
	const char *mode = getenv("HARNESS_MODE");

	return (mode && strcmp(mode, "process:got") == 0) || harness_preloads();
}

bool harness_preloads(void)
{
	const char *mode = getenv("HARNESS_MODE");

	return mode && strcmp(mode, "process:preload") == 0;
}

bool harness_namespaces(void)
{
	const char *loader = getenv("HARNESS_LOADER");

	return loader && strcmp(loader, "dlmopen") == 0;
}

static bool is_possible(const struct CMUnitTest *test)
{
	const void *mark = test->initial_state;
	bool for_process = test->test_func == scenario_case_process || mark == &process_only ||
			   mark == &process_private_only;
	bool for_private = test->test_func == scenario_case_private || mark == &private_only ||
			   mark == &process_private_only;

	return !(for_process && harness_threads()) && !(for_private && harness_namespaces());
}

/* What the matrix asks for, where environment_clean() has made room for it. */
static void matrix_set(void)
{
	const char *mode = getenv("HARNESS_MODE"), *loader = getenv("HARNESS_LOADER");

	if (mode)
		setenv("PIP_MODE", mode, 1);
	if (loader)
		setenv("PIP_LOADER", loader, 1);
}

int harness_main(int argc, char **argv, const struct CMUnitTest *tests, size_t ntests)
{
	struct CMUnitTest chosen[256];
	size_t nchosen = 0;
	const struct rlimit no_core = { 0, 0 };
	const char *tmp = getenv("TMPDIR");
	int failed;

	program = argv[0];
	scenario_resume();
	runner = getpid();
	setrlimit(RLIMIT_CORE, &no_core);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	environment_clean();
	matrix_set();
	for (size_t i = 0; i < ntests && nchosen < 256; i++)
		if (is_possible(&tests[i]))
			chosen[nchosen++] = tests[i];
	snprintf(base_dir, sizeof(base_dir), "%s/pip-test.XXXXXX", tmp && *tmp ? tmp : "/tmp");
	if (!mkdtemp(base_dir) || chmod(base_dir, 0755) < 0) {
		perror(base_dir);
		return EXIT_FAILURE;
	}
	atexit(base_dir_remove);

	cmocka_set_message_output(CM_OUTPUT_TAP);
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	failed = _cmocka_run_group_tests(argv[0], chosen, nchosen, NULL, NULL);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

void harness_skip(const char *why)
{
	printf("1..0 # SKIP %s\n", why);
	exit(EXIT_SUCCESS);
}

/* ---- Balance sheet ---- */

/* A thread may be waited for a moment before the kernel has forgotten it. */
static int threads_count(void)
{
	int n = directory_count("/proc/self/task"), before;

	do {
		before = n;
		if (before > 1)
			sleep_ms(2);
		n = directory_count("/proc/self/task");
	} while (n != before);
	return n;
}

/* What a launcher keeps for its next child: how much depends on the order in which children end. */
struct kept {
	uintptr_t window; /* the last one with a front */
	uintptr_t rest;   /* where what is behind that begins, 0 = not seen yet */
};

/*
 * The first part of a window, and behind that, at a random place, a stack, the dynamic linker and
 * the C library: src/embryo/kept.c.  A program comes well behind these.  Windows are a multiple of
 * 1 GiB in size, and aligned to it.
 */
static bool is_kept(struct kept *k, const char *line)
{
	uintptr_t at = strtoul(line, NULL, 16), off = at & ((1UL << 30) - 1);

	if (off < WINDOW_FRONT) {
		*k = (struct kept){ off ? at - off : 0, 0 };
		return true;
	}
	if (!k->window || at - k->window >= WINDOW_SIZE)
		return false;
	if (!k->rest)
		k->rest = at;
	return at - k->rest < WINDOW_KEPT &&
	       (!strchr(line, '/') || strstr(line, "/ld") || strstr(line, "/libc.so") ||
		strstr(line, "/memfd:pip-code"));
}

void sheet_take(struct sheet *s)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	char line[PATH_MAX + 128];
	struct kept k;

	check(maps != NULL);
	k = (struct kept){ 0, 0 };
	s->maps = 0;
	s->text_len = 0;
	while (fgets(line, sizeof(line), maps)) {
		size_t len = strlen(line);

		if (is_kept(&k, line))
			continue;
		s->maps++;
		if (len >= sizeof(s->text) - s->text_len)
			continue;
		memcpy(s->text + s->text_len, line, len);
		s->text_len += len;
	}
	s->text[s->text_len] = '\0';
	fclose(maps);
	s->fds = directory_count("/proc/self/fd") - 1; /* without the one that reads it */
	s->threads = threads_count();
	s->children = children_count();
}

/* Prints the lines of a that are not in b. */
static void print_new(const char *mark, const struct sheet *a, const struct sheet *b)
{
	for (const char *line = a->text; *line;) {
		size_t len = strcspn(line, "\n");
		const char *end = line + len + (line[len] == '\n');

		if (!memmem(b->text, b->text_len, line, len))
			dprintf(STDERR_FILENO, "%s %.*s\n", mark, (int)len, line);
		line = end;
	}
}

void sheet_same_at(const char *file, int line, const struct sheet *before)
{
	static struct sheet after;

	sheet_take(&after);
	/* AddressSanitizer keeps freed memory for a while, and maps as it likes.  In namespaces
	 * all tasks use one dynamic linker's lists of stacks, and the root's arenas: that this does
	 * not grow is for test_rounds. */
	if (!HARNESS_ASAN && !harness_namespaces() && after.maps != before->maps) {
		print_new("+", &after, before);
		print_new("-", before, &after);
		check_failed(file, line, "%d mappings, before: %d", after.maps, before->maps);
	}
	if (after.fds != before->fds)
		check_failed(file, line, "%d descriptors, before: %d", after.fds, before->fds);
	if (after.children != before->children)
		check_failed(file, line, "%d children, before: %d", after.children,
			     before->children);
	if (after.threads != before->threads)
		check_failed(file, line, "%d threads, before: %d", after.threads, before->threads);
}

/* ---- Proof ---- */

void proof_begin(struct proof *p)
{
	memset(p, 0, sizeof(*p));
	p->root = getpid();
}

/* A forked child of a root that launches has another one to its parent. */
static pid_t kernel_pid(void)
{
	char link[16] = "";

	check(readlink("/proc/self", link, sizeof(link) - 1) > 0);
	return atoi(link);
}

void proof_task(struct proof *p, pid_t pid)
{
	char buf[1024];
	const char *fields = stat_fields(pid, buf, sizeof(buf));
	int ppid = 0;
	long same;

	check(p->tasks < PROOF_TASKS);
	if (harness_threads()) /* a thread of the root, and no other task's */
		check_int(syscall(SYS_tgkill, p->root, pid, 0), 0);
	if (pid == p->root)
		check_failed(__FILE__, __LINE__, "task %d has the root's PID %d", p->tasks, pid);
	for (int i = 0; i < p->tasks; i++)
		if (pid == p->pid[i])
			check_failed(__FILE__, __LINE__, "tasks %d and %d have the PID %d", i,
				     p->tasks, pid);
	p->pid[p->tasks++] = pid;
	if (harness_threads())
		return;

	/* A thread's TID has a /proc entry too, but is no child of its process. */
	check(fields != NULL);
	check(sscanf(fields, "%*c %d", &ppid) == 1);
	check_int(ppid, kernel_pid());
	/* 0 is "the same", below 0 an error. */
	same = syscall(SYS_kcmp, p->root, pid, KCMP_VM, 0, 0);
	if (same != 0)
		check_failed(__FILE__, __LINE__,
			     "kcmp(KCMP_VM) of root and PID %d is %ld (errno %d)", pid, same,
			     errno);
}

void proof_collected(struct proof *p)
{
	p->collected++;
}

void proof_end(const struct proof *p, int n)
{
	check_int(p->tasks, n);
	check_int(p->collected, n);
	check_int(getpid(), p->root);
	check_int(kill(p->root, 0), 0);
}
