/*
 * headers_abi.c - what binaries and sources written for PiP v2.4 rely on in the installed headers.
 *
 * Nothing here runs: test_headers.sh compiles it, in C and in C++.  Three parts: the numbers and
 * strings; sizes and offsets on LP64; every function, declared as a program would by itself (a
 * prototype that disagrees with the header is an error) and, if it is inline, called.
 */
#include <assert.h>
#include <stddef.h>

#include <pip/pip.h>
#include <pip/pip_clone.h>
#include <pip/pip_gdbif_enums.h>
#include <pip/pip_machdep.h>
#include <pip/pip_util.h>
#include <pip/xpmem.h>

/* ---- Numbers ------------------------------------------------------------------------------- */

#define VALUE(name, value) static_assert((name) == (value), #name)

VALUE(PIP_OPTS_NONE, 0);
VALUE(PIP_MODE_PTHREAD, 0x1000);
VALUE(PIP_MODE_PROCESS_PRELOAD, 0x0100);
VALUE(PIP_MODE_PROCESS_PIPCLONE, 0x0400);
VALUE(PIP_MODE_PROCESS_GOT_OBS, 0x8000);
VALUE(PIP_MODE_PROCESS, 0x0500);
VALUE(PIP_MODE_MASK, 0xFF00);
VALUE(PIP_VALID_OPTS, 0x9500);
VALUE(PIP_MAGIC_NUM, -747);
VALUE(PIP_PIPID_ROOT, -748);
VALUE(PIP_PIPID_MYSELF, -749);
VALUE(PIP_PIPID_SELF, -749);
VALUE(PIP_PIPID_ANY, -750);
VALUE(PIP_PIPID_NULL, -751);
VALUE(PIP_NTASKS_MAX, 1024);
VALUE(PIP_CPUCORE_FLAG_SHIFT, 24);
VALUE(PIP_CPUCORE_FLAG_MASK, 0xFF000000);
VALUE(PIP_CPUCORE_CORENO_MASK, 0x00FFFFFF);
VALUE(PIP_CPUCORE_CORENO_MAX, 1048576);
VALUE(PIP_CPUCORE_ASIS, 0x01000000);
VALUE(PIP_CPUCORE_ABS, 0x02000000);
VALUE(PIP_YIELD_DEFAULT, 0);
VALUE(PIP_YIELD_USER, 1);
VALUE(PIP_YIELD_SYSTEM, 2);
VALUE(PIP_STACK_SIZE, 16777216);
VALUE(PIP_STACK_SIZE_MIN, 4194304);
VALUE(PIP_STACK_SIZE_MAX, 1088774209536); /* 1014 GiB */
VALUE(PIPIDLEN, 64);
VALUE(PIP_GDBIF_PIPID_ROOT, -1);
VALUE(PIP_GDBIF_PIPID_ANY, -2);
VALUE(PIP_GDBIF_STATUS_NULL, 0);
VALUE(PIP_GDBIF_STATUS_CREATED, 1);
VALUE(PIP_GDBIF_STATUS_LOADED, 2);
VALUE(PIP_GDBIF_STATUS_SPAWNED, 3);
VALUE(PIP_GDBIF_STATUS_TERMINATED, 4);
VALUE(PIP_GDBIF_GDB_DETACHED, 0);
VALUE(PIP_GDBIF_GDB_ATTACHED, 1);
VALUE(PIP_GDBIF_EXMODE_NULL, 0);
VALUE(PIP_GDBIF_EXMODE_PROCESS, 1);
VALUE(PIP_GDBIF_EXMODE_THREAD, 2);

VALUE(XPMEM_MAXADDR_SIZE, SIZE_MAX);
VALUE(XPMEM_ERRNO_NOPROC, 2004);
VALUE(XPMEM_PERMIT_MODE, 1);
VALUE(XPMEM_RDONLY, 1);
VALUE(XPMEM_RDWR, 2);
VALUE(XPMEM_CURRENT_VERSION, 0x00022000);

#ifndef PIP_HAVE_LDPIP
#error "PIP_HAVE_LDPIP has been defined since v2.4"
#endif
#ifndef INLINE
#error "programs use INLINE"
#endif
#ifdef PIP_ENV_PRELOAD
#error "PIP_ENV_PRELOAD is for programs that define PIP_PRELOAD"
#endif

/* ---- Strings: constant expressions can look into them in C++ only --------------------------- */

