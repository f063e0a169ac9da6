/*
 * pip_gdbif_enums.h - the numbers that a debugger meets in the root's table of tasks.
 *
 * The table hangs on a variable of the root's libpip.so that is not exported: a debugger finds it
 * by PIP_GDBIF_ROOT_VARNAME in the symbol table.
 */
#ifndef PIP_PIP_GDBIF_ENUMS_H
#define PIP_PIP_GDBIF_ENUMS_H

/** Name of the variable. */
#define PIP_GDBIF_ROOT_VARNAME "pip_gdbif_root"

/** PIPIDs as the debugger sees them; not those of pip.h.  Tasks are 0 and above. */
enum pip_gdbif_pipid {
	PIP_GDBIF_PIPID_ROOT = -1,
	PIP_GDBIF_PIPID_ANY = -2
};

/** How far a task has come. */
enum pip_gdbif_status {
	PIP_GDBIF_STATUS_NULL = 0,      /**< no task */
	PIP_GDBIF_STATUS_CREATED = 1,   /**< has an entry */
	PIP_GDBIF_STATUS_LOADED = 2,    /**< its program is in memory */
	PIP_GDBIF_STATUS_SPAWNED = 3,   /**< runs */
	PIP_GDBIF_STATUS_TERMINATED = 4 /**< has ended */
};

/** Whether a debugger is attached to a task. */
enum pip_gdbif_gdb_status {
	PIP_GDBIF_GDB_DETACHED = 0,
	PIP_GDBIF_GDB_ATTACHED = 1
};

/** What a task is to the kernel. */
enum pip_gdbif_exec_mode {
	PIP_GDBIF_EXMODE_NULL = 0,
	PIP_GDBIF_EXMODE_PROCESS = 1,
	PIP_GDBIF_EXMODE_THREAD = 2
};

#endif
