/*
 * procfs.c - what a stand-in has opened in /proc/self.  Entry function: procfs_take_over().
 */
#include "embryo/procfs.h"

#include "base/dir.h"
#include "base/str.h"

#define LINK_ROOM 256 /* longer than any path there */

static bool is_in_procfs(void)
{
	char dir[PATH_MAX];

	return sys_call(SYS_getcwd, dir, sizeof(dir), 0, 0, 0, 0) > 0 && str_starts(dir, "/proc") &&
	       (dir[5] == '/' || dir[5] == '\0');
}

bool procfs_is_open(const struct arch_trap *tr)
{
	const char *path = (const char *)tr->arg[1];

	if (tr->nr != SYS_openat)
		return false;
	if (path[0] == '/')
		return str_starts(path, "/proc/");
	return (int)tr->arg[0] == AT_FDCWD && is_in_procfs();
}

/* The rest of a path behind /proc/PID/, or behind /proc/PID/task/PID/; NULL if it is another's. */
static const char *behind(const char *path, const char *pid)
{
	size_t n = str_len(pid);

	if (!str_starts(path, "/proc/") || !str_starts(path + 6, pid) || path[6 + n] != '/')
		return NULL;
	path += 6 + n + 1;
	if (str_starts(path, "task/") && str_starts(path + 5, pid) && path[5 + n] == '/')
		path += 5 + n + 1;
	return path;
}

/*
 * These were opened with the stand-in's memory, which an exec takes away: they read as if it were
 * empty.  The kernel gives an error for a process that is gone, though, where it does not for one
 * whose memory is.
 */
static bool is_empty(const char *name)
{
	return str_equal(name, "maps") || str_equal(name, "numa_maps") ||
	       str_equal(name, "smaps") || str_equal(name, "smaps_rollup");
}

/* And these need no process. */
static bool stays(const char *name)
{
	return str_equal(name, "mem") || str_equal(name, "environ") || str_equal(name, "auxv") ||
	       str_equal(name, "pagemap");
}

static void take_over(void *ctx, int fd)
{
	const struct standin *s = ctx;
	char path[LINK_ROOM] = "/proc/self/fd/", pid[24], wanted[LINK_ROOM] = "/proc/self/";
	const char *name;
	long flags, at;
	ssize_t n;
	int copy;

	str_decimal(path + str_len(path), (unsigned long)fd);
	n = sys_readlink(path, path, sizeof(path) - 1);
	if (n <= 0)
		return;
	path[n] = '\0';
	str_decimal(pid, (unsigned long)s->pid);
	name = behind(path, pid);
	if (!name || stays(name))
		return;
	str_copy(wanted + str_len(wanted), name, sizeof(wanted) - 16);
	flags = sys_call(SYS_fcntl, fd, F_GETFL, 0, 0, 0, 0);
	at = sys_call(SYS_lseek, fd, 0, SEEK_CUR, 0, 0, 0);
	copy = sys_open(is_empty(name) ? "/dev/null" : wanted, (int)flags | O_CLOEXEC);
	if (copy < 0)
		return;
	if (at > 0)
		sys_call(SYS_lseek, copy, at, SEEK_SET, 0, 0, 0);
	flags = sys_call(SYS_fcntl, fd, F_GETFD, 0, 0, 0, 0);
	sys_call(SYS_dup3, copy, fd, flags & FD_CLOEXEC ? O_CLOEXEC : 0, 0, 0, 0);
	sys_close(copy);
}

void procfs_take_over(const struct standin *s)
{
	dir_numbers(DIR_FDS, take_over, (void *)s);
}