#ifdef __cplusplus
#define STRING(name, value) static_assert(__builtin_strcmp(name, value) == 0, #name)

STRING(PIP_ENV_MODE, "PIP_MODE");
STRING(PIP_ENV_MODE_THREAD, "thread");
STRING(PIP_ENV_MODE_PTHREAD, "pthread");
STRING(PIP_ENV_MODE_PROCESS, "process");
STRING(PIP_ENV_MODE_PROCESS_PRELOAD, "process:preload");
STRING(PIP_ENV_MODE_PROCESS_PIPCLONE, "process:pipclone");
STRING(PIP_ENV_MODE_PROCESS_GOT, "process:got");
STRING(PIP_ENV_STACKSZ, "PIP_STACKSIZE");
STRING(PIP_ENV_QUIET, "PIP_QUIET");
STRING(PIP_ENV_STOP_ON_START, "PIP_STOP_ON_START");
STRING(PIP_ENV_GDB_PATH, "PIP_GDB_PATH");
STRING(PIP_ENV_GDB_COMMAND, "PIP_GDB_COMMAND");
STRING(PIP_ENV_GDB_SIGNALS, "PIP_GDB_SIGNALS");
STRING(PIP_ENV_SHOW_MAPS, "PIP_SHOW_MAPS");
STRING(PIP_ENV_SHOW_PIPS, "PIP_SHOW_PIPS");
STRING(PIP_GDBIF_ROOT_VARNAME, "pip_gdbif_root");
STRING(XPMEM_CURRENT_VERSION_STRING, "2.2");
STRING(XPMEM_DEV_PATH, "/dev/xpmem");
#endif

/* ---- Layouts ------------------------------------------------------------------------------- */

