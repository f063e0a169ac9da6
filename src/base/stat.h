/* stat.h - /proc/PID/stat, as proc(5) has it.  No libc. */
#ifndef BASE_STAT_H
#define BASE_STAT_H

#include "base/str.h"
#include "base/sys.h"

/* Reads that of a process (0 = the calling one), or its first size - 1 bytes.  Returns where
 * field 3 begins, the state letter, behind the name, which may have any character and has 15 at
 * most; NULL if the process is gone or hidden. */
static inline const char *stat_read(pid_t pid, char *buf, size_t size)
{
	char path[32] = "/proc/self/stat";
	ssize_t n;
	int fd;

	if (pid) {
		size_t at = 6 + str_decimal(path + 6, (unsigned long)pid);

		str_copy(path + at, "/stat", sizeof(path) - at);
	}
	fd = sys_open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return NULL;
	n = sys_pread(fd, buf, size - 1, 0);
	sys_close(fd);
	buf[n > 0 ? n : 0] = '\0';
	while (n > 0 && buf[n - 1] != ')')
		n--;
	return n > 0 && str_starts(buf + n, " ") && buf[n + 1] ? buf + n + 1 : NULL;
}

/* Field number n, from 4 on; field3: what stat_read() returned. */
static inline uint64_t stat_field(const char *field3, int n)
{
	const char *p = field3;
	uint64_t v = 0;

	for (int field = 3; field < n && *p; p++)
		field += *p == ' ';
	while (*p >= '0' && *p <= '9')
		v = v * 10 + (uint64_t)(*p++ - '0');
	return v;
}

/* 0 if it cannot be known. */
static inline pid_t stat_parent(pid_t pid)
{
	char stat[64]; /* the first four fields have fewer characters */
	const char *p = stat_read(pid, stat, sizeof(stat));

	return p ? (pid_t)stat_field(p, 4) : 0;
}

#endif
