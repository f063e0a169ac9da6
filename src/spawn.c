/*
 * spawn.c - starting a task: slot, files, memory, stack, kernel process, and the wait until its
 * libraries are loaded.  Entry function: spawn_task().
 */
#include "spawn.h"

#include <ctype.h>
#include <linux/sched.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/str.h"
#include "carrier.h"
#include "embryo/embryo.h"
#include "embryo/window.h"
#include "interp.h"
#include "log.h"
#include "mode.h"
#include "namespace.h"
#include "place.h"
#include "root.h"
#include "self.h"
#include "signals.h"
#include "stop.h"
#include "wait.h"

/* ---- The program's file -------------------------------------------------------------------- */

/* As execvp does it, but for the first file that exists.  0 or -ENOENT. */
static int search_path(const char *name, char *found)
{
	const char *path = getenv("PATH");

	if (strchr(name, '/') || !path || !*path) {
		if (!*name || strlen(name) >= PATH_MAX)
			return *name ? -ENAMETOOLONG : -ENOENT;
		strcpy(found, name);
		return 0;
	}
	for (const char *end; *name && path; path = *end ? end + 1 : NULL) {
		struct stat st;
		int n;

		end = strchrnul(path, ':');
		n = snprintf(found, PATH_MAX, "%.*s%s%s", (int)(end - path), path,
			     end > path ? "/" : "", name);
		if (n < PATH_MAX && stat(found, &st) == 0 && S_ISREG(st.st_mode))
			return 0;
	}
	return -ENOENT;
}

static int find_program(const char *name, char *found)
{
	struct stat st;
	int rc = search_path(name, found);

	if (!rc && stat(found, &st))
		rc = -errno;
	if (rc) {
		log_err("'%s': %s", name,
			rc == -ENOENT   ? "no such file"
			: rc == -EACCES ? "permission denied"
					: strerror(-rc));
	} else if (!S_ISREG(st.st_mode)) {
		rc = -EACCES;
		log_err("'%s' is not a regular file", name);
	} else if (!(st.st_mode & 0111)) {
		rc = -EACCES;
		log_err("'%s' is not executable", name);
	} else if (place_gains_rights(found, &st)) {
		rc = -EPERM;
		log_err("'%s' runs with other rights than its caller's and cannot be a task", name);
	}
	return rc;
}

static void explain(const char *name, const struct load_error *err, int rc)
{
	const char *file = err->file;
	bool own = strcmp(err->what, "interpreter") != 0 && !strstr(file, "/ld-");

	switch (own ? -rc : 0) {
	case ELIBSCN:
		log_err("'%s' is a shell script ('shebang', starting with '#!')", name);
		break;
	case EUNATCH:
		log_err("Unable to read ELF header (%s)", name);
		break;
	case ELIBBAD:
		log_err("'%s' is not ELF", name);
		break;
	case ELIBEXEC:
		log_err("'%s' is not PIE", name);
		break;
	case EACCES:
		log_err("'%s': permission denied", name);
		break;
	default:
		log_err("'%s': cannot load '%s' (%s): %s", name, file, err->what, strerror(-rc));
		break;
	}
}

/* ---- Memory and stack ---------------------------------------------------------------------- */

/* The size that PIP_STACKSIZE or one of its kin asks for, in bytes, 0 if it makes no sense. */
static size_t parse_stack_size(const char *value)
{
	char *end;
	long long n = strtoll(value, &end, 10);
	unsigned shift = 10; /* no suffix: KiB, as OMP_STACKSIZE has it */

	switch (toupper((unsigned char)*end)) {
	case 'T':
		shift = 40, end++;
		break;
	case 'G':
		shift = 30, end++;
		break;
	case 'M':
		shift = 20, end++;
		break;
	case 'K':
		shift = 10, end++;
		break;
	case 'B':
		shift = 0, end++;
		break;
	default:
		break;
	}
	if (*end || n <= 0 || n > (long long)(PIP_STACK_SIZE_MAX >> shift))
		return 0;
	return (size_t)n << shift;
}

