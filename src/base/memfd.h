/* memfd.h - a memory object of a given size: memfd_create(2).  Freestanding. */
#ifndef BASE_MEMFD_H
#define BASE_MEMFD_H

#include <errno.h>
#include <linux/memfd.h>
#include <sys/resource.h>

#include "base/sys.h"

/*
 * Its descriptor, close-on-exec, or -errno.  The kernel counts it as a file: with a lower
 * RLIMIT_FSIZE the process would get SIGXFSZ, and here it gets -EFBIG.
 */
static inline int memfd_sized(const char *name, unsigned flags, uint64_t size)
{
	int fd, rc;

	if (sys_limit(RLIMIT_FSIZE) < size)
		return -EFBIG;
	fd = (int)sys_call(SYS_memfd_create, name, MFD_CLOEXEC | flags, 0, 0, 0, 0);
	if (fd < 0)
		return fd;
	rc = (int)sys_call(SYS_ftruncate, fd, size, 0, 0, 0, 0);
	if (!rc)
		return fd;
	sys_close(fd);
	return rc;
}

#endif
