/*
 * pip.h - the public interface of Process-in-Process (PiP).
 *
 * A process that calls pip_init() becomes a *root*.  pip_spawn() and pip_task_spawn() start
 * programs as *tasks* in the root's own address space: each task has variables, a libc and (in the
 * process modes) a PID of its own, yet a pointer made by one is valid in all.  pip_wait() collects
 * them.
 *
 *	1  Constants             modes, PIPIDs, CPU cores, environment variables
 *	2  Types                 their layout is ABI
 *	3  Filling in a program  pip_spawn_from_main(), pip_spawn_from_func(), pip_spawn_hook()
 *	4  Starting and leaving  pip_init(), pip_fin(), pip_is_initialized()
 *	5  Spawning              pip_task_spawn(), pip_spawn()
 *	6  Sharing addresses     pip_named_export(), pip_named_import(), pip_export(), pip_set_aux()
 *	7  Waiting               pip_wait(), pip_trywait(), pip_wait_any(), pip_trywait_any()
 *	8  Queries               pip_get_pipid(), pip_get_mode(), pip_isa_root(), ...
 *	9  Ending and signals    pip_exit(), pip_abort(), pip_kill(), pip_sigmask(), ...
 *	10 Synchronisation       pip_barrier_*(), pip_yield(), the locks
 *	11 Memory and libraries  pip_malloc() and pip_dlopen() with their relatives
 *	12 Messages, diagnosis   pip_err_mesg(), pip_idstr(), pip_debug_info(), ...
 *
 * Said once, true everywhere unless a function says otherwise:
 *
 * - An int result is 0 or a positive errno code.  errno itself is not part of the contract.
 * - The library is *effective* from a successful pip_init() to pip_fin() in a root, and during a
 *   task's whole life after its constructors: a task need not call pip_init().  It is not effective
 *   in a child that root or task has forked, until that child calls pip_init().
 * - "Callers" tells who may call a function: the root, a task, or anybody, "anybody" including
 *   programs in which the library is not effective.
 * - A *target* PIPID is an argument that names an existing root or task.  It is checked in this
 *   order: EPERM if the library is not effective; EINVAL for PIP_PIPID_ANY and PIP_PIPID_NULL;
 *   PIP_PIPID_MYSELF stands for the caller; PIP_PIPID_ROOT gives EACCES if the root has gone;
 *   ERANGE for any other number that is negative or not below the number given to pip_init().
 */
#ifndef PIP_PIP_H
#define PIP_PIP_H

#include <errno.h>
#include <semaphore.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/select.h> /* sigset_t, which <signal.h> hides in strict ISO C */
#include <sys/types.h>  /* pid_t */

/** The storage class of the functions defined in this header; a program may define its own. */
#ifndef INLINE
#define INLINE inline static
#endif

/** Defined, empty, since version 2.4. */
#define PIP_HAVE_LDPIP

/* ---- 1 Constants --------------------------------------------------------------------------- */

/** @name Modes: what a task is to the kernel.  For pip_init(), and from pip_get_mode(). */
/** @{ */
#define PIP_OPTS_NONE 0x0                 /**< let PIP_MODE, or the library, choose the mode */
#define PIP_MODE_PTHREAD 0x1000U          /**< threads of the root: one PID, one fd table */
#define PIP_MODE_PROCESS_PRELOAD 0x0100U  /**< processes; needs the shim in LD_PRELOAD */
#define PIP_MODE_PROCESS_PIPCLONE 0x0400U /**< processes; needs nothing */
#define PIP_MODE_PROCESS_GOT_OBS 0x8000U  /**< the obsolete option for process:got */
#define PIP_MODE_PROCESS (PIP_MODE_PROCESS_PRELOAD | PIP_MODE_PROCESS_PIPCLONE) /**< either */
#define PIP_MODE_MASK 0xFF00U /**< the bits that tell the mode */
/** All that pip_init() knows, though not together. */
#define PIP_VALID_OPTS                                                                             \
	(PIP_MODE_PTHREAD | PIP_MODE_PROCESS_PRELOAD | PIP_MODE_PROCESS_PIPCLONE |                 \
	 PIP_MODE_PROCESS_GOT_OBS)
/** @} */

/** @name PIPIDs with a meaning of their own.  A task's own PIPID is 0 or above. */
/** @{ */
#define PIP_MAGIC_NUM (-747)                 /**< just above them */
#define PIP_PIPID_ROOT (PIP_MAGIC_NUM - 1)   /**< the root */
#define PIP_PIPID_MYSELF (PIP_MAGIC_NUM - 2) /**< whoever calls */
#define PIP_PIPID_SELF PIP_PIPID_MYSELF      /**< the same, shorter */
#define PIP_PIPID_ANY (PIP_MAGIC_NUM - 3)    /**< any free PIPID, when spawning */
#define PIP_PIPID_NULL (PIP_MAGIC_NUM - 4)   /**< no PIPID at all */
/** @} */

/** The largest number of tasks that one root can have at a time. */
#define PIP_NTASKS_MAX 1024