static size_t stack_size(char *const *envv)
{
	static const char *const names[] = { PIP_ENV_STACKSZ, "KMP_STACKSIZE", "GOMP_STACKSIZE",
					     "OMP_STACKSIZE" };
	size_t size = PIP_STACK_SIZE;
	struct rlimit limit;

	if (getrlimit(RLIMIT_STACK, &limit) == 0)
		size = place_stack_size(limit.rlim_cur);
	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const char *value = place_environment(envv, names[i]);

		if (!value)
			continue;
		size = parse_stack_size(value);
		if (size == 0) {
			log_warn("stack size '%s=%s' is not acceptable; %lu bytes are used",
				 names[i], value, (unsigned long)PIP_STACK_SIZE);
			size = PIP_STACK_SIZE;
		} else if (size < PIP_STACK_SIZE_MIN) {
			log_warn("stack size '%s=%s' is too small; %lu bytes are used", names[i],
				 value, (unsigned long)PIP_STACK_SIZE_MIN);
			size = PIP_STACK_SIZE_MIN;
		} else if (getrlimit(RLIMIT_STACK, &limit) == 0 &&
			   limit.rlim_cur != RLIM_INFINITY && size > limit.rlim_cur) {
			log_warn(
				"stack size '%s=%s' is above the limit of %lu bytes, which is used",
				names[i], value, (unsigned long)limit.rlim_cur);
			size = limit.rlim_cur;
		}
		break;
	}
	return page_up(size);
}

/* Adds libpip to what the caller preloads; embryo_restore_environment() takes it back. */
static char *preload_string(const char *entry)
{
	const char *old = entry ? entry + 11 : "";
	const char *path = interp_facts()->libpip;
	char *s = malloc(11 + strlen(path) + 1 + strlen(old) + 1);

	if (s)
		sprintf(s, "LD_PRELOAD=%s%s%s", path, *old ? ":" : "", old);
	return s;
}

/* ---- The kernel's part --------------------------------------------------------------------- */

bool spawn_core_valid(uint32_t coreno)
{
	uint32_t flag = coreno & PIP_CPUCORE_FLAG_MASK;

	if (coreno == PIP_CPUCORE_ASIS)
		return true;
	return (flag == 0 || flag == PIP_CPUCORE_ABS) &&
	       (coreno & PIP_CPUCORE_CORENO_MASK) < PIP_CPUCORE_CORENO_MAX;
}

/* The CPUs the root can use, not only those it is bound to now: what the kernel grants when all are
 * asked for.  Asked for once, on the spawning thread, which gets its own set back. */
static const cpu_set_t *usable_cpus(void)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	static cpu_set_t usable;
	static bool known;
	cpu_set_t now, all;

	pthread_mutex_lock(&lock);
	if (!known && sched_getaffinity(0, sizeof(now), &now) == 0) {
		memset(&all, 0xff, sizeof(all));
		usable = now;
		if (sched_setaffinity(0, sizeof(all), &all) == 0) {
			sched_getaffinity(0, sizeof(usable), &usable);
			sched_setaffinity(0, sizeof(now), &now);
		}
		known = true;
	}
	pthread_mutex_unlock(&lock);
	return &usable;
}

static void choose_cpu(struct launch *l, uint32_t coreno)
{
	cpu_set_t *set = (cpu_set_t *)l->cpus;
	uint32_t n = coreno & PIP_CPUCORE_CORENO_MASK;

	l->bind = coreno != PIP_CPUCORE_ASIS;
	if (!l->bind)
		return;
	CPU_ZERO(set);
	if (coreno & PIP_CPUCORE_ABS) {
		if (n < CPU_SETSIZE)
			CPU_SET(n, set); /* else it stays empty, which the kernel refuses */
		return;
	}
	n %= (uint32_t)CPU_COUNT(usable_cpus());
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, usable_cpus()) && n-- == 0)
			CPU_SET(cpu, set);
}

static void name_task(char comm[16], const struct task *t)
{
	comm[0] = (char)('0' + t->pipid % 10);
	comm[1] = mode_mark(t->mode);
	str_copy(comm + 2, str_base(t->path), 14);
}

