/*
 * exec.h - exec in a program of a space: who becomes a task, and how.  Freestanding.
 *
 * 	a vfork's child		places the program in its own window, lets its parent go on,
 * 				and enters it
 * 	a fork's stand-in	has its embryo do that, and ends
 * 	a task			places the program in a new window, in the old one's stead
 *
 * What cannot be a task is executed by the kernel, in the process with the right PID.  Only
 * where the stand-in has other namespaces or filters than its embryo, or rights that this cannot
 * get, or where nobody can tell beforehand whether the kernel will take the file, the stand-in
 * executes it itself and the embryo goes on standing for it.
 */
#ifndef EMBRYO_EXEC_H
#define EMBRYO_EXEC_H

#include "space.h"

struct standin;

/* execve() in a program whose record is head->task, or in a vfork's child of it.  0 = the call
 * should be made as it is. */
int exec_syscall(struct window_head *head, struct arch_trap *tr);

/* The same, and execveat(), in a stand-in. */
int exec_in_standin(struct standin *s, struct arch_trap *tr);

/* In the embryo: what its stand-in asks for.  Returns what exec_in_standin() wants to know, if this
 * process is not to become the program. */
long exec_in_embryo(struct task *t, struct standin *s);

#endif