#define SIZE(type, size) static_assert(sizeof(type) == (size), #type)
#define MEMBER(type, member, offset)                                                               \
	static_assert(offsetof(type, member) == (offset), #type "." #member)

SIZE(pip_spawn_program_t, 64);
MEMBER(pip_spawn_program_t, prog, 0);
MEMBER(pip_spawn_program_t, argv, 8);
MEMBER(pip_spawn_program_t, envv, 16);
MEMBER(pip_spawn_program_t, funcname, 24);
MEMBER(pip_spawn_program_t, arg, 32);
MEMBER(pip_spawn_program_t, aux, 40);
MEMBER(pip_spawn_program_t, reserved, 48);

SIZE(pip_spawn_hook_t, 64);
MEMBER(pip_spawn_hook_t, before, 0);
MEMBER(pip_spawn_hook_t, after, 8);
MEMBER(pip_spawn_hook_t, hookarg, 16);
MEMBER(pip_spawn_hook_t, reserved, 24);

SIZE(pip_barrier_t, 80);
MEMBER(pip_barrier_t, count_init, 0);
MEMBER(pip_barrier_t, count, 4);
MEMBER(pip_barrier_t, gsense, 8);
MEMBER(pip_barrier_t, semaphore, 16);
SIZE(((pip_barrier_t *)0)->semaphore, 2 * sizeof(sem_t));

SIZE(pip_id_t, 8);
SIZE(pip_spawnhook_t, 8);
SIZE(pip_spinlock_t, 4);
SIZE(pip_atomic_t, 8);

SIZE(xpmem_segid_t, 8);
SIZE(xpmem_apid_t, 8);
SIZE(struct xpmem_addr, 16);
MEMBER(struct xpmem_addr, apid, 0);
MEMBER(struct xpmem_addr, offset, 8);

/* ---- Functions ----------------------------------------------------------------------------- */

#ifdef __cplusplus
extern "C" {
#endif

int pip_init(int *, int *, void **, int);
int pip_fin(void);
int pip_is_initialized(void);
int pip_task_spawn(pip_spawn_program_t *, uint32_t, uint32_t, int *, pip_spawn_hook_t *);
int pip_spawn(char *, char **, char **, int, int *, pip_spawnhook_t, pip_spawnhook_t, void *);
int pip_named_export(void *, const char *, ...);
int pip_named_import(int, void **, const char *, ...);
int pip_named_tryimport(int, void **, const char *, ...);
int pip_export(void *);
int pip_import(int, void **);
int pip_set_aux(void *);
int pip_get_aux(void **);
int pip_wait(int, int *);
int pip_trywait(int, int *);
int pip_wait_any(int *, int *);
int pip_trywait_any(int *, int *);
int pip_get_pipid(int *);
int pip_get_ntasks(int *);
int pip_get_mode(int *);
const char *pip_get_mode_str(void);
int pip_get_system_id(int, pip_id_t *);
int pip_isa_root(void);
int pip_isa_task(void);
int pip_is_threaded(int *);
int pip_is_shared_fd(int *);
double pip_gettime(void);
void pip_exit(int);
int pip_kill_all_child_tasks(void);
void pip_abort(void);
int pip_kill(int, int);
int pip_sigmask(int, const sigset_t *, sigset_t *);
int pip_signal_wait(int);
int pip_yield(int);
int pip_barrier_init(pip_barrier_t *, int);
int pip_barrier_wait(pip_barrier_t *);
int pip_barrier_fin(pip_barrier_t *);

void *pip_malloc(size_t);
size_t pip_malloc_usable_size(void *);
void pip_free(void *);
void *pip_calloc(size_t, size_t);
void *pip_realloc(void *, size_t);
int pip_posix_memalign(void **, size_t, size_t);
void *pip_dlsym(void *, const char *);
int pip_dlclose(void *);
void *pip_dlmopen(long, const char *, int);
char *pip_dlerror(void);
int pip_dlinfo(void *, int, void *);
void *pip_dlopen(const char *, int);
int pip_dladdr(void *, void *);
void *pip_dlvsym(void *, const char *, const char *);

pid_t pip_gettid(void);
void pip_libc_lock(void);
void pip_libc_unlock(void);
void pip_glibc_lock(void);
void pip_glibc_unlock(void);
void pip_universal_lock(void);
void pip_universal_unlock(void);
void pip_debug_info(void);
size_t pip_idstr(char *, size_t);
void pip_info_fmesg(FILE *, const char *, ...);
void pip_info_mesg(const char *, ...);
void pip_err_mesg(const char *, ...);
void pip_warn_mesg(const char *, ...);

int pip_kill_all_tasks(void);
int pip_get_dlmopen_info(int, void **, long *);
int pip_get_addr(int, const char *, void **);
int pip_isa_piptask(void);
int pip_is_debug_build(void);
const char *pip_errname(int);
void pip_fprint_maps(FILE *);
char *pip_prefix_dir(void);

void pip_print_maps(void);
void pip_print_fd(FILE *, int);
void pip_print_fds(FILE *);
void pip_check_addr(char *, void *);

int xpmem_version(void);
int xpmem_init(void);
xpmem_segid_t xpmem_make(void *, size_t, int, void *);
int xpmem_remove(xpmem_segid_t);
xpmem_apid_t xpmem_get(xpmem_segid_t, int, int, void *);
int xpmem_release(xpmem_apid_t);
void *xpmem_attach(struct xpmem_addr, size_t, void *);
int xpmem_detach(void *);

int calls_inline_functions(pip_spawn_program_t *, pip_spawn_hook_t *, pip_spinlock_t *,
			   pip_atomic_t *);

#ifdef __cplusplus
}
#endif

int calls_inline_functions(pip_spawn_program_t *program, pip_spawn_hook_t *hook,
			   pip_spinlock_t *lock, pip_atomic_t *atomic)
{
	char **argv = NULL, **envv = NULL;
	char *prog = NULL, *funcname = NULL;
	void *arg = NULL, *aux = NULL, *hookarg = NULL;
	pip_spawnhook_t before = NULL, after = NULL;
	intptr_t sum = 0;
	int truth = 0;

	pip_spawn_from_main(program, prog, argv, envv, aux);
	pip_spawn_from_func(program, prog, funcname, arg, envv, aux);
	pip_spawn_hook(hook, before, after, hookarg);

	truth += pip_clone_flags(0);

	pip_pause();
	pip_write_barrier();
	pip_memory_barrier();
	pip_spin_init(lock);
	pip_spin_lock(lock);
	truth += pip_spin_trylock(lock);
	pip_spin_unlock(lock);
	truth += pip_comp_and_swap(lock, 0, 1);
	pip_spin_destroy(lock);
	truth += pip_comp2_and_swap(atomic, 0, 1);
	sum += pip_atomic_fetch_and_add(atomic, 1);
	sum += pip_atomic_sub_and_fetch(atomic, 1);
	return truth + (sum != 0);
}
