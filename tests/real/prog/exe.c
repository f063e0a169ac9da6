/*
 * exe.c - /proc/self/exe and its kin: as a link, as a file, to execute it; in the program, in a
 * thread, in a fork's child and its child, in a vfork's.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static unsigned long checksum(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	unsigned char buf[4096];
	unsigned long sum = 5381;
	ssize_t n;

	if (fd < 0)
		return 0;
	while ((n = read(fd, buf, sizeof(buf))) > 0)
		for (ssize_t i = 0; i < n; i++)
			sum = sum * 33 + buf[i];
	close(fd);
	return sum;
}

static void show(const char *who, const char *path)
{
	char link[PATH_MAX] = "", *real;
	ssize_t n = readlink(path, link, sizeof(link) - 1);
	struct stat st, by_name;
	char few[8] = "-------";
	FILE *f;

	link[n > 0 ? n : 0] = '\0';
	printf("%s: %s\n", who, link);
	printf("%s: %d", who, (int)readlink(path, few, 4));
	printf(" %.7s", few);
	n = readlinkat(AT_FDCWD, path, link, sizeof(link));
	printf(" %d", (int)n);
	n = syscall(SYS_readlinkat, AT_FDCWD, path, link, sizeof(link));
	printf(" %d\n", (int)n);
	real = realpath(path, NULL);
	printf("%s: %s\n", who, real ? real : strerror(errno));
	free(real);
	printf("%s: %lx", who, checksum(path));
	f = fopen(path, "r");
	printf(" %d", f ? fgetc(f) : -1);
	if (f)
		fclose(f);
	link[n > 0 ? n : 0] = '\0';
	printf(" %d", stat(path, &st));
	printf(" %d", stat(link, &by_name));
	printf(" %d", st.st_ino == by_name.st_ino && st.st_size == by_name.st_size);
	printf(" %d", lstat(path, &st) == 0 && S_ISLNK(st.st_mode));
	printf(" %d\n", access(path, X_OK));
	fflush(stdout);
}

static void *thread(void *arg)
{
	show(arg, "/proc/self/exe");
	show(arg, "/proc/thread-self/exe");
	return NULL;
}

static void collect(const char *who)
{
	int status = -1;

	wait(&status);
	printf("%s ended with 0x%x\n", who, status);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	char by_pid[64];
	pthread_t id;
	pid_t pid;

	if (argc > 1) {
		printf("executed again: %s %s\n", argv[0], argv[1]);
		return 8;
	}
	show("program", "/proc/self/exe");
	snprintf(by_pid, sizeof(by_pid), "/proc/%d/exe", getpid());
	show("by PID", by_pid);
	if (pthread_create(&id, NULL, thread, "thread"))
		return 1;
	pthread_join(id, NULL);

	/* NOLINTNEXTLINE(clang-analyzer-security.insecureAPI.vfork): it is what is tested */
	pid = vfork();
	if (pid == 0) {
		execl("/proc/self/exe", "again", "by vfork", NULL);
		_exit(1);
	}
	collect("vfork's child");
	if (fork() == 0) {
		show("child", "/proc/self/exe");
		if (fork() == 0) {
			show("its child", "/proc/self/exe");
			execl("/proc/self/exe", "again", "by a grandchild", NULL);
			_exit(1);
		}
		collect("grandchild");
		execl("/proc/self/exe", "again", "by a child", NULL);
		_exit(1);
	}
	collect("child");
	execl("/proc/self/exe", "again", "by itself", NULL);
	return 1;
}
