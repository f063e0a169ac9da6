/*
 * start.c - what runs inside a task before and after its program.
 * Entry functions: begin() (a constructor), __libc_start_main(), exit(): in place of libc's.
 *
 * spawn.c adds this library to what a task preloads if there is work for it.  Everything here is
 * the task's own copy, on the task's own C library.
 */
#include <alloca.h>
#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <locale.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "base/str.h"
#include "base/sys.h"
#include "embryo/embryo.h"
#include "interp.h"
#include "join.h"
#include "lib.h"
#include "log.h"
#include "root.h"
#include "self.h"
#include "shim.h"
#include "signals.h"
#include "space.h"
#include "taskside/symbol.h"
#include "thread.h"
#include "thread_once.h"

typedef int main_function(int, char **, char **);

static struct task *starting; /* this task, until its program begins and it becomes self */
static main_function *program_main;
static int (*start_function)(void *);

/* A forked child has the task's auxiliary vector, but not what that points to. */
static bool is_there(void *p)
{
	return msync((void *)page_down((uintptr_t)p), PAGE, MS_ASYNC) == 0;
}

typedef int start_main_function(main_function *, int, char **, void (*)(void), void (*)(void),
				void (*)(void), void *);

/* libc's own.  Looked up by a constructor for the same reason as in alloc.c. */
static struct {
	start_main_function *start_main;
	void (*exit)(int);
	int (*cancel)(pthread_t);
	void (*thread_exit)(void *);
} real;

static void bind(void)
{
	*(void **)&real.start_main = dlsym(RTLD_NEXT, "__libc_start_main");
	*(void **)&real.cancel = dlsym(RTLD_NEXT, "pthread_cancel");
	*(void **)&real.thread_exit = dlsym(RTLD_NEXT, "pthread_exit");
	*(void **)&real.exit = dlsym(RTLD_NEXT, "exit");
}

/* Another library's constructor may come first. */
static void need_real(void)
{
	if (!real.exit)
		bind();
}

__attribute__((constructor)) static void begin(void)
{
	struct task *t = (struct task *)getauxval(AT_PIP_TASK);
	uint32_t stage;

	need_real();
	if (!t || !is_there(t) || !is_there(t->space) || t->space->magic != SPACE_MAGIC ||
	    t->space->task_size != sizeof(*t) || !task_is_mine(t))
		return;
	t->shares = 1;
	shim_in_window(t->window);
	/* Loaded on its own account, as what a library needs: nothing below is in libc's place
	 * then, and the program may have begun. */
	if (!t->injected) {
		self_set(t);
		return;
	}
	starting = t;
	if (!t->function[0])
		return;
	switch (symbol_find(t->path, t->function, (void **)&start_function)) {
	case 0:
		stage = STAGE_NO_FUNCTION;
		break;
	case 1:
		return;
	default:
		stage = STAGE_AMBIGUOUS;
		break;
	}
	atomic_store(&t->stage, stage);
	sys_futex_wake_shared(&t->stage, INT_MAX);
	_exit(ENOEXEC);
}

/* The after-hook, once, on the task's main thread.  Returns the task's final exit code. */
static int run_after_hook(struct task *t, int status)
{
	kernel_sigset_t all = ~(kernel_sigset_t)0, before;
	int rc;

	if (!t->hooks.after || t->hooks.after_done || !task_on_main_thread(t))
		return status;
	t->hooks.after_done = 1;
	/* A handler of the task must not run on the root's thread pointer. */
	sys_sigmask(SIG_BLOCK, &all, &before);
	t->hooks.inside = 1;
	rc = arch_call_with_thread_pointer(t->hooks.thread_pointer, t->hooks.after, t->hooks.arg);
	t->hooks.inside = 0;
	sys_sigmask(SIG_SETMASK, &before, NULL);
	if (rc)
		log_err("PIPID:%d after-hook returns %d", t->pipid, rc);
	return rc && status == 0 ? rc : status;
}

static int task_main(int argc, char **argv, char **envp)
{
	struct task *t = starting;
	int rc = t->hooks.before_result;

	self_set(t);
	if (t->aware) {
		/* What the interface promises; any other program keeps the name it was given. */
		program_invocation_name = t->path;
		program_invocation_short_name = (char *)str_base(t->path);
	}
	thread_once();
	/* A program that knows nothing of PiP finds its signals as its caller left them. */
	if (t->aware || t->hooks.after)
		signals_install();
	if (rc)
		log_err("before hook at %p returns %d", (void *)t->hooks.before, rc);
	else
		rc = start_function ? start_function(t->arg) : program_main(argc, argv, envp);
	/* A forked child may return from here as well: it is not in the space, and exit() knows. */
	exit(rc);
}

/* ---- A task that dlmopen() has loaded ------------------------------------------------------- */

static const struct namespace_start *loaded;

static void run_destructors(void)
{
	for (size_t k = 0; k < loaded->nfini; k++)
		for (size_t i = loaded->fini[k].n; i > 0; i--)
			loaded->fini[k].array[i - 1]();
}

