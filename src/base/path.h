/* path.h - where a file is.  Freestanding. */
#ifndef BASE_PATH_H
#define BASE_PATH_H

#include <linux/limits.h>
#include <stdbool.h>

/*
 * The path without symbolic links, "." and ".." of a file that exists.  False if it cannot be had.
 * Like realpath(3), and much faster in a new process than the link in its /proc/self/fd, for which
 * the kernel has to make the directories first.
 */
bool path_resolve(const char *given, char real[PATH_MAX]);

#endif
