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

#define NO_PAGE 1UL

/* Can it be read?  known: the last page that could, or NO_PAGE. */
static bool can_read(const void *p, uintptr_t *known)
{
	if (page_down((uintptr_t)p) != *known) {
		if (!sys_readable(p))
			return false;
		*known = page_down((uintptr_t)p);
	}
	return true;
}

/* Its length, with the NUL; -EFAULT, or -E2BIG if it is too long. */
static ssize_t size_of(const char *string, uintptr_t *known)
{
	for (size_t n = 0; n < STRING_MOST; n++) {
		if (!can_read(string + n, known))
			return -EFAULT;
		if (!string[n])
			return (ssize_t)n + 1;
	}
	return -E2BIG;
}

/* Adds what the kernel counts.  0, -EFAULT or -E2BIG. */
static int count(char *const *v, uint64_t *total)
{
	uintptr_t pointers = NO_PAGE, strings = NO_PAGE;

	for (; v; v++) {
		ssize_t len;

		if (!can_read(v, &pointers))
			return -EFAULT;
		if (!*v)
			break;
		len = size_of(*v, &strings);
		if (len < 0)
			return (int)len;
		*total += (size_t)len + sizeof(*v);
	}
	return 0;
}

/* As execve(2) has it under "Limits on size of arguments and environment". */
static int check_size(const char *path, char *const *argv, char *const *envv)
{
	uint64_t most = sys_limit(RLIMIT_STACK) / 4, total = str_len(path) + 1;
	int rc;

	if (most > STRINGS_MOST)
		most = STRINGS_MOST;
	if (most < STRINGS_LEAST)
		most = STRINGS_LEAST;
	rc = count(argv, &total);
	if (!rc)
		rc = count(envv, &total);
	return !rc && total > most ? -E2BIG : rc;
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
	return rc ? rc : check_size(path, argv, envv);
}
