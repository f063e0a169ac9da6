/* place.h - puts the images of a program into a task's window. */
#ifndef PLACE_H
#define PLACE_H

#include "loader/loader.h"
#include "space.h"

/*
 * Gives a task its first window and maps the program and interpreter that are open in l there, the
 * latter's code with its system calls trapped.  0 or -errno.
 */
int place_images(struct task *t, struct load *l, struct load_error *err);

#endif