/** @name CPU cores: the coreno argument of the spawn functions, a number or number|ABS or ASIS. */
/** @{ */
#define PIP_CPUCORE_FLAG_SHIFT 24          /**< bits below those of the flags */
#define PIP_CPUCORE_FLAG_MASK 0xFF000000U  /**< the bits of ASIS and ABS */
#define PIP_CPUCORE_CORENO_MASK 0x00FFFFFF /**< the bits of the number */
#define PIP_CPUCORE_CORENO_MAX (1 << 20)   /**< core numbers are below this */
#define PIP_CPUCORE_ASIS 0x01000000U       /**< alone: keep the affinity of the spawning thread */
#define PIP_CPUCORE_ABS 0x02000000U        /**< with a number: that of the kernel */
/** @} */

/** @name Flags of pip_yield() */
/** @{ */
#define PIP_YIELD_DEFAULT 0x0U /**< to whomever the library likes */
#define PIP_YIELD_USER 0x1U    /**< to another task on this kernel thread: there is none */
#define PIP_YIELD_SYSTEM 0x2U  /**< to another kernel thread */
/** @} */

/** @name Size of a task's stack, in bytes */
/** @{ */
#define PIP_STACK_SIZE (16LU * 1024 * 1024)    /**< if PIP_STACKSIZE does not say otherwise */
#define PIP_STACK_SIZE_MIN (4LU * 1024 * 1024) /**< what less is raised to */
#define PIP_STACK_SIZE_MAX (1014LU * 1024 * 1024 * 1024) /**< more is no size */
/** @} */

/** @name PIP_MODE and its values */
/** @{ */
#define PIP_ENV_MODE "PIP_MODE"                          /**< name of the variable */
#define PIP_ENV_MODE_THREAD "thread"                     /**< PIP_MODE_PTHREAD */
#define PIP_ENV_MODE_PTHREAD "pthread"                   /**< the same */
#define PIP_ENV_MODE_PROCESS "process"                   /**< PIP_MODE_PROCESS */
#define PIP_ENV_MODE_PROCESS_PRELOAD "process:preload"   /**< PIP_MODE_PROCESS_PRELOAD */
#define PIP_ENV_MODE_PROCESS_PIPCLONE "process:pipclone" /**< PIP_MODE_PROCESS_PIPCLONE */
#define PIP_ENV_MODE_PROCESS_GOT "process:got"           /**< has no PIP_MODE constant in use */
/** @} */

/** @name Names of the other environment variables */
/** @{ */
#define PIP_ENV_STACKSZ "PIP_STACKSIZE"           /**< stack size of a task; in KiB if no suffix */
#define PIP_ENV_QUIET "PIP_QUIET"                 /**< if present, print no messages */
#define PIP_ENV_STOP_ON_START "PIP_STOP_ON_START" /**< [script][@[pipid]]: SIGSTOP new tasks */
#define PIP_ENV_GDB_PATH "PIP_GDB_PATH"           /**< debugger to attach on a fatal signal */
#define PIP_ENV_GDB_COMMAND "PIP_GDB_COMMAND"     /**< file of debugger commands for that */
#define PIP_ENV_GDB_SIGNALS "PIP_GDB_SIGNALS"     /**< which signals: names joined by + and - */
#define PIP_ENV_SHOW_MAPS "PIP_SHOW_MAPS" /**< "on": print the memory map on these signals */
#define PIP_ENV_SHOW_PIPS "PIP_SHOW_PIPS" /**< "on": list the tasks on these signals */
#ifdef PIP_PRELOAD
#define PIP_ENV_PRELOAD "PIP_PRELOAD" /**< objects to load into each task first */
#endif
/** @} */

