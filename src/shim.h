/*
 * shim.h - makes the calling program a launcher, whose children become tasks.
 *
 * Its libc's code is patched in place, so that the calls that make processes lead to
 * embryo/birth.c and embryo/exec.c; programs that it launches have such a libc from the start.
 */
#ifndef SHIM_H
#define SHIM_H

#include "space.h"

/* 0 or -errno: -ENOTSUP if this libc's code is not of a known shape. */
int shim_start(struct task *root);

/* The record of the calling program if it is a launcher in no window, else NULL. */
struct task *shim_launcher(void);

/* This program began as a task, so its calls are led to the runtime anyway. */
void shim_in_window(struct window_head *own);

/* libpip-preload.so is loaded, or this program has been launched by one with it. */
bool shim_is_preloaded(void);

#endif
