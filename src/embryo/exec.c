/*
 * exec.c - exec in a program of a space.
 * Entry functions: exec_syscall(), exec_in_standin(), exec_in_embryo().
 */
#include "embryo/exec.h"

#include <linux/close_range.h>
#include <sched.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <pip/pip.h>

#include "base/glob.h"
#include "base/str.h"
#include "embryo/birth.h"
#include "embryo/check.h"
#include "embryo/embryo.h"
#include "embryo/end.h"
#include "embryo/rights.h"
#include "embryo/say.h"
#include "embryo/standin.h"
#include "embryo/stop.h"
#include "embryo/window.h"
#include "place.h"
#include "root.h"

#define FILES_LEAST (64UL << 20) /* more than the code of any C library */
#define OTHER_RIGHTS "its rights are not those of the space"
#define SCRIPT_LINE 256 /* BINPRM_BUF_SIZE: what the kernel looks at */
#define SCRIPT_DEPTH 5
#define PRELOAD_NAME "libpip-preload.so"
#define PRELOAD_MAX 8192

enum verdict {
	AS_TASK,
	BY_KERNEL, /* which is sure to take it, or in whose hands an error is as it should be */
	BY_ITSELF, /* by the process that has called exec, as it is */
	NOT_AT_ALL,
};

/* What exec_in_embryo() answers, beside -errno. */
enum answer {
	GO = 1, /* the embryo becomes the program */
	ALONE,  /* the stand-in has to */
};

struct exec {
	struct space *space;
	const char *given, *path; /* of the program; of the file to load: a script's interpreter */
	char *const *argv, *const *envv, *const *argv_given;
	const struct standin_attributes *from; /* NULL: the calling process's own */
	bool checks_rights;                    /* they may not be the space's any more */
	bool parted;                           /* its program has gone from there */
	uintptr_t stack_limit;
	uintptr_t vectors; /* rewritten argument vectors of a script */
	size_t vectors_len;
	int fd;         /* of the program, in a stand-in's fexecve(); -1 = none */
	uintptr_t copy; /* of the arguments, where nobody else can change them; 0 = none */
	size_t copy_len;
	int error;
	const char *why; /* it is not to be a task */
	uint32_t aware;
	struct load load;
	char line[SCRIPT_DEPTH + 1][SCRIPT_LINE + 1];
	char preload[PRELOAD_MAX];
	char real[PATH_MAX];
};

/* ---- Messages ------------------------------------------------------------------------------ */

/* One line for who has asked for it: the environment of the new program tells. */
static void tell(const struct exec *x, const char *what, const char *why)
{
	const char *wanted = place_environment(x->envv, "PIP_VERBOSE");
	struct say s;

	if (!wanted || !str_equal(wanted, "1"))
		return;
	say_begin(&s, "PiP-INFO", NULL);
	say_put(&s, "exec '");
	say_path(&s, x->given);
	say_put(&s, "': ");
	say_put(&s, what);
	if (why) {
		say_put(&s, ": ");
		say_put(&s, why);
	}
	say_end(&s);
	say_write(&s);
}

/* ---- Who becomes a task -------------------------------------------------------------------- */

static enum verdict verdict(struct exec *x, enum verdict v, const char *why)
{
	x->why = why;
	return v;
}

static enum verdict failed(struct exec *x, int error)
{
	x->error = error;
	return verdict(x, NOT_AT_ALL, NULL);
}

/* As the kernel asks it, which knows of file systems mounted noexec as well. */
static int may_execute(const char *path)
{
	int rc = (int)sys_call(SYS_faccessat2, AT_FDCWD, path, 1 /* X_OK */, AT_EACCESS, 0, 0);

	return rc == -ENOSYS ? (int)sys_call(SYS_faccessat, AT_FDCWD, path, 1, 0, 0, 0) : rc;
}

