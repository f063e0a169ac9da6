/*
 * task.h - the record of a root or task, which lives in the space's registry.  Data only.
 *
 * The states of a slot, and who moves it on:
 *
 * 	FREE --spawn.c--> CLAIMED --spawn.c--> LIVE --wait.c--> ENDED --wait.c--> FREE
 * 	                     |                                              ^
 * 	                     +----------- spawn failed ---------------------+
 *
 * LIVE means that a kernel process exists (running or a zombie); ENDED that it has been waited
 * for and its memory is being given back.  Other programs of the space read a record at any
 * time; what they may write is marked.
 */
#ifndef TASK_H
#define TASK_H

#include <limits.h>
#include <linux/limits.h> /* PATH_MAX: a freestanding <limits.h> may lack it */
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/lock.h"
#include "base/sys.h"
#include "loader/code.h"

struct kept_range {
	uintptr_t start, end;
};

/* One mapping of a library, as its dynamic linker has asked for it. */
struct kept_part {
	uintptr_t at;
	size_t len;
	off_t off;
	int32_t prot, flags;
};

#define KEPT_PARTS 8 /* glibc's ld.so makes five of libc */

enum kept_use {
	KEPT_NOT,   /* it has a dynamic linker of its own, or none */
	KEPT_NEW,   /* it is the first one here, and maps it all just now; that is noted */
	KEPT_READY, /* as an earlier program has left it, but clean */
};

/* What a window keeps for its next program; see embryo/kept.h. */
struct kept {
	uintptr_t start, end; /* room for it; 0 = none */
	uint64_t object;      /* i-node of the memory object with the libraries' code */
	struct kept_range interp, small, cache; /* each empty if it is not mapped */
	struct kept_range data[2];              /* of ld.so's and libc's files, written to */
	struct kept_range bss;                  /* of libc */
	uint64_t cache_dev, cache_ino;          /* its file */
	struct kept_part part[KEPT_PARTS];      /* of libc */
	uint32_t nparts, next;                  /* the one that this program's ld.so makes next */
	uint32_t has_stack;
	uint32_t small_used; /* by this program */
	uint32_t use;        /* by this program: enum kept_use */
	uint32_t changed;    /* by this program, in other ways than each does */
	uint32_t left_out;   /* of all forks: MADV_DONTFORK */
};

/*
 * The first page of each window, private to its task.  A forked child finds it empty
 * (MADV_WIPEONFORK), whichever way it was forked, and so knows that it is an ordinary process.
 */
struct window_head {
	/* arch_trap_entry: where stubs lead, in the root's copy of this library. */
	void (*entry)(void);
	struct task *task; /* whose window it is */
	/* The task's own break, and its program's path; a forked child that is seen keeps them. */
	uintptr_t brk, brk_start, brk_limit;
	const char *exe;
	/* In a stand-in, which is no task: what it shares with its embryo.  See standin_of(). */
	struct standin *standin;
	uint32_t intercepts, quiet; /* its forked child may become a root; as in its record */
	_Atomic uint32_t guarded;   /* of embryo/guard.c */
	int32_t standin_pid;        /* this process's, if the former is its own */
	uint32_t sealed;            /* as in its record */
	uint64_t self[8];           /* of src/self.h */
	/* What the window has kept from an earlier program. */
	uint32_t front; /* what of its front is mapped: embryo/birth.c */
	struct kept kept;
};

enum task_state {
	TASK_FREE,
	TASK_CLAIMED,
	TASK_LIVE,
	TASK_ENDED
};

/* task.stage: how far the new program is.  A futex word of the shared kind; the kernel clears
 * it and wakes (CLONE_CHILD_CLEARTID) if the process ends before its C library has named a word
 * of its own. */
enum task_stage {
	STAGE_GONE,        /* ended before its libraries were loaded */
	STAGE_LOADING,     /* set by spawn.c before the clone */
	STAGE_LOADED,      /* its libraries are loaded and relocated */
	STAGE_NO_FUNCTION, /* the start function was not found */
	STAGE_AMBIGUOUS,   /* several local functions have its name */
};

/* What has become of a process that a launcher started. */
enum task_launch {
	LAUNCH_NONE,
	LAUNCH_EMBRYO, /* no program has been placed in it yet */
	LAUNCH_TASK,
	LAUNCH_HUSK, /* at an exec: the record of the next program, or of the last one */
};

/* One free range of a task's window; see window.h. */
struct gap {
	uintptr_t start, end;
};

#define TASK_PIPIDS 1024 /* PIP_NTASKS_MAX */
#define TASK_GAPS 128
#define TASK_FOREIGN 64

