/*
 * check.h - will the kernel take an exec's file and arguments?  Freestanding.
 *
 * What becomes a task is never shown to execve(2), so its errors have to be found otherwise: the
 * file is being written to, an argument or all of them are too long, a pointer leads nowhere.
 */
#ifndef EMBRYO_CHECK_H
#define EMBRYO_CHECK_H

/* 0 = it will, as far as it can be known beforehand; or -errno. */
long check_exec(const char *path, char *const *argv, char *const *envv);

#endif