/* Without the kernel's binfmt_misc nothing but ELF and scripts can be executed. */
static bool knows_other_formats(void)
{
	int fd = sys_open("/proc/sys/fs/binfmt_misc/status", O_RDONLY | O_CLOEXEC);

	if (fd >= 0)
		sys_close(fd);
	return fd >= 0;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static char *skip_blanks(char *p, const char *end)
{
	while (p < end && is_blank(*p))
		p++;
	return p;
}

static char *skip_word(char *p, const char *end)
{
	while (p < end && *p && !is_blank(*p))
		p++;
	return p;
}

/*
 * Takes the first line of a script apart, as the kernel does (fs/binfmt_script.c since Linux 5.0).
 * False if it names no interpreter.  A line that does not end in what the kernel looks at loses its
 * end, but the interpreter's name must be whole; a shorter one that nothing ends has an argument
 * as soon as a blank follows the name, if only an empty one.
 */
static bool parse_line(char *line, char **interp, char **argument)
{
	char *limit = line + SCRIPT_LINE - 1, *end = line + 2, *p;

	while (end <= limit && *end != '\n')
		end++;
	if (end > limit) {
		end = limit;
		if (skip_word(skip_blanks(line + 2, end), end) == end)
			return false;
	}
	while (is_blank(end[-1]))
		end--;
	*interp = skip_blanks(line + 2, end);
	if (*interp == end)
		return false;
	p = skip_word(*interp, end);
	*argument = p < end && *p ? skip_blanks(p, end) : NULL;
	*p = *end = '\0';
	return true;
}

/* argv becomes: interpreter, its argument, script, the rest. */
static int rewrite(struct exec *x, char *interp, char *argument)
{
	size_t n = 0, len, at = 0;
	uintptr_t room;
	char **argv;

	while (x->argv[n])
		n++;
	len = (n + 4) * sizeof(char *);
	room = sys_mmap(0, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (sys_failed(room))
		return (int)room;
	argv = (char **)room;
	argv[at++] = interp;
	if (argument)
		argv[at++] = argument;
	argv[at++] = (char *)x->path;
	for (size_t i = 1; i < n; i++)
		argv[at++] = x->argv[i];
	argv[at] = NULL;
	if (x->vectors)
		sys_munmap(x->vectors, x->vectors_len);
	x->vectors = room;
	x->vectors_len = len;
	x->argv = argv;
	x->path = interp;
	return 0;
}

/* Opens x->path and looks what it is.  AS_TASK: a position-independent program, which stays open.
 * BY_KERNEL, but with no reason given: a script. */
static enum verdict look(struct exec *x, char line[SCRIPT_LINE + 1])
{
	struct image *img = &x->load.program;
	const char *what;
	int rc = load_image_open(img, x->path, &what), may = may_execute(x->path);

	if (rc == 0 && may == 0)
		return AS_TASK;
	if (rc == -ELIBSCN && may == 0) {
		memset(line, 0, SCRIPT_LINE + 1);
		sys_pread(img->fd, line, SCRIPT_LINE, 0);
		load_image_close(img);
		return verdict(x, BY_KERNEL, NULL);
	}
	if (img->fd == -EACCES && may == 0)
		return verdict(x, BY_ITSELF, "it cannot be read");
	if (rc == -EMFILE || rc == -ENFILE || rc == -ENOMEM)
		return verdict(x, BY_ITSELF, "there is no descriptor left");
	if (img->fd < 0)
		return failed(x, rc);
	load_image_close(img);
	if (rc == -EACCES || may)
		return failed(x, may ? may : rc);
	if (rc == -ELIBEXEC)
		return verdict(x, BY_KERNEL, "it is not PIE");
	if (rc != -EUNATCH && rc != -ELIBBAD)
		return verdict(x, BY_ITSELF, "it cannot be loaded");
	if (knows_other_formats())
		return verdict(x, BY_ITSELF, "its format is unknown");
	return failed(x, -ENOEXEC);
}

/* From a script to its interpreter. */
static enum verdict resolve(struct exec *x)
{
	for (int depth = 0;; depth++) {
		char *line = x->line[depth], *interp, *argument;
		enum verdict v = look(x, line);

		if (v != BY_KERNEL || x->why)
			return v;
		if (depth == SCRIPT_DEPTH)
			return failed(x, -ELOOP);
		if (!parse_line(line, &interp, &argument))
			return failed(x, -ENOEXEC);
		if (!*interp) /* the working directory, to the kernel */
			return failed(x, -EACCES);
		if (rewrite(x, interp, argument))
			return verdict(x, BY_ITSELF, "out of memory");
	}
}

static uint64_t limit_of(const struct exec *x, int resource)
{
	return x->from ? x->from->limit[resource][0] : sys_limit(resource);
}

static long personality_of(const struct exec *x)
{
	return x->from ? x->from->personality
		       : sys_call(SYS_personality, 0xffffffff, 0, 0, 0, 0, 0);
}

/* Does one of a list's patterns, separated by colons, match?  One without a slash is for the base
 * name. */
static bool matches(const char *list, const char *path)
{
	while (*list) {
		const char *end = list;
		bool whole = false;

		while (*end && *end != ':')
			whole |= *end++ == '/';
		if (glob_match(list, (size_t)(end - list), whole ? path : str_base(path)))
			return true;
		list = *end ? end + 1 : end;
	}
	return false;
}

static bool is_unwanted(const struct exec *x, const char *path)
{
	const char *include = place_environment(x->envv, "PIP_PRELOAD_INCLUDE"),
		   *exclude = place_environment(x->envv, "PIP_PRELOAD_EXCLUDE");

	return (include && *include && !matches(include, path)) ||
	       (exclude && matches(exclude, path));
}

/* Programs whose business it is to change what the kernel keeps for the memory as a whole: the OOM
 * killer's preference, the dumpable flag. */
static bool is_about_memory(const char *path)
{
	static const char *const names[] = { "choom", "ssh-agent", "gpg-agent" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (str_equal(str_base(path), names[i]))
			return true;
	return false;
}

/* What about the file, now open, or about the process keeps it from being a task? */
static const char *hindrance(struct exec *x)
{
	struct space_rights rights;
	const char *why = place_hindrance(&x->load.program, &x->aware);

	if (why)
		return why;
	if (is_unwanted(x, x->real))
		return "PIP_PRELOAD_INCLUDE or PIP_PRELOAD_EXCLUDE says so";
	if (is_about_memory(x->real))
		return "it changes what is one for the whole space";
	if (place_gains_rights(x->path, &x->load.program.st))
		return "it runs with other rights than its caller's";
	if (limit_of(x, RLIMIT_AS) != ~0UL || limit_of(x, RLIMIT_DATA) != ~0UL)
		return "its memory is limited";
	if (limit_of(x, RLIMIT_FSIZE) < FILES_LEAST)
		return "its files are limited"; /* and so are the memory objects for code */
	if (personality_of(x) &
	    (ADDR_NO_RANDOMIZE | READ_IMPLIES_EXEC | ADDR_COMPAT_LAYOUT | MMAP_PAGE_ZERO))
		return "it wants another layout of its memory";
	if (!birth_restore_dumpable(x->space))
		return "the space is not dumpable, as a program is at first";
	if (x->parted)
		return "it has left the space";
	if (x->checks_rights) {
		rights_read(&rights);
		if (memcmp(&rights, &x->space->rights, sizeof(rights)) != 0)
			return OTHER_RIGHTS;
	}
	return x->space->exec_keeps_rights ? NULL : "an exec changes its rights";
}

static enum verdict judge(struct exec *x)
{
	struct load_error err;
	enum verdict v;
	int rc;

	if (!x->path || !x->argv || !x->argv[0] || !x->envv)
		return verdict(x, BY_KERNEL, "it has no arguments");
	v = resolve(x);
	if (v != AS_TASK)
		return v;
	rc = load_open_interp(&x->load, x->path, &err);
	if (rc == -ELIBEXEC) /* a static one, which is not PIE either */
		return verdict(x, BY_KERNEL, "it is not PIE");
	if (rc)
		return verdict(x, BY_ITSELF, "it cannot be loaded");
	if (!place_path(&x->load.program, x->path, x->real))
		str_copy(x->real, x->path, sizeof(x->real));
	x->why = hindrance(x);
	if (!x->why)
		return AS_TASK;
	load_close(&x->load);
	return BY_KERNEL;
}

/* Of a file that is given by a descriptor, by which name the kernel calls it depends on its
 * version. */
static enum verdict judge_descriptor(struct exec *x)
{
	enum verdict v = judge(x);

	if (v == AS_TASK)
		load_close(&x->load);
	else if (v != BY_KERNEL)
		return v;
	/* A script's interpreter opens that by a name that it may not have any more. */
	return x->vectors ? verdict(x, BY_ITSELF, "it is a script without a name")
			  : verdict(x, BY_KERNEL, "it has no name");
}

/* ---- Placing it ---------------------------------------------------------------------------- */

static bool is_separator(char c)
{
	return c == ':' || c == ' ';
}

/*
 * LD_PRELOAD without the launcher's library, which has nothing to do in a task: the traps are
 * in its libc already.  With libpip, if the program uses that: it must come before libc.  The
 * program finds the variable as it was given.
 */
static const char *preload_value(struct exec *x, const char *entry)
{
	const char *p = entry ? entry + 11 : "";
	size_t n = str_copy(x->preload, "LD_PRELOAD=", PRELOAD_MAX), start = n;

	if (!entry && !x->aware)
		return NULL;
	if (str_len(p) + PATH_MAX > PRELOAD_MAX - 32)
		return NULL;
	if (x->aware)
		n += str_copy(x->preload + n, interp_known.libpip, PATH_MAX);
	while (*p) {
		const char *end = p, *base = p;

		while (*end && !is_separator(*end))
			if (*end++ == '/')
				base = end;
		if (end > p && !((size_t)(end - base) == sizeof(PRELOAD_NAME) - 1 &&
				 str_starts(base, PRELOAD_NAME))) {
			if (n > start)
				x->preload[n++] = ':';
			n += str_copy(x->preload + n, p, (size_t)(end - p) + 1);
		}
		p = *end ? end + 1 : end;
	}
	x->preload[n] = '\0';
	return x->preload;
}

/* Places what judge() has opened into the window of t.  0 or -errno. */
static int place(struct exec *x, struct task *t, struct launch **lp)
{
	struct place_program p = {
		.argv = x->argv,
		.envv = x->envv,
		.execfn = x->given,
		.stack_size = place_stack_size(x->stack_limit),
	};
	struct load_error err;
	int rc;

	str_copy(t->path, x->real, sizeof(t->path));
	t->aware = x->aware;
	rc = place_images(t, &x->load, x->envv, &err);
	if (rc)
		return rc;
	p.env_subst = place_environment_index(x->envv, "LD_PRELOAD");
	p.env_value = preload_value(x, x->envv[p.env_subst]);
	t->injected = t->same_interp && x->aware;
	rc = place_stack(t, &x->load, &p, lp);
	if (rc)
		return rc;
	(*lp)->clear_handlers = !x->from; /* else standin_take_over() has done it */
	str_copy((*lp)->comm, str_base(x->given), sizeof((*lp)->comm));
	return 0;
}

/* A child has become a task, with a PIPID. */
static void begin_task(struct exec *x, struct task *t)
{
	tell(x, "task", NULL);
	t->stop_on_start = stop_launched(t, place_environment(x->envv, PIP_ENV_STOP_ON_START));
}

static void forget_vectors(struct exec *x)
{
	if (x->vectors)
		sys_munmap(x->vectors, x->vectors_len);
	x->vectors = 0;
}

static void forget_arguments(struct exec *x)
{
	forget_vectors(x);
	if (x->copy)
		sys_munmap(x->copy, x->copy_len);
	x->copy = 0;
}

/* The last step of all: this process, on a stack in the window of l->task, becomes the program. */
static _Noreturn void enter(struct exec *x, struct launch *l)
{
	struct task *t = l->task;

	forget_arguments(x);
	embryo_close_on_exec(t->code_fd[1]);
	/* What execve(2) resets in a process, beside what the new program's start does. */
	end_forget(t);
	sys_call(SYS_prctl, PR_SET_KEEPCAPS, 0, 0, 0, 0, 0);
	embryo_main(l);
}

/* ---- In a vfork's child, and in a task ----------------------------------------------------- */

struct call {
	struct window_head *head;
	struct task *t; /* the calling process's record */
	struct arch_trap *tr;
	kernel_sigset_t mask;
};

/* Has the kernel do it; if that fails, the call returns. */
static _Noreturn void by_kernel(struct call *c, struct exec *x, bool known)
{
	struct arch_trap frame = *c->tr;
	kernel_sigset_t mask = c->mask;

	if (known && x->why)
		tell(x, "ordinary process", x->why);
	forget_vectors(x);
	atomic_store(&c->t->leaving, 1);
	sys_sigmask(SIG_SETMASK, &mask, NULL);
	frame.nr = sys_call(frame.nr, frame.arg[0], frame.arg[1], frame.arg[2], frame.arg[3],
			    frame.arg[4], 0);
	atomic_store(&c->t->leaving, 0);
	arch_trap_resume(&frame);
}

static _Noreturn void embryo_executes(struct call *c, struct exec *x)
{
	struct task *t = c->t;
	struct launch *l;

	if (place(x, t, &l) || root_enter(root_of(t), PIP_PIPID_ANY, t))
		by_kernel(c, x, false);
	begin_task(x, t);
	l->mask = c->mask;
	atomic_store(&t->launched, LAUNCH_TASK);
	atomic_store(&t->state, TASK_LIVE);
	/* From here on the parent goes on: nothing of its stack, or of *c, is ours any more. */
	atomic_store(&t->stage, STAGE_LOADED);
	sys_futex_wake_shared(&t->stage, INT_MAX);
	enter(x, l);
}

struct replacement {
	struct exec *x;
	struct launch *l;
	struct task *old;
};

/* On the new window's stack. */
static void replace(void *arg)
{
	struct replacement r = *(struct replacement *)arg;
	struct exec x = *r.x;

	tell(&x, "task", NULL);
	birth_replace(r.old, r.l->task);
	for (int timer = 0; timer < r.old->last_timer; timer++)
		sys_call(SYS_timer_delete, timer, 0, 0, 0, 0, 0);
	birth_await_parent(r.old);
	birth_discard(r.old);
	enter(&x, r.l);
}

static _Noreturn void task_executes(struct call *c, struct exec *x)
{
	struct replacement r = { .x = x, .old = c->t };
	struct task *t = birth_claim_husk(c->t);

	if (!t || place(x, t, &r.l) || !end_rseq(c->t)) {
		if (t)
			birth_discard(t);
		by_kernel(c, x, false);
	}
	r.l->mask = c->mask;
	arch_call_on_stack(birth_stack(t), replace, &r);
}

/* On the process's own spare stack. */
static void execute(void *arg)
{
	struct call *c = arg;
	struct exec x;
	kernel_sigset_t all = ~(kernel_sigset_t)0;

	memset(&x, 0, offsetof(struct exec, load));
	x.space = c->t->space;
	x.checks_rights = c->t->changes_rights;
	x.given = x.path = (const char *)c->tr->arg[0];
	x.argv = (char *const *)c->tr->arg[1];
	x.envv = (char *const *)c->tr->arg[2];
	sys_sigmask(SIG_BLOCK, &all, &c->mask);
	x.stack_limit = limit_of(&x, RLIMIT_STACK);
	if (c->t->left_world)
		by_kernel(c, &x, false);
	if (check_exec(x.path, x.argv, x.envv))
		by_kernel(c, &x, false); /* for its error */
	if (judge(&x) != AS_TASK)
		by_kernel(c, &x, true);
	if (c->t->launched == LAUNCH_EMBRYO)
		embryo_executes(c, &x);
	task_executes(c, &x);
}

/* Only the main thread is left in an exec; others would have to be ended first. */
static bool has_threads(void)
{
	struct stat st;

	return sys_call(SYS_newfstatat, AT_FDCWD, "/proc/self/task", &st, 0, 0, 0) ||
	       st.st_nlink != 3; /* ".", ".." and one more */
}

int exec_syscall(struct window_head *head, struct arch_trap *tr)
{
	struct task *t = head->task;
	struct call c = { .head = head, .tr = tr };

	if (task_is_mine(t)) {
		/* One that pip_spawn() started has hooks and waiters that know its record. */
		if (t->launched != LAUNCH_TASK || has_threads())
			return 0;
	} else {
		t = birth_embryo(t, sys_getpid());
		if (!t || birth_is_ordinary(root_of(t)))
			return 0;
	}
	c.t = t;
	arch_call_on_stack(birth_stack(t), execute, &c);
}

/* ---- In a stand-in and its embryo ---------------------------------------------------------- */

/* Copies a vector and its strings behind *at; NULL if there is no room. */
static char **copy_vector(struct standin *s, size_t *at, char *const *from)
{
	size_t n = 0;
	char **to;

	while (from && from[n])
		n++;
	*at = (*at + 7) & ~7UL;
	if ((n + 1) * sizeof(char *) > STANDIN_STRINGS - *at)
		return NULL;
	to = (char **)(s->strings + *at);
	*at += (n + 1) * sizeof(char *);
	for (size_t i = 0; i < n; i++) {
		size_t len = str_len(from[i]) + 1;

		if (len > STANDIN_STRINGS - *at)
			return NULL;
		to[i] = s->strings + *at;
		memcpy(to[i], from[i], len);
		*at += len;
	}
	to[n] = NULL;
	return to;
}

/* What a call asks for. */
struct asked {
	const char *path;
	char *const *argv, *const *envv;
	int fd; /* of the file, whose path is one in /proc then; or -1 */
	char link[32];
};

/* False: it is one that only the stand-in itself can make. */
static bool understand(const struct arch_trap *tr, struct asked *a)
{
	bool at = tr->nr == SYS_execveat;

	a->path = (const char *)tr->arg[at];
	a->argv = (char *const *)tr->arg[1 + at];
	a->envv = (char *const *)tr->arg[2 + at];
	a->fd = -1;
	if (!at)
		return a->path;
	if (!sys_readable(a->path))
		return false;
	if (tr->arg[4] == 0)
		return a->path[0] == '/' || (int)tr->arg[0] == AT_FDCWD;
	if (tr->arg[4] != AT_EMPTY_PATH || a->path[0] || (int)tr->arg[0] < 0)
		return false;
	a->fd = (int)tr->arg[0];
	str_copy(a->link, "/proc/self/fd/", sizeof(a->link));
	str_decimal(a->link + str_len(a->link), (unsigned long)a->fd);
	a->path = a->link;
	return true;
}

/* The call's arguments, where the embryo finds them.  False if there are more than the kernel takes
 * at all. */
static bool copy_arguments(struct standin *s, const struct asked *a)
{
	size_t at = str_len(a->path) + 1;

	if (at >= PATH_MAX)
		return false;
	memcpy(s->strings, a->path, at);
	s->path = s->strings;
	s->fd = a->fd;
	s->argv = copy_vector(s, &at, a->argv);
	s->envv = s->argv ? copy_vector(s, &at, a->envv) : NULL;
	s->length = at;
	return s->envv != NULL;
}

/* The stand-in is about to make it itself. */
static int make_alone(struct standin *s)
{
	s->path = NULL;
	standin_ask(s, STANDIN_EXEC, 0, 0, 0);
	return 0;
}

int exec_in_standin(struct standin *s, struct arch_trap *tr)
{
	kernel_sigset_t all = ~(kernel_sigset_t)0, mask;
	struct asked a;
	long rc;

	if (s->alone)
		return 0;
	if (!understand(tr, &a))
		return tr->nr == SYS_execveat ? make_alone(s) : 0;
	rc = check_exec(a.path, a.argv, a.envv);
	if (rc) {
		tr->nr = rc;
		return 1;
	}
	sys_sigmask(SIG_BLOCK, &all, &mask);
	rc = ALONE;
	if (copy_arguments(s, &a)) {
		standin_read(s, mask);
		rc = standin_ask(s, STANDIN_EXEC, sys_gettid(), 0, 0);
		if (rc == GO)
			standin_end(s);
	}
	sys_sigmask(SIG_SETMASK, &mask, NULL);
	if (rc == ALONE)
		return 0;
	tr->nr = rc;
	return 1;
}

/* What the two share must not outlive the stand-in's exec: close-on-exec descriptors are how
 * launchers learn of it. */
static long leave_alone(struct standin *s)
{
	s->alone = 1;
	sys_call(SYS_close_range, 0, ~0U, CLOSE_RANGE_UNSHARE, 0, 0, 0);
	/* With a working directory in common, a set-user-ID program would not be one. */
	sys_call(SYS_unshare, CLONE_FS, 0, 0, 0, 0, 0);
	return ALONE;
}

/* A pointer of theirs into what the two share, as one into the copy; NULL if it is not one. */
static void *copied(const struct exec *x, const struct standin *s, const void *p)
{
	uintptr_t off = (uintptr_t)p - (uintptr_t)s->strings;

	return off < x->copy_len ? (void *)(x->copy + off) : NULL;
}

static char **copied_vector(const struct exec *x, const struct standin *s, char **vector)
{
	char **v = copied(x, s, vector), **end = (char **)(x->copy + x->copy_len) - 1;

	if (!v || (uintptr_t)v % sizeof(*v))
		return NULL;
	for (char **p = v; p <= end; p++) {
		if (!*p)
			return v;
		*p = copied(x, s, *p);
		if (!*p)
			return NULL;
	}
	return NULL;
}

/*
 * Who has other rights than the programs of the space must not have it read what it cannot, nor
 * change its mind.
 */
static bool copy_from_stranger(struct exec *x, struct task *t, const struct standin *s)
{
	size_t len = s->length;
	uintptr_t room;

	if (!s->path || len > STANDIN_STRINGS)
		return false;
	x->copy_len = len + sizeof(char *);
	room = window_map(t, x->copy_len, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			  -1, 0);
	if (sys_failed(room))
		return false;
	x->copy = room;
	memcpy((void *)room, s->strings, len);
	x->given = x->path = copied(x, s, s->path);
	x->argv = x->argv_given = copied_vector(x, s, s->argv);
	x->envv = copied_vector(x, s, s->envv);
	return x->path && x->argv && x->envv;
}

/*
 * A stand-in that may have other rights by now: the kernel tells, for who has given up his own may
 * lie about that, and the embryo still has them all.  It gives up the same ones.
 */
static bool have_same_rights(struct task *t, pid_t tid)
{
	pid_t pid = atomic_load(&t->standin_pid);

	if (rights_are_mine(pid, tid))
		return true;
	t->changes_rights = t->space->changed_rights = 1;
	return rights_take(pid, tid);
}

static _Noreturn void embryo_by_kernel(struct exec *x, struct task *t)
{
	const struct standin *s = t->standin;

	tell(x, "ordinary process", x->why);
	standin_await_end(t);
	sys_sigmask(SIG_SETMASK, &s->attributes.mask, NULL);
	if (x->fd >= 0)
		sys_call(SYS_execveat, x->fd, "", x->argv_given, x->envv, AT_EMPTY_PATH, 0);
	else
		sys_call(SYS_execve, x->given, x->argv_given, x->envv, 0, 0, 0);
	/* It is too late for an error: the kernel ends a process like this by SIGKILL, too. */
	sys_call(SYS_kill, sys_getpid(), SIGKILL, 0, 0, 0, 0);
	sys_exit_group(127);
}

long exec_in_embryo(struct task *t, struct standin *s)
{
	struct launch *l = NULL;
	struct exec x;

	if (t->standin_left || s->left_world || s->alone || !s->path)
		return leave_alone(s);
	memset(&x, 0, offsetof(struct exec, load));
	x.space = t->space;
	x.given = x.path = s->path;
	x.argv = x.argv_given = s->argv;
	x.envv = s->envv;
	x.fd = s->fd;
	x.from = &s->attributes;
	x.stack_limit = limit_of(&x, RLIMIT_STACK);
	if ((t->standin_rights || t->parted) && !copy_from_stranger(&x, t, s)) {
		forget_arguments(&x);
		return leave_alone(s);
	}
	if (t->standin_rights && !have_same_rights(t, (pid_t)s->arg[0])) {
		tell(&x, "ordinary process", OTHER_RIGHTS);
		forget_arguments(&x);
		return leave_alone(s);
	}
	x.checks_rights = t->changes_rights;
	x.parted = t->parted;
	switch (x.fd >= 0 ? judge_descriptor(&x) : judge(&x)) {
	case AS_TASK:
		if (standin_take_over(s)) {
			load_close(&x.load);
			tell(&x, "ordinary process", "not all it has can be handed over");
			forget_arguments(&x);
			return leave_alone(s);
		}
		standin_answer(s, GO); /* it ends while this goes on */
		if (!place(&x, t, &l) && !root_enter(root_of(t), PIP_PIPID_ANY, t))
			break;
		x.why = "out of memory or descriptors";
		forget_vectors(&x);
		embryo_by_kernel(&x, t);
	case BY_KERNEL:
		if (standin_take_over(s)) {
			tell(&x, "ordinary process", x.why);
			forget_arguments(&x);
			return leave_alone(s);
		}
		forget_vectors(&x);
		standin_answer(s, GO);
		embryo_by_kernel(&x, t);
	case NOT_AT_ALL:
		forget_arguments(&x);
		return x.error;
	case BY_ITSELF:
	default:
		tell(&x, "ordinary process", x.why);
		forget_arguments(&x);
		return leave_alone(s);
	}
	begin_task(&x, t);
	l->mask = s->attributes.mask;
	atomic_store(&t->launched, LAUNCH_TASK);
	atomic_store(&t->state, TASK_LIVE);
	standin_await_end(t);
	enter(&x, l);
}