/* Other threads could open more between this look and the clone; then the task looks itself. */
static void list_descriptors(struct task *t)
{
	struct stat threads;

	t->nclose = -1;
	if (stat("/proc/self/task", &threads) || threads.st_nlink != 3) /* ".", ".." and one more */
		return;
	t->nclose = embryo_list_close_on_exec(t->close, EMBRYO_FDS);
	if (t->nclose > EMBRYO_FDS)
		t->nclose = -1;
}

#define THREAD_FLAGS                                                                               \
	((uint64_t)CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD |              \
	 CLONE_SYSVSEM | CLONE_CHILD_CLEARTID | CLONE_PARENT_SETTID)

static pid_t clone_task(struct task *t, struct launch *l, uintptr_t stack_low)
{
	struct clone_args args = {
		.flags = CLONE_VM | CLONE_CLEAR_SIGHAND | CLONE_CHILD_CLEARTID |
			 CLONE_PARENT_SETTID,
		.child_tid = (uintptr_t)&t->stage,
		.parent_tid = (uintptr_t)&t->pid,
		.exit_signal = SIGCHLD,
		.stack = stack_low,
		.stack_size = (uintptr_t)l - stack_low,
	};
	kernel_sigset_t all = ~(kernel_sigset_t)0, before;
	long pid;

	if (t->thread.on) {
		args.flags = THREAD_FLAGS;
		args.child_tid = (uintptr_t)&t->thread.alive;
		args.exit_signal = 0;
		atomic_store(&t->thread.alive, 1);
	}
	/* Between clone and the program's first instruction a signal would run a handler of this
	 * program on the new process, with this thread's TLS. */
	sys_sigmask(SIG_BLOCK, &all, &before);
	/* SIGCHLD is blocked for the root's own sake; a task starts as if it were not. */
	l->mask = before & ~(1UL << (SIGCHLD - 1));
	if (t->thread.on && t->name_space)
		pid = namespace_begin(t, l);
	else
		pid = arch_clone3(&args, sizeof(args), embryo_main, l);
	if (pid == -ENOSYS || pid == -EINVAL) { /* before Linux 5.5, and some sandboxes */
		l->clear_handlers = !t->thread.on;
		pid = arch_clone((args.flags & ~(CLONE_CLEAR_SIGHAND | CLONE_PARENT_SETTID)) |
					 args.exit_signal,
				 l, t->thread.on ? (int *)&t->thread.alive : (int *)&t->stage,
				 embryo_main, l);
		if (pid > 0)
			atomic_store(&t->pid, (int)pid);
	}
	sys_sigmask(SIG_SETMASK, &before, NULL);
	return (pid_t)pid;
}

/* Waits until the task's libraries are loaded.  Returns false if it ended before. */
static bool await_loaded(struct task *t)
{
	struct timespec limit = { 0, 5000000 };

	for (;;) {
		uint32_t stage = atomic_load(&t->stage);

		if (stage == STAGE_LOADED || stage == STAGE_NO_FUNCTION || stage == STAGE_AMBIGUOUS)
			return true;
		if (stage == STAGE_GONE)
			return false;
		/* Once its libc has named a futex of its own, its end does not wake this one. */
		if (sys_futex_wait_shared(&t->stage, STAGE_LOADING, &limit) == -ETIMEDOUT) {
			/* Its status may be gone: SIGCHLD is ignored, or another thread took it. */
			if (wait_has_ended(t) && atomic_load(&t->stage) == STAGE_LOADING)
				return false;
			if (limit.tv_nsec < 80000000)
				limit.tv_nsec *= 2;
		}
	}
}

