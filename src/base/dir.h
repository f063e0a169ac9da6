/* dir.h - directories of /proc whose entries are numbers: descriptors, threads.  No libc. */
#ifndef BASE_DIR_H
#define BASE_DIR_H

#include "base/str.h"
#include "base/sys.h"

#define DIR_FDS "/proc/self/fd"
#define DIR_THREADS "/proc/self/task"

/* Calls fn for each number.  0, or -errno if the directory cannot be opened. */
static inline int dir_numbers(const char *path, void (*fn)(void *ctx, int number), void *ctx)
{
	struct entry { /* linux_dirent64 */
		uint64_t ino, off;
		uint16_t reclen;
		uint8_t type;
		char name[];
	};
	bool is_fds = str_equal(path, DIR_FDS); /* it is not to name the one that reads it */
	int dir = sys_open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	uint64_t buf[128];
	long n;

	if (dir < 0)
		return dir;
	while ((n = sys_call(SYS_getdents64, dir, buf, sizeof(buf), 0, 0, 0)) > 0) {
		for (long at = 0; at < n;) {
			const struct entry *e = (void *)((char *)buf + at);
			const char *p = e->name;
			int number = 0;

			at += e->reclen;
			while (*p >= '0' && *p <= '9')
				number = number * 10 + (*p++ - '0');
			if (p > e->name && !*p && !(is_fds && number == dir))
				fn(ctx, number);
		}
	}
	sys_close(dir);
	return 0;
}

#endif