/* Begins as the kernel would let it, so that __libc_start_main() is told where main() is. */
static _Noreturn void enter_program(const struct namespace_start *s)
{
	size_t n = (size_t)(s->envp - (char **)s->block);
	uintptr_t *stack;

	while (((char **)s->block)[n])
		n++;
	n++;
	/* The block, and no auxiliary vector. */
	stack = alloca((n + 2 + 2) * sizeof(*stack));
	stack = (uintptr_t *)(((uintptr_t)stack + 15) & ~(uintptr_t)15);
	memcpy(stack, s->block, n * sizeof(*stack));
	memset(stack + n, 0, 2 * sizeof(*stack));
	arch_enter(s->entry, (uintptr_t)stack);
}

/*
 * The main thread has been cancelled.  Left to itself libc would go on where the root's has begun
 * the thread.
 */
static void main_thread_gone(void *arg)
{
	struct task *t = arg;

	atomic_store(&t->end_code, 0x100);
	if (!t->thread.has_threads)
		exit(0);
	fflush(NULL);
	for (;;) /* other threads may go on */
		syscall(SYS_exit, 0);
}

void pip_start_in_namespace(struct task *t, struct namespace_start *s);

/* In its own copy of this library, on its own libc: what __libc_start_main() would do. */
PIP_API void pip_start_in_namespace(struct task *t, struct namespace_start *s)
{
	void *volatile first;

	loaded = s;
	t->shares = 1;
	shim_in_window(t->window);
	interp_adopt(s->facts);
	/* libc readies its allocator without a lock.  Elsewhere pthread_create(3) itself allocates
	 * before there is a second thread; here the dynamic linker does that from the root's. */
	first = malloc(1);
	free(first);
	uselocale(LC_GLOBAL_LOCALE); /* also readies <ctype.h> on this thread */
	environ = s->envp;
	program_invocation_name = s->argv[0];
	program_invocation_short_name = (char *)str_base(s->argv[0]);
	starting = t;
	start_function = s->function;
	atexit(run_destructors);
	pthread_cleanup_push(main_thread_gone, t);
	if (start_function)
		exit(task_main((int)s->block[0], s->argv, s->envp));
	enter_program(s);
	pthread_cleanup_pop(0);
}

/*
 * glibc 2.34 gave this function a new version; programs that were linked before ask for the first
 * one, and ld.so gives nobody a version he did not ask for.  libc's new one serves both.
 */
__asm__(".symver start_main, __libc_start_main@@GLIBC_2.34");
__asm__(".symver start_main_before, __libc_start_main@" GLIBC_FIRST);

start_main_function start_main, start_main_before;

PIP_API int start_main(main_function *main, int argc, char **argv, void (*init)(void),
		       void (*fini)(void), void (*rtld_fini)(void), void *stack_end)
{
	need_real();
	if (starting) {
		program_main = main;
		main = task_main;
		if (loaded) /* what libc would do first has been done */
			exit(task_main(argc, argv, environ));
	}
	return real.start_main(main, argc, argv, init, fini, rtld_fini, stack_end);
}

PIP_API int start_main_before(main_function *, int, char **, void (*)(void), void (*)(void),
			      void (*)(void), void *) __attribute__((alias("start_main")));

PIP_API void exit(int status)
{
	need_real();
	if (self_is_task())
		status = run_after_hook(self_task(), status);
	else if (self_is_root() && task_is_mine(self_task()))
		join_kill_all(self_task(), true);
	if (loaded && self_is_task() && task_on_main_thread(self_task()))
		self_task()->ended_orderly = 1;
	real.exit(status);
	__builtin_unreachable();
}

__asm__(".symver cancel, pthread_cancel@@GLIBC_2.34");
__asm__(".symver cancel_before, pthread_cancel@" GLIBC_FIRST);

int cancel(pthread_t), cancel_before(pthread_t);

/* libc cannot cancel the thread of another C library, unless that has more than one. */
PIP_API int cancel(pthread_t thread)
{
	if (self_task() && thread_cancel(self_task(), thread) == 0)
		return 0;
	need_real();
	return real.cancel(thread);
}

PIP_API int cancel_before(pthread_t) __attribute__((alias("cancel")));

PIP_API void pthread_exit(void *value)
{
	struct task *t = self_task();

	if (self_is_task() && task_on_main_thread(t)) {
		/* To a program that knows nothing of PiP it means what it always does. */
		bool asked = t->aware || t->function[0] || t->hooks.before || t->hooks.after;
		int code = asked ? run_after_hook(t, (int)(intptr_t)value & 0xff) : 0;

		if (t->thread.on) /* which ends with this thread */
			fflush(NULL);
		/* Other threads may go on; the kernel will report 0 when the last of them ends. */
		atomic_store(&t->end_code, 0x100 | (uint32_t)(code & 0xff));
		if (loaded) { /* libc would go back to where the root has begun the thread */
			fflush(NULL);
			syscall(SYS_exit, code);
		}
	}
	need_real();
	real.thread_exit(value);
	__builtin_unreachable();
}