/* The task has ended, or is about to, before main: says why and gives the error. */
static int failed_start(struct task *root, struct task *t, const char *name)
{
	uint32_t stage = atomic_load(&t->stage);
	int status = 0, rc;

	if (stage == STAGE_NO_FUNCTION || stage == STAGE_AMBIGUOUS) {
		if (stage == STAGE_AMBIGUOUS)
			log_err("%s: symbol '%s' has multiple definitions", name, t->function);
		else
			log_err("%s: Unable to find start function (%s)", name, t->function);
		wait_collect(root, t, &status);
		return -ENOEXEC;
	}
	if (wait_peek(t, &status)) {
		log_err("%s: Unable to load %s - its process is gone", name, t->path);
		wait_collect(root, t, &status);
		return -ELIBEXEC;
	}
	/* ld.so has said what is missing and left with 127; a file that shrank gives SIGBUS. */
	if ((WIFEXITED(status) && WEXITSTATUS(status) == 127) ||
	    (WIFSIGNALED(status) && (WTERMSIG(status) == SIGBUS || WTERMSIG(status) == SIGSEGV))) {
		log_err("%s: Unable to load %s - %s", name, t->path,
			WIFEXITED(status) ? "the dynamic linker gave up"
					  : strsignal(WTERMSIG(status)));
		wait_collect(root, t, &status);
		rc = -ELIBEXEC;
	} else {
		rc = 0; /* killed from outside: a task like any other, with its own status */
	}
	return rc;
}

/* ---- All together -------------------------------------------------------------------------- */

/*
 * libpip is added to a program that has a use for it: one that is linked with it, or one with hooks
 * or a start function.  All others run without it, and start the faster.
 */
static int make_stack(struct task *t, const pip_spawn_program_t *p, char *const *envv, bool hooked,
		      const struct load *load, const char *execfn, struct launch **lp)
{
	char *const none[] = { p->prog, NULL };
	struct place_program program = { p->argv ? p->argv : none, envv,           execfn,
					 stack_size(envv),         STACK_NO_SUBST, NULL };
	char *preload = NULL;
	int rc;

	t->injected = t->same_interp && interp_facts()->libpip[0] &&
		      (hooked || p->funcname || t->aware);
	if (t->injected) {
		program.env_subst = place_environment_index(envv, "LD_PRELOAD");
		program.env_value = preload = preload_string(envv[program.env_subst]);
		if (!preload)
			return -ENOMEM;
	}
	rc = place_stack(t, load, &program, lp);
	free(preload);
	return rc;
}

static int refuse_thread(const pip_spawn_program_t *p)
{
	log_err("'%s' cannot be a thread: its exit would end the root", p->prog);
	return -ELIBEXEC;
}

static int prepare_namespace(struct task *t, const pip_spawn_program_t *p, char *const *envv,
			     struct load *load, struct launch **lp)
{
	int rc = namespace_open(t, p, envv, load, stack_size(envv), lp);

	load_close(load);
	if (rc)
		return rc;
	if (t->thread.on && !t->sees.exit)
		return refuse_thread(p);
	t->injected = 1;
	(*lp)->task = t;
	return 0;
}

static int prepare_private(struct task *t, const pip_spawn_program_t *p, char *const *envv,
			   bool hooked, const char *found, struct load *load, struct launch **lp)
{
	struct load_error err = { p->prog, "" };
	int rc = place_images(t, load, envv, &err);

	if (rc) {
		explain(p->prog, &err, rc);
		load_close(load);
		return rc;
	}
	if (t->thread.on && !t->sees.exit) {
		load_close(load);
		return refuse_thread(p);
	}
	rc = make_stack(t, p, envv, hooked, load, found, lp);
	if (rc) {
		log_err("'%s': unable to make the stack: %s", p->prog, strerror(-rc));
		return rc;
	}
	if (p->funcname && !t->injected) {
		log_err("%s: Unable to find start function (%s)", p->prog, p->funcname);
		return -ENOEXEC;
	}
	return 0;
}

static int prepare(struct task *t, const pip_spawn_program_t *p, char *const *envv, bool hooked,
		   struct launch **lp)
{
	struct load load;
	struct load_error err = { p->prog, "" };
	char found[PATH_MAX];
	const char *hindrance;
	int rc;