/* Where a task's own mappings may go. */
struct task_memory {
	_Atomic uintptr_t bump;     /* next never-used address of the present window */
	_Atomic uintptr_t limit;    /* end of its mmap part */
	_Atomic uint32_t gaps_busy; /* try-lock of the gap list; never waited for */
	uint32_t ngaps;
	size_t front; /* of the first window, behind its head: may be kept for another program */
	uint32_t is_empty;                /* all else in it has been unmapped: window_empty() */
	struct gap foreign[TASK_FOREIGN]; /* mappings that had to go elsewhere; start 0 = unused */
	/* The three below; held by the task while it forks, and by who closes its windows. */
	struct lock fork_lock;
	_Atomic uint32_t left_out;     /* of others' forks: its mappings are MADV_DONTFORK, */
	_Atomic uint32_t has_new;      /* but for those that have come since */
	_Atomic uint32_t keep_on_fork; /* its forks cannot be seen, so they never are */
	struct gap gaps[TASK_GAPS];    /* free ranges below bump, by address */
};

/* A hook's code is the root's, so it runs on a thread pointer of the root's C library. */
struct task_hooks {
	int (*before)(void *);
	int (*after)(void *);
	void *arg;
	uintptr_t thread_pointer; /* of the carrier thread that the root keeps parked */
	void *carrier;            /* root's: struct carrier */
	int32_t before_result;
	uint32_t after_done;
	uint32_t inside; /* one of them is running, or was when the task died */
};

#define TASK_THREADS 512
#define THREAD_INTERNAL 2 /* signals that a C library keeps for itself: 32 and 33 */

/* A task that is a thread of its root; see embryo/thread.h. */
struct task_thread {
	uint32_t on;             /* it is one */
	_Atomic uint32_t alive;  /* cleared by the kernel once its last thread has gone; a futex */
	_Atomic uint32_t ending; /* somebody has begun to end it */
	_Atomic uint32_t ended;  /* all but the last thread have gone, which is about to go */
	int32_t word;            /* how it ended, as wait(2) would give it */
	uint32_t has_threads;    /* it has made threads of its own */
	_Atomic uint32_t caught; /* a signal that is to end it has been caught */
	_Atomic int32_t child;   /* the process that goes on with its exec, 0 = none */
	uint32_t cancelled;      /* by another program of the process */
	uint32_t has_timer;      /* which ends it if it does not come to its end */
	int32_t timer;
	_Atomic uint32_t ends;    /* a root's: how many tasks have ended; a futex */
	_Atomic uintptr_t handle; /* pthread_t of its main thread; a static program's comes late */
	_Atomic uint32_t named;   /* it has come, or will not; a futex */
	void (*catcher)(int, siginfo_t *, void *); /* its own libpip's way to end it */
	_Atomic kernel_sigset_t handlers;          /* signals that it has set handlers for, */
	void *handler[64];                         /* the last ones */
	int32_t *tid_word; /* of its last thread, where its libc waits for the thread's end */
	struct kernel_sigaction internal[THREAD_INTERNAL];
};

/* What to do when a signal ends the program; set by embryo/fatal.c from its environment. */
struct trouble {
	uint64_t signals;    /* PIP_GDB_SIGNALS: when maps, pips and gdb are wanted */
	uint32_t maps, pips; /* PIP_SHOW_MAPS, PIP_SHOW_PIPS */
	uint32_t backtrace;  /* PIP_BACKTRACE */
	char gdb[PATH_MAX], command[PATH_MAX]; /* PIP_GDB_PATH, PIP_GDB_COMMAND; may be empty */
};

struct task {
	/* Fixed part, read by other processes (version in the space's header). */
	_Atomic uint32_t state; /* enum task_state */
	uint32_t slot;          /* own index in space.tasks */
	uint32_t root_slot;     /* the root it belongs to; own index in a root */
	int32_t pipid;          /* PIP_PIPID_ROOT in a root */
	_Atomic int32_t pid;
	uint32_t incarnation; /* grows each time the slot is used */
	char path[PATH_MAX];  /* its program */
	uintptr_t image_base; /* load bias of the program; 0 in a root */

	struct space *space;
	_Atomic uint32_t stage;     /* enum task_stage */
	const int32_t *tid_word;    /* not 0 while the process runs here; see embryo/peer.c */
	uint32_t mode;              /* PIP_MODE_* */
	int32_t ntasks;             /* the root's table size */
	uint32_t quiet;             /* PIP_QUIET was set for the root */
	struct window_head *window; /* its first */
	_Atomic uint32_t nwindows;

	/* Its C library's code; see embryo/trap.c. */
	uint32_t same_interp;    /* it runs on the root's dynamic linker */
	uint32_t shares;         /* others may use its memory: it has our library, or CLONE_VM */
	uint32_t begun;          /* its program runs: the copies' descriptors are closed */
	struct code_sees sees;   /* of its libc */
	const struct code *code; /* of the libc that is being mapped, at code_base */
	uintptr_t code_base;
	struct code own_code; /* not the root's */
	int32_t code_fd[2];   /* of its ld.so's and libc's code, while it is being loaded */
	const char *exe_page; /* path, for its forked children */

	/* Of embryo/fatal.c. */
	uint64_t fatal_signals; /* a bit for each that it handles */
	uintptr_t fatal_stack;
	_Atomic int32_t fatal_reporter;  /* the thread that reports just now */
	_Atomic uint32_t fatal_reported; /* the program has said what hit it */