#ifdef __cplusplus
extern "C" {
#endif

/* ---- 2 Types ------------------------------------------------------------------------------- */

/**
 * What to run: for pip_task_spawn().  Fill it in with pip_spawn_from_main() or
 * pip_spawn_from_func().  The library copies the strings and both vectors; arg and aux reach the
 * task as the pointers they are.
 */
typedef struct {
	char *prog;        /**< file of the program; without a slash, searched for in PATH */
	char **argv;       /**< argument vector of main, ended by NULL */
	char **envv;       /**< environment, ended by NULL; NULL: the caller's environ */
	char *funcname;    /**< function to start instead of main, or NULL */
	void *arg;         /**< argument of that function */
	void *aux;         /**< the task's first pip_get_aux() value */
	void *reserved[2]; /**< zero */
} pip_spawn_program_t;

/** A function to run in a new task; see pip_spawn_hook_t.  Returns 0, or the task's exit code. */
typedef int (*pip_spawnhook_t)(void *);

/**
 * Functions of the root's program that run around a task's own.  Both run on the task's kernel
 * thread, PID and descriptors, but use the root's variables and libc.
 */
typedef struct {
	/** Before main.  Close-on-exec descriptors are still open; it may dup and close.  If it
	 *  does not return 0, main does not run and the task exits with that value. */
	pip_spawnhook_t before;
	/** After main, exit() or pip_exit(), but not after _exit() or SIGKILL.  If the task's own
	 *  value is 0, the hook's becomes the exit code. */
	pip_spawnhook_t after;
	void *hookarg;     /**< argument of both */
	void *reserved[5]; /**< unused */
} pip_spawn_hook_t;

/** What the kernel or libc calls a task: its TID in process mode, its pthread_t in thread mode. */
typedef uintptr_t pip_id_t;

/** A barrier, in memory that any of its users may own.  Initialise it with pip_barrier_init(). */
typedef struct pip_barrier {
	int count_init;          /**< callers that a round needs */
	volatile uint32_t count; /**< callers that have come in this round */
	volatile int gsense;     /**< rounds that are over; what the others sleep on */
	/** Unused, but part of the layout; aligned as in glibc (it would be 4 in musl). */
	sem_t semaphore[2] __attribute__((aligned(8)));
} pip_barrier_t;

/* ---- 3 Filling in a program ---------------------------------------------------------------- */

/** The caller's environment; <unistd.h> declares it for _GNU_SOURCE only. */
extern char **environ;

/**
 * Describe a program that starts at its main function.
 *
 * @param progp  the description to fill in
 * @param prog   file of the program; NULL: argv[0]
 * @param argv   argument vector, ended by NULL; must not be NULL if prog is NULL
 * @param envv   environment, ended by NULL; NULL: the caller's environ
 * @param aux    the task's first pip_get_aux() value
 *
 * Callers: anybody.  Nothing is copied: what the pointers refer to must last until the spawn.
 */
INLINE void pip_spawn_from_main(pip_spawn_program_t *progp, char *prog, char **argv, char **envv,
				void *aux)
{
	memset(progp, 0, sizeof(*progp));
	progp->prog = prog ? prog : argv[0];
	progp->argv = argv;
	progp->envv = envv ? envv : environ;
	progp->aux = aux;
}

/**
 * Describe a program that starts at a function of it other than main.
 *
 * @param progp     the description to fill in
 * @param prog      file of the program
 * @param funcname  name of the function, an `int f(void *arg)`.  Its return value counts as main's.
 * @param arg       argument of the function
 * @param envv      environment, ended by NULL; NULL: the caller's environ
 * @param aux       the task's first pip_get_aux() value
 *
 * Callers: anybody.  Nothing is copied: what the pointers refer to must last until the spawn, and
 * arg as long as the task uses it.
 */
INLINE void pip_spawn_from_func(pip_spawn_program_t *progp, char *prog, char *funcname, void *arg,
				char **envv, void *aux)
{
	memset(progp, 0, sizeof(*progp));
	progp->prog = prog;
	progp->envv = envv ? envv : environ;
	progp->funcname = funcname;
	progp->arg = arg;
	progp->aux = aux;
}

/**
 * Describe the functions to run before and after a task's main; see pip_spawn_hook_t.
 *
 * @param hook     the description to fill in; its reserved part is left alone
 * @param before   called before main, or NULL
 * @param after    called at the task's end, or NULL
 * @param hookarg  argument of both, as long-lived as the task
 *
 * Callers: anybody.
 */
INLINE void pip_spawn_hook(pip_spawn_hook_t *hook, pip_spawnhook_t before, pip_spawnhook_t after,
			   void *hookarg)
{
	hook->before = before;
	hook->after = after;
	hook->hookarg = hookarg;
}

/* ---- 4 Starting and leaving ---------------------------------------------------------------- */

/**
 * Become a root; or, in a task, ask what one is.
 *
 * In a root: the environment variable PIP_MODE and opts together choose the mode (a mode that
 * cannot be had is an error, with a message that says why).  From then on SIGCHLD is blocked in the
 * calling thread, and the library handles SIGABRT and the signals that end a program by default:
 * install handlers of your own after this call.  The kernel's name of the process (comm) gets a
 * prefix by which commands recognise a root.
 *
 * In a task: allowed any number of times, never required, and always 0.
 *
 * @param pipidp     if not NULL, receives the caller's PIPID: PIP_PIPID_ROOT in a root
 * @param ntasksp    root: the most tasks there will be at a time, 1 to PIP_NTASKS_MAX; NULL means
 *                   PIP_NTASKS_MAX.  Task: if not NULL, receives the root's number.
 * @param root_expp  root: if not NULL, *root_expp is an address to pass to every task.  Task: if
 *                   not NULL, receives that address; untouched if the root gave none or NULL.
 * @param opts       root: PIP_OPTS_NONE or one PIP_MODE_... constant.  Task: ignored.
 * @return 0, or in a root, tested in this order:
 *   - EBUSY: it is a root already
 *   - EINVAL: *ntasksp is not positive
 *   - EOVERFLOW: *ntasksp is above PIP_NTASKS_MAX
 *   - EINVAL: opts is no mode, or an obsolete one
 *   - EPERM: the mode contradicts PIP_MODE, or cannot be had; or SIGCHLD is blocked in this thread
 *
 * Callers: anybody.
 */
int pip_init(int *pipidp, int *ntasksp, void **root_expp, int opts);

/**
 * Stop being a root: release everything and restore the signal mask.  pip_init() may follow.
 *
 * In a task it does nothing: the library stays effective.
 *
 * @return 0, or in a root:
 *   - EPERM: the library is not effective
 *   - EBUSY: a spawned task has not been waited for (that it has ended is not enough)
 *
 * Callers: root, task.
 */
int pip_fin(void);

/**
 * Tell whether the library is effective here.
 *
 * @return 0 if not, otherwise a non-zero number that depends on the mode.
 *
 * Callers: anybody.  A task's constructors still see 0.
 */
int pip_is_initialized(void);

/* ---- 5 Spawning ---------------------------------------------------------------------------- */

/**
 * Start a program as a task.
 *
 * Any dynamically linked or static position-independent executable will do; it need not know of
 * PiP.  The call returns when the program and its libraries are loaded, which is not yet when its
 * main runs; with PIP_STOP_ON_START, when the task has stopped.  On any error there is no task, the
 * PIPID stays free, and a message on stderr says what was wrong with which file.
 *
 * @param progp   the program; strings and vectors are copied
 * @param coreno  CPU to bind the task to.  PIP_CPUCORE_ASIS: the calling thread's affinity.  n: the
 *                n-th of the CPUs that the root can use, counted from 0, round and round.
 *                n|PIP_CPUCORE_ABS: CPU n.  n is below PIP_CPUCORE_CORENO_MAX.  If the kernel
 *                refuses the binding there is a warning and the task runs all the same.
 * @param opts    ignored; pass 0
 * @param pipidp  in: the wanted PIPID, or PIP_PIPID_ANY; out, on success only: the task's PIPID.
 *                NULL: any.  A PIPID is free again when its task has been waited for.
 * @param hookp   functions to run before and after the program, or NULL
 * @return 0, or, tested in this order:
 *   - EINVAL: progp is NULL
 *   - EPERM: the library is not effective, or the caller is a task
 *   - EINVAL: no program; neither a function nor arguments; *pipidp is no task's PIPID and not
 *     PIP_PIPID_ANY; or coreno is none of the above
 *   - EAGAIN: the PIPID is in use, or all are
 *   - ENOENT: no such file, or none along PATH
 *   - EACCES: not a regular file, not executable, or out of reach
 *   - ELIBSCN: a script
 *   - EUNATCH: too short for an ELF header
 *   - ELIBBAD: not an ELF file
 *   - ELIBEXEC: not position independent, or it or one of its libraries cannot be loaded
 *   - ENOEXEC: no such start function, or several local ones of that name; or the program's dynamic
 *     linker cannot be loaded
 *   - ENOMEM, or another code from opening the file or from making a process
 *
 * Callers: root, in its main thread.
 */
int pip_task_spawn(pip_spawn_program_t *progp, uint32_t coreno, uint32_t opts, int *pipidp,
		   pip_spawn_hook_t *hookp);

/**
 * Start a program at its main function: pip_task_spawn() with everything in one call.
 *
 * @param filename  file of the program; without a slash, searched for in PATH
 * @param argv      argument vector, ended by NULL
 * @param envv      environment, ended by NULL; NULL: the caller's environ
 * @param coreno    as in pip_task_spawn()
 * @param pipidp    as in pip_task_spawn()
 * @param before    called before main, or NULL; see pip_spawn_hook_t
 * @param after     called at the task's end, or NULL
 * @param hookarg   argument of both
 * @return as pip_task_spawn(); a NULL filename is EINVAL even if the library is not effective.
 *
 * Callers: root, in its main thread.
 */
int pip_spawn(char *filename, char **argv, char **envv, int coreno, int *pipidp,
	      pip_spawnhook_t before, pip_spawnhook_t after, void *hookarg);

/* ---- 6 Sharing addresses ------------------------------------------------------------------- */

/*
 * Three separate channels, which never mix: named exports, the one anonymous export of each task,
 * and the root's address given to pip_init().  The library passes the address on and never looks at
 * what it points to; that belongs to the exporter, and ends with it if the exporter is a task.
 */

/**
 * Publish an address under a name of the caller's own, and wake those that wait for it.
 *
 * Two exporters may use the same name.  An export cannot be changed or withdrawn.
 *
 * @param exp     the address; NULL is allowed
 * @param format  printf(3) format of the name; NULL: the empty name
 * @return 0, or
 *   - EPERM: the library is not effective
 *   - EBUSY: the caller has exported this name already
 *   - ENOMEM
 *
 * Callers: root, task.
 */
int pip_named_export(void *exp, const char *format, ...) __attribute__((format(printf, 2, 3)));

/**
 * Get the address that a root or task published under a name; wait for it if need be.
 *
 * A PIPID not spawned yet is waited for, too.  Names stay importable after their exporter's end,
 * until its PIPID is used again; but its memory is given back when it has been waited for.
 *
 * @param pipid   the exporter, a target PIPID
 * @param expp    receives the address; NULL: just wait.  Untouched on error.
 * @param format  printf(3) format of the name; NULL: the empty name
 * @return 0, or
 *   - EPERM, EINVAL, EACCES, ERANGE: see target PIPIDs at the top
 *   - EDEADLK: pipid is the caller, who has not exported this name
 *   - ECANCELED: the exporter has ended without exporting this name
 *   - ENOMEM
 *
 * Callers: root, task.  Blocks without a time limit; signals do not end the wait.
 */
int pip_named_import(int pipid, void **expp, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/**
 * Get the address that a root or task published under a name, if it has done so.
 *
 * @param pipid   the exporter, a target PIPID
 * @param expp    receives the address; may be NULL.  Untouched on error.
 * @param format  printf(3) format of the name; NULL: the empty name
 * @return as pip_named_import(), and
 *   - EAGAIN: the name has not been exported yet
 *
 * Callers: root, task.  Does not block.
 */
int pip_named_tryimport(int pipid, void **expp, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/**
 * Publish one address without a name.  New programs use pip_named_export().
 *
 * @param exp  the address, not NULL
 * @return 0, or
 *   - EPERM: the library is not effective
 *   - EINVAL: exp is NULL
 *   - EBUSY: the caller has done so already
 *
 * Callers: root, task.
 */
int pip_export(void *exp);

/**
 * Get the address that a root or task published with pip_export().
 *
 * @param pipid  the exporter, a target PIPID
 * @param expp   receives the address, or NULL if there is none yet
 * @return 0, or
 *   - EPERM, EINVAL, EACCES, ERANGE: see target PIPIDs at the top
 *   - ESRCH: there is no such task: not spawned, or already waited for
 *
 * Callers: root, task.  Does not block.
 */
int pip_import(int pipid, void **expp);

/**
 * Set the caller's auxiliary pointer, for uses of its own.
 *
 * @param aux  the new value
 * @return 0, or EPERM: the library is not effective
 *
 * Callers: root, task.
 */
int pip_set_aux(void *aux);

/**
 * Get the caller's auxiliary pointer: the last pip_set_aux() value, at first the aux of the task's
 * pip_spawn_program_t, or NULL in the root.
 *
 * @param auxp  receives it; may be NULL
 * @return 0, or EPERM: the library is not effective
 *
 * Callers: root, task.
 */
int pip_get_aux(void **auxp);

/* ---- 7 Waiting ----------------------------------------------------------------------------- */

/*
 * *status is a wait(2) word for WIFEXITED(), WEXITSTATUS(), WIFSIGNALED(), WTERMSIG().  Each task's
 * end is reported once; with that its PIPID is free again and its memory is given back.
 */

/**
 * Wait for the end of a task.
 *
 * @param pipid   the task, a target PIPID
 * @param status  receives how it ended; may be NULL
 * @return 0, or
 *   - EPERM: the library is not effective, or the caller is not the root
 *   - EINVAL, ERANGE: see target PIPIDs at the top
 *   - EDEADLK: pipid is the root's
 *   - ECHILD: there is no such task: not spawned, or already waited for
 *
 * Callers: root.  Blocks until the task ends; relies on SIGCHLD being blocked.
 */
int pip_wait(int pipid, int *status);

/**
 * Collect a task if it has ended.
 *
 * @param pipid   the task, a target PIPID
 * @param status  receives how it ended; may be NULL
 * @return as pip_wait(); ECHILD also if the task is still running
 *
 * Callers: root.  Does not block.
 */
int pip_trywait(int pipid, int *status);

/**
 * Wait for the end of some task; over time every ended one gets its turn.
 *
 * @param pipid   receives its PIPID; may be NULL
 * @param status  receives how it ended; may be NULL
 * @return 0, or
 *   - EPERM: the library is not effective, or the caller is not the root
 *   - ECHILD: there is no task that has not been waited for
 *
 * Callers: root.  Blocks until a task ends; relies on SIGCHLD being blocked.
 */
int pip_wait_any(int *pipid, int *status);

/**
 * Collect some task that has ended.
 *
 * @param pipid   receives its PIPID; may be NULL
 * @param status  receives how it ended; may be NULL
 * @return as pip_wait_any(); ECHILD also if all tasks are still running
 *
 * Callers: root.  Does not block.
 */
int pip_trywait_any(int *pipid, int *status);

/* ---- 8 Queries ----------------------------------------------------------------------------- */

/**
 * Get the caller's PIPID: 0 to ntasks-1 in a task, PIP_PIPID_ROOT in a root.
 *
 * @param pipidp  receives it; may be NULL
 * @return 0, or EPERM: the library is not effective
 *
 * Callers: root, task.
 */
int pip_get_pipid(int *pipidp);

/**
 * Get the number of tasks that pip_init() was given: a limit, not how many there are.
 *
 * @param ntasksp  receives it; may be NULL
 * @return 0, or EPERM: the library is not effective
 *
 * Callers: root, task.
 */
int pip_get_ntasks(int *ntasksp);

/**
 * Get the mode in use.
 *
 * @param modep  receives PIP_MODE_PROCESS_PRELOAD, PIP_MODE_PROCESS_PIPCLONE or PIP_MODE_PTHREAD;
 *               may be NULL.  Test for the process modes with `mode & PIP_MODE_PROCESS`.
 * @return 0, or EPERM: the library is not effective
 *
 * Callers: root, task.
 */
int pip_get_mode(int *modep);

/**
 * Get the name of the mode in use.
 *
 * @return a static string, "process:preload", "process:pipclone" or "pthread"; NULL if the library
 *   is not effective.
 *
 * Callers: anybody.
 */
const char *pip_get_mode_str(void);

/**
 * Get what the system calls a root or task; see pip_id_t.
 *
 * @param pipid  a target PIPID
 * @param idp    receives the id; may be NULL
 * @return 0, or
 *   - EPERM, EINVAL, EACCES, ERANGE: see target PIPIDs at the top
 *   - ESRCH: it is not alive
 *
 * Callers: root, task.
 */
int pip_get_system_id(int pipid, pip_id_t *idp);

/**
 * Tell whether the caller is a root.
 *
 * @return 1 or 0; 0 before pip_init(), after pip_fin() and in a forked child
 *
 * Callers: anybody.
 */
int pip_isa_root(void);

/**
 * Tell whether the caller is a task.
 *
 * @return 1 or 0; 0 in a forked child
 *
 * Callers: anybody.
 */
int pip_isa_task(void);

/**
 * Tell whether tasks are threads.
 *
 * @param flagp  receives 1 in thread mode, else 0; may be NULL
 * @return 0, or EPERM: the library is not effective
 *
 * Callers: root, task.
 */
int pip_is_threaded(int *flagp);

/**
 * Tell whether tasks share file descriptors.
 *
 * @param flagp  receives non-zero in thread mode, else 0; may be NULL
 * @return 0, or EPERM: the library is not effective
 *
 * Callers: root, task.
 */
int pip_is_shared_fd(int *flagp);

/**
 * Get the time of day.
 *
 * @return seconds since the Epoch, with a resolution of a microsecond
 *
 * Callers: anybody.
 */
double pip_gettime(void);

/**
 * Get the kernel's id of the calling thread: gettid(2), which old libcs lack.
 *
 * @return the TID
 *
 * Callers: anybody.
 */
pid_t pip_gettid(void);

/**
 * Tell whether the caller is the main thread of a live task.
 *
 * @return 1 or 0
 *
 * Callers: anybody.
 */
int pip_isa_piptask(void);

/**
 * Tell whether the library was built for debugging.
 *
 * @return 1 or 0
 *
 * Callers: anybody.
 */
int pip_is_debug_build(void);

/**
 * Get the directory under which PiP is installed: two levels above the libpip.so in use.
 *
 * @return its path, to be released with free(); NULL if out of memory or not found
 *
 * Callers: anybody.
 */
char *pip_prefix_dir(void);

/**
 * Find a global symbol of another task, or of the caller, by name.
 *
 * @param pipid    a target PIPID
 * @param symbol   name of a function or variable
 * @param addrp    receives its address in that task.  Untouched on error.
 * @return 0, or
 *   - EPERM, EINVAL, EACCES, ERANGE: see target PIPIDs at the top
 *   - ESRCH: there is no such task
 *   - ENOENT: it has no such symbol
 *
 * Callers: root, task.
 */
int pip_get_addr(int pipid, const char *symbol, void **addrp);

/**
 * Get what a task's own dynamic linker calls the task's program.
 *
 * Handle and namespace mean something to that task's dynamic linker only; pass them to no other.
 *
 * @param pipid    a target PIPID
 * @param handlep  receives the program's dlopen() handle, NULL if unknown; may be NULL
 * @param lmidp    receives the link-map namespace (an Lmid_t); may be NULL
 * @return 0, or
 *   - EPERM, EINVAL, EACCES, ERANGE: see target PIPIDs at the top
 *   - ESRCH: there is no such task
 *
 * Callers: root, task.
 */
int pip_get_dlmopen_info(int pipid, void **handlep, long *lmidp);

/* ---- 9 Ending and signals ------------------------------------------------------------------ */

/**
 * End the calling task; in a root, or where the library is not effective, end the program.
 *
 * In process mode this is exit(): atexit handlers and destructors run, stdio is flushed.  A root
 * that ends so kills the tasks that still run, with a message for each.
 *
 * @param status  what the parent sees; its low 8 bits count
 *
 * Callers: anybody.  Does not return.
 */
void pip_exit(int status) __attribute__((noreturn));

/**
 * End everything at once: the tasks by SIGKILL, the root by SIGABRT.
 *
 * A task's own abort() ends only that task.  Where the library is not effective this is abort().
 *
 * Callers: anybody.  Does not return.
 */
void pip_abort(void) __attribute__((noreturn));

/**
 * Send SIGKILL to all live tasks.  They must still be waited for.
 *
 * @return 0, or EPERM: the library is not effective, or the caller is not the root
 *
 * Callers: root.
 */
int pip_kill_all_child_tasks(void);

/**
 * The older name of pip_kill_all_child_tasks().
 *
 * @return as pip_kill_all_child_tasks()
 *
 * Callers: root.
 */
int pip_kill_all_tasks(void);

/**
 * Send a signal: to a task's process or, in thread mode, to the thread that is the task.
 *
 * @param pipid   a target PIPID; the root is allowed
 * @param signum  the signal's number, or 0 to test whether the target is there
 * @return 0, or
 *   - EPERM, EINVAL, EACCES, ERANGE: see target PIPIDs at the top
 *   - ESRCH: there is no such task: not spawned, or already waited for
 *   - EINVAL: no such signal
 *
 * Callers: root, task.
 */
int pip_kill(int pipid, int signum);

/**
 * Change the signal mask: sigprocmask(2), or pthread_sigmask(3) in thread mode.
 *
 * @param how      SIG_BLOCK, SIG_UNBLOCK or SIG_SETMASK
 * @param sigmask  the signals; NULL: change nothing
 * @param oldmask  receives the former mask; may be NULL
 * @return 0, or
 *   - EPERM: the library is not effective
 *   - EINVAL: how is none of these
 *
 * Callers: root, task.  Keep SIGCHLD blocked in a root.
 */
int pip_sigmask(int how, const sigset_t *sigmask, sigset_t *oldmask);

/**
 * Wait for one signal, which the caller must have blocked, and take it.
 *
 * @param signum  the signal's number
 * @return 0, or
 *   - EPERM: the library is not effective
 *   - EINVAL: no such signal
 *
 * Callers: root, task.  Blocks; other signals' handlers do not end the wait.
 */
int pip_signal_wait(int signum);

/* ---- 10 Synchronisation -------------------------------------------------------------------- */

/**
 * Prepare a barrier.  One of its users does so, once, before the others can see it.
 *
 * @param barrp  the barrier, in anybody's memory
 * @param n      how many callers each round needs, 1 or more; the root may be one of them
 * @return 0, or
 *   - EPERM: the library is not effective
 *   - EINVAL: n is not positive
 *
 * Callers: root, task.
 */
int pip_barrier_init(pip_barrier_t *barrp, int n);

/**
 * Wait until as many callers as the barrier needs are here.  Then the next round begins.
 *
 * @param barrp  the barrier
 * @return 0
 *
 * Callers: anybody.  Blocks, sleeping; there is no time limit.
 */
int pip_barrier_wait(pip_barrier_t *barrp);

/**
 * Finish with a barrier.
 *
 * @param barrp  the barrier; its memory stays the caller's business
 * @return 0, or
 *   - EPERM: the library is not effective
 *   - EBUSY: somebody waits at it
 *
 * Callers: root, task.
 */
int pip_barrier_fin(pip_barrier_t *barrp);

/**
 * Let others run: sched_yield(2).
 *
 * @param flag  PIP_YIELD_DEFAULT, PIP_YIELD_USER or PIP_YIELD_SYSTEM; makes no difference
 * @return 0, or EPERM: the library is not effective
 *
 * Callers: root, task.
 */
int pip_yield(int flag);

/**
 * Take the lock that serialises libc functions which are not safe when several libcs run at once in
 * one address space.  Root and all tasks share it, and its holder may take it again.
 *
 * Callers: anybody; does nothing where the library is not effective.  Blocks.
 */
void pip_libc_lock(void);

/**
 * Give back what pip_libc_lock() took; once for each time.
 *
 * Callers: anybody; does nothing where the library is not effective.
 */
void pip_libc_unlock(void);

/**
 * The older name of pip_libc_lock().
 *
 * Callers: anybody.  Blocks.
 */
void pip_glibc_lock(void);

/**
 * The older name of pip_libc_unlock().
 *
 * Callers: anybody.
 */
void pip_glibc_unlock(void);

/**
 * Take a lock that root and all tasks share, for uses of the programs' own.  Its holder must not
 * take it again.
 *
 * Callers: anybody; does nothing where the library is not effective.  Blocks.
 */
void pip_universal_lock(void);

/**
 * Give back the lock that pip_universal_lock() took.
 *
 * Callers: anybody; does nothing where the library is not effective.
 */
void pip_universal_unlock(void);

/* ---- 11 Memory and libraries --------------------------------------------------------------- */

/**
 * malloc(3), from the caller's own heap.  Root and all tasks may pip_free() or pip_realloc() the
 * block.
 *
 * @param size  bytes
 * @return the block, or NULL with errno set
 *
 * Callers: anybody.
 */
void *pip_malloc(size_t size);

/**
 * calloc(3), as pip_malloc().
 *
 * @param nmemb  how many
 * @param size   bytes of each
 * @return the zeroed block, or NULL with errno set
 *
 * Callers: anybody.
 */
void *pip_calloc(size_t nmemb, size_t size);

/**
 * realloc(3), also of a block that another root or task allocated.
 *
 * @param ptr   the block, or NULL
 * @param size  bytes
 * @return the block, perhaps moved, or NULL with errno set and the old block unharmed
 *
 * Callers: anybody.
 */
void *pip_realloc(void *ptr, size_t size);

/**
 * posix_memalign(3), as pip_malloc().
 *
 * @param memptr     receives the block
 * @param alignment  bytes: a power of two and a multiple of sizeof(void *)
 * @param size       bytes
 * @return 0, or
 *   - EINVAL: alignment is neither
 *   - ENOMEM
 *
 * Callers: anybody.
 */
int pip_posix_memalign(void **memptr, size_t alignment, size_t size);

/**
 * free(3), also of a block that another root or task allocated.
 *
 * @param ptr  the block, or NULL
 *
 * Callers: anybody.
 */
void pip_free(void *ptr);

/**
 * malloc_usable_size(3).
 *
 * @param ptr  the block, or NULL
 * @return the bytes that the program may use, at least as many as it asked for; 0 for NULL
 *
 * Callers: anybody.
 */
size_t pip_malloc_usable_size(void *ptr);

/*
 * The functions below are those of <dlfcn.h>, one at a time over root and all tasks: they take the
 * lock of pip_libc_lock().  Each acts on the caller's own dynamic linker.
 */

/**
 * dlopen(3).
 *
 * @param filename  library, or NULL for the program itself
 * @param flag      RTLD_LAZY or RTLD_NOW, and what may go with it
 * @return a handle, or NULL; then pip_dlerror() tells why
 *
 * Callers: anybody.
 */
void *pip_dlopen(const char *filename, int flag);

/**
 * dlmopen(3).
 *
 * @param lmid      the link-map namespace, an Lmid_t
 * @param filename  library, or NULL for the program itself
 * @param flag      RTLD_LAZY or RTLD_NOW, and what may go with it
 * @return a handle, or NULL; then pip_dlerror() tells why
 *
 * Callers: anybody.
 */
void *pip_dlmopen(long lmid, const char *filename, int flag);

/**
 * dlsym(3).
 *
 * @param handle  from pip_dlopen(), or RTLD_DEFAULT; RTLD_NEXT is next to libpip.so, not the caller
 * @param symbol  name of a function or variable
 * @return its address, or NULL; then pip_dlerror() tells why
 *
 * Callers: anybody.
 */
void *pip_dlsym(void *handle, const char *symbol);

/**
 * dlvsym(3).
 *
 * @param handle   as in pip_dlsym()
 * @param symbol   name of a function or variable
 * @param version  the symbol's version
 * @return its address, or NULL; then pip_dlerror() tells why
 *
 * Callers: anybody.
 */
void *pip_dlvsym(void *handle, const char *symbol, const char *version);

/**
 * dladdr(3).
 *
 * @param addr  an address in code or data
 * @param info  a Dl_info to fill in; its strings are the dynamic linker's
 * @return non-zero, or 0 if no loaded object contains addr
 *
 * Callers: anybody.  Knows the caller's own objects only, not those of other tasks.
 */
int pip_dladdr(void *addr, void *info);

/**
 * dlinfo(3).
 *
 * @param handle   from pip_dlopen()
 * @param request  an RTLD_DI_... constant
 * @param info     receives the answer; its type depends on request
 * @return 0, or -1; then pip_dlerror() tells why
 *
 * Callers: anybody.
 */
int pip_dlinfo(void *handle, int request, void *info);

/**
 * dlclose(3).
 *
 * @param handle  from pip_dlopen()
 * @return 0, or non-zero; then pip_dlerror() tells why
 *
 * Callers: anybody.
 */
int pip_dlclose(void *handle);

/**
 * dlerror(3).
 *
 * @return what went wrong last, as a string of the dynamic linker's that lasts until the next call
 *   of such a function; NULL if nothing did since the last pip_dlerror()
 *
 * Callers: anybody.
 */
char *pip_dlerror(void);

/* ---- 12 Messages, diagnosis ---------------------------------------------------------------- */

/*
 * A message is one line in one write(2), at most 512 bytes: PiP-INFO, PiP-WARN or PiP-ERR, then
 * "[TID(K):C] " and the text, where K owns the kernel thread and C the code: R root, T<n> task n,
 * - none, * one that has ended.  The environment variable PIP_QUIET suppresses them.
 */

/**
 * Write a PiP-INFO message to a stream.
 *
 * @param fp      the stream
 * @param format  printf(3) format, without a newline
 *
 * Callers: anybody.
 */
void pip_info_fmesg(FILE *fp, const char *format, ...) __attribute__((format(printf, 2, 3)));

/**
 * Write a PiP-INFO message to stderr.
 *
 * @param format  printf(3) format, without a newline
 *
 * Callers: anybody.
 */
void pip_info_mesg(const char *format, ...) __attribute__((format(printf, 1, 2)));

/**
 * Write a PiP-WARN message to stderr.
 *
 * @param format  printf(3) format, without a newline
 *
 * Callers: anybody.
 */
void pip_warn_mesg(const char *format, ...) __attribute__((format(printf, 1, 2)));

/**
 * Write a PiP-ERR message to stderr.
 *
 * @param format  printf(3) format, without a newline
 *
 * Callers: anybody.
 */
void pip_err_mesg(const char *format, ...) __attribute__((format(printf, 1, 2)));

/**
 * Write who the caller is, as the messages' "TID(K):C" part tells it, into a buffer.
 *
 * @param buf  receives the string and its NUL
 * @param len  bytes in buf
 * @return the bytes of buf that are left, counting the NUL's
 *
 * Callers: anybody.
 */
size_t pip_idstr(char *buf, size_t len);

/**
 * Get the symbolic name of an error code.
 *
 * @param err  an errno code
 * @return a static string such as "EINVAL", never NULL
 *
 * Callers: anybody.
 */
const char *pip_errname(int err);

/**
 * Do now what the environment asks for on a fatal signal: PIP_SHOW_MAPS, PIP_SHOW_PIPS and
 * PIP_GDB_PATH, in this order.
 *
 * Callers: anybody.  Blocks while these programs run.
 */
void pip_debug_info(void);

/**
 * Print the memory map of the address space, from /proc/self/maps.
 *
 * @param fp  the stream to print to
 *
 * Callers: anybody.
 */
void pip_fprint_maps(FILE *fp);

#ifdef __cplusplus
}
#endif

#endif
