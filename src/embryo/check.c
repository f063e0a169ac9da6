/*
 * check.c - will the kernel take an exec's file and arguments?  Entry function: check_exec().
 */
#include "embryo/check.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/resource.h>

#include "base/str.h"
#include "base/sys.h"

#ifndef AT_EXECVE_CHECK
#define AT_EXECVE_CHECK 0x10000 /* Linux 6.14 */
#endif

#define NOWHERE 8UL                 /* an address in the first page */
#define STRING_MOST (32UL * 4096)   /* MAX_ARG_STRLEN */
#define STRINGS_LEAST (128UL << 10) /* ARG_MAX */
#define STRINGS_MOST (6UL << 20)    /* three quarters of the kernel's idea of a stack */

/* Adds what the kernel counts.  False: one string is too long. */
static bool count(char *const *v, uint64_t *total)
{
	for (; v && *v; v++) {
		size_t len = str_len(*v) + 1;

		if (len > STRING_MOST)
			return false;
		*total += len + sizeof(*v);
	}
	return true;
}

/* As execve(2) has it under "Limits on size of arguments and environment". */
static bool is_too_long(const char *path, char *const *argv, char *const *envv)
{
	uint64_t limit[2] = { 0, 0 }, most, total = str_len(path) + 1;

	sys_call(SYS_prlimit64, 0, RLIMIT_STACK, NULL, limit, 0, 0);
	most = limit[0] / 4 < STRINGS_MOST ? limit[0] / 4 : STRINGS_MOST;
	if (most < STRINGS_LEAST)
		most = STRINGS_LEAST;
	return !count(argv, &total) || !count(envv, &total) || total > most;
}

/* A lease on reading is not to be had of a file that somebody has open for writing. */
static bool is_being_written(const char *path)
{
	int fd = sys_open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	long rc;

	if (fd < 0)
		return false;
	rc = sys_call(SYS_fcntl, fd, F_SETLEASE, F_RDLCK, 0, 0, 0);
	sys_close(fd);
	return rc == -EAGAIN;
}

/*
 * The kernel has looked at the file when it comes to the arguments: with none that it can read, it
 * says EFAULT, and has spared itself the memory that they would go to.
 */
long check_exec(const char *path, char *const *argv, char *const *envv)
{
	long rc = sys_call(SYS_execveat, AT_FDCWD, path, NOWHERE, NOWHERE, AT_EXECVE_CHECK, 0);

	if (rc == -EINVAL) /* the kernel does not know the flag */
		rc = is_being_written(path) ? -ETXTBSY : 0;
	else if (rc == -EFAULT && sys_call(SYS_faccessat, AT_FDCWD, path, 0, 0, 0, 0) != -EFAULT)
		rc = 0;
	return !rc && is_too_long(path, argv, envv) ? -E2BIG : rc;
}