	/* Processes that a launcher starts: embryo/birth.h. */
	_Atomic uint32_t launched; /* enum task_launch; 0 = pip_spawn()'s */
	uint32_t launches;         /* its tables as a launcher are set up */
	uint32_t first_child;      /* slot + 1 of those this program launched; under space.lock */
	uint32_t next_child;
	int32_t parent_pid, parent_shown; /* of a stand-in that is its parent, 0 = none */
	uint32_t orphan;                  /* its launcher has ended */
	uint32_t is_host;                 /* a husk on whose memory others still run */
	struct lock collect_lock;         /* held while what ended children left is given back */
	uintptr_t room;                   /* the embryo's own stacks */
	struct standin *standin;          /* the embryo's, shared with its stand-in */
	_Atomic int32_t standin_pid;      /* of the process that it stands for; 0 = none */
	uint32_t standin_rights;          /* it may have others than the embryo by now, */
	uint32_t standin_left;            /* or another world, so that it executes itself */
	uint32_t parted;                  /* what it stands for was its program: embryo/part.h */
	_Atomic uint32_t parent_waits;    /* off its stack, for a vfork's child */
	uint32_t changes_rights;  /* it, or who launched it, has made a call that may do so */
	uint32_t left_world;      /* it has changed its namespaces, root or filters */
	uint32_t sealed;          /* its own filter may allow no call but those it makes itself */
	_Atomic uint32_t leaving; /* it is just executing another program outside the space */
	intptr_t rseq_offset;     /* of its rseq area from the thread pointer */
	uint32_t rseq_len, rseq_sig; /* 0 = not known */
	int32_t last_timer;          /* highest POSIX timer ID + 1 */

	/* What the task's side needs at its start. */
	uintptr_t entry;   /* of the program */
	uint64_t hwcap;    /* AT_HWCAP, if its ld.so was given the root's CPU table */
	uint32_t aware;    /* the program itself is linked with libpip */
	uint32_t injected; /* libpip was added to what it loads */
	const char *
		*preload_slot; /* where its environment names libpip as well, until that is read */
	const char *preload_original; /* the caller's LD_PRELOAD=..., on the stack, or NULL */
	char function[256];           /* start function, empty = main */
	void *arg;
	void *root_export;
	struct task_hooks hooks;
	struct task_thread thread;
	struct name_space *name_space; /* root's: of the dlmopen loader; NULL = the private one */
	uint32_t namespaces;           /* a root's: its tasks are loaded by dlmopen() */
	int32_t tid;                   /* cleared at its end, if it is loaded by dlmopen() */
	uint32_t ended_orderly;        /* not in the middle of anything */
	uint32_t stop_on_start;
	int32_t nclose;     /* close-on-exec descriptors, as far as the root knows them; -1 = not */
	int32_t close[64];  /* EMBRYO_FDS */
	int32_t script_pid; /* of PIP_STOP_ON_START, 0 = none */
	uint32_t bind_failed; /* written by the task: no such CPU for it */

	/* Termination. */
	_Atomic uint32_t end_signal; /* written by the task: a caught signal that ended it */
	_Atomic uint32_t end_code; /* written by the task: 0x100 | low bits given to pthread_exit */
	_Atomic uint32_t spawned;  /* root: this slot's pid was reported to the caller */

	/* Sharing. */
	void *_Atomic aux;
	void *_Atomic exported;         /* pip_export */
	struct export_entry *names;     /* a root's own; under space.lock */
	_Atomic uint32_t export_news;   /* futex: each export, a root's spawns too, the end */
	_Atomic uint32_t export_closed; /* no further export will come */
	void *_Atomic remote_free;      /* blocks that others freed; see alloc.c.  Written by all */
	_Atomic uint32_t segments;      /* the first of its chunks, index + 1; see segment.c */

	/* Its kernel process, where pid is that of its embryo (a root's), or a thread of it (a
	 * task's); 0 = pid. */
	int32_t process;

	/* Root only. */
	int32_t last_pipid;

	/* Its gaps and what follows are not cleared with the rest of a new record. */
	struct task_memory memory;
	struct trouble trouble;

	/* Of a task that is a thread in a namespace: where its threads' control blocks are; see
	 * embryo/thread.c. */
	_Atomic uintptr_t thread_pointers[TASK_THREADS];

	/* Root only, by pipid. */
	uint32_t slot_of[TASK_PIPIDS];              /* slot + 1, 0 = none; see root.c */
	struct export_entry *names_of[TASK_PIPIDS]; /* what its tasks export; under space.lock */
};

static inline pid_t task_process(const struct task *t)
{
	return t->process ? t->process : atomic_load(&t->pid);
}

/* Is this the calling process's record?  Of a sealed one it is presumed: a vfork's child of its is
 * not told apart. */
static inline bool task_is_mine(const struct task *t)
{
	return t->sealed || task_process(t) == sys_getpid();
}

/* Is this the thread that a task began with? */
static inline bool task_on_main_thread(const struct task *t)
{
	return atomic_load(&t->pid) == sys_gettid();
}

#endif