	rc = find_program(p->prog, found);
	if (rc)
		return rc;
	interp_facts();
	rc = load_open(&load, found, &err);
	if (rc) {
		explain(p->prog, &err, rc);
		return rc == -ENOEXEC && err.file == found ? -ELIBEXEC : rc;
	}
	if (!place_path(&load.program, found, t->path) && !realpath(found, t->path))
		strcpy(t->path, found);
	hindrance = place_hindrance(&load.program, &t->aware);
	if (hindrance) {
		log_err("'%s' %s", p->prog, hindrance);
		load_close(&load);
		return -ELIBEXEC;
	}
	if (root_of(t)->namespaces)
		rc = prepare_namespace(t, p, envv, &load, lp);
	else
		rc = prepare_private(t, p, envv, hooked, found, &load, lp);
	if (rc)
		return rc;
	(*lp)->ignored = t->thread.on ? 0 : signals_ignored();
	name_task((*lp)->comm, t);
	return 0;
}

static int set_function(struct task *t, const pip_spawn_program_t *p)
{
	if (!p->funcname)
		return 0;
	if (!*p->funcname || strlen(p->funcname) >= sizeof(t->function)) {
		log_err("%s: Unable to find start function (%s)", p->prog, p->funcname);
		return -ENOEXEC;
	}
	strcpy(t->function, p->funcname);
	t->arg = p->arg;
	return 0;
}

static int set_hooks(struct task *t, const char *prog, const pip_spawn_hook_t *hook)
{
	int rc;

	if (!hook || (!hook->before && !hook->after))
		return 0;
	t->hooks.before = hook->before;
	t->hooks.after = hook->after;
	t->hooks.arg = hook->hookarg;
	rc = carrier_start((struct carrier **)&t->hooks.carrier, &t->hooks.thread_pointer);
	if (rc)
		log_err("'%s': unable to create the thread for its hooks: %s", prog, strerror(-rc));
	return rc;
}

int spawn_task(struct task *root, const pip_spawn_program_t *p, uint32_t coreno, int *pipidp,
	       const pip_spawn_hook_t *hook)
{
	char *const *envv = p->envv ? p->envv : environ;
	uintptr_t stack_low;
	struct launch *l = NULL;
	struct task *t;
	pid_t pid;
	int rc;

	rc = root_claim(root, pipidp ? *pipidp : PIP_PIPID_ANY, &t);
	if (rc)
		return rc;
	rc = space_guard_brk(root->space);
	if (!rc)
		rc = prepare(t, p, envv, hook && (hook->before || hook->after), &l);
	if (!rc)
		rc = set_function(t, p);
	if (!rc)
		rc = set_hooks(t, p->prog, hook);
	if (rc)
		goto fail;
	choose_cpu(l, coreno);
	if (!t->thread.on)
		list_descriptors(t);
	if (root->process && !t->thread.on) { /* it is its embryo to its tasks, too */
		t->parent_pid = root->process;
		t->parent_shown = root->pid;
	}
	t->aux = p->aux;
	t->stop_on_start = stop_wanted(t);
	t->stage = STAGE_LOADING;
	atomic_store(&t->state, TASK_LIVE);
	stack_low = (uintptr_t)l - 64UL * 1024;
	pid = clone_task(t, l, stack_low);
	if (pid < 0) {
		rc = pid;
		log_err("'%s': unable to create the process of task %d: %s", p->prog, t->pipid,
			strerror(-rc));
		goto fail;
	}
	if (!await_loaded(t) || atomic_load(&t->stage) != STAGE_LOADED) {
		rc = failed_start(root, t, p->prog);
		if (rc)
			return rc; /* collected: the slot is free again */
	}
	atomic_store(&t->spawned, 1);
	if (t->bind_failed)
		log_warn("Unable to bind CPU core:%u", coreno & PIP_CPUCORE_CORENO_MASK);
	if (pipidp)
		*pipidp = t->pipid;
	if (t->stop_on_start)
		stop_await(t);
	return 0;
fail:
	atomic_store(&t->state, TASK_CLAIMED);
	carrier_stop(t->hooks.carrier, false);
	namespace_close(namespace_leave(t), false);
	window_close(t);
	root_release(root, t);
	return rc;
}
