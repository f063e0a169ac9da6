/* root.c - for scenarios that act as a PiP root; see root.h. */
#include "root.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#define MAX_ARGS 16

void root_init(int n)
{
	int pipid = 0, ntasks = n;

	check_int(pip_init(&pipid, &ntasks, NULL, getenv("PIP_MODE") ? 0 : PIP_MODE_PROCESS), 0);
	check_int(pipid, PIP_PIPID_ROOT);
}

void root_fin(void)
{
	check_int(pip_fin(), 0);
}

int task_main(const char *path, ...)
{
	char *argv[MAX_ARGS] = { (char *)path };
	int pipid = PIP_PIPID_ANY;
	va_list ap;
	int n = 1;

	va_start(ap, path);
	while ((argv[n] = va_arg(ap, char *)) != NULL)
		check(++n < MAX_ARGS);
	va_end(ap);
	check_int(pip_spawn(argv[0], argv, NULL, PIP_CPUCORE_ASIS, &pipid, NULL, NULL, NULL), 0);
	return pipid;
}

int task_func(const char *path, const char *function, void *arg)
{
	pip_spawn_program_t program;
	int pipid = PIP_PIPID_ANY;

	pip_spawn_from_func(&program, (char *)path, (char *)function, arg, NULL, NULL);
	check_int(pip_task_spawn(&program, PIP_CPUCORE_ASIS, 0, &pipid, NULL), 0);
	return pipid;
}

int task_hooked(const char *path, char **argv, pip_spawnhook_t before, pip_spawnhook_t after,
		void *hookarg)
{
	pip_spawn_program_t program;
	pip_spawn_hook_t hook = { 0 };
	int pipid = PIP_PIPID_ANY;

	pip_spawn_from_main(&program, (char *)path, argv, NULL, NULL);
	pip_spawn_hook(&hook, before, after, hookarg);
	check_int(pip_task_spawn(&program, PIP_CPUCORE_ASIS, 0, &pipid, &hook), 0);
	return pipid;
}

/*
 * The TID of a task that is a thread, or 0.  The interface tells its pthread_t, which with glibc is
 * the address of its control block; and there glibc has the list of robust mutexes, whose address
 * the kernel tells for each thread.
 */
static pid_t thread_id(uintptr_t handle)
{
	DIR *dir = opendir("/proc/self/task");
	struct dirent *entry;
	pid_t found = 0;

	check(dir != NULL);
	while ((entry = readdir(dir)) != NULL) {
		pid_t tid = atoi(entry->d_name);
		uintptr_t list = 0;
		size_t len;

		if (tid && syscall(SYS_get_robust_list, tid, &list, &len) == 0 &&
		    list - handle < 4096)
			found = tid;
	}
	closedir(dir);
	return found;
}

static uintptr_t system_id(int pipid)
{
	pip_id_t id = 0;

	check_int(pip_get_system_id(pipid, &id), 0);
	check(id != 0);
	return (uintptr_t)id;
}

bool task_has_ended(int pipid)
{
	return harness_threads() ? thread_id(system_id(pipid)) == 0
				 : process_state(task_pid(pipid)) == 'Z';
}

void task_await_end(int pipid)
{
	siginfo_t info;

	if (harness_threads())
		check(retry(task_has_ended(pipid)));
	else
		check_int(waitid(P_PID, (id_t)task_pid(pipid), &info, WEXITED | WNOWAIT), 0);
}

pid_t task_pid(int pipid)
{
	pid_t tid;

	if (!harness_threads())
		return (pid_t)system_id(pipid);
	/* Among a thousand, one may be missing from what /proc lists. */
	check(retry((tid = thread_id(system_id(pipid))) != 0));
	return tid;
}

pid_t task_getpid(int pipid)
{
	return harness_threads() ? getpid() : task_pid(pipid);
}

void task_kill(int pipid, int sig)
{
	if (harness_threads())
		check_int(pip_kill(pipid, sig), 0);
	else
		check_int(kill(task_pid(pipid), sig), 0);
}

int task_collect(int pipid)
{
	int status = -1;

	check_int(pip_wait(pipid, &status), 0);
	return status;
}

void task_exits_at(const char *file, int line, int pipid, int code)
{
	int status = task_collect(pipid);

	if (!WIFEXITED(status) || WEXITSTATUS(status) != code)
		check_failed(file, line, "task %d ended with status 0x%x, not exit code %d", pipid,
			     status, code);
}

void task_signaled_at(const char *file, int line, int pipid, int signum)
{
	int status = task_collect(pipid);

	if (!WIFSIGNALED(status) || WTERMSIG(status) != signum)
		check_failed(file, line, "task %d ended with status 0x%x, not by signal %d", pipid,
			     status, signum);
}

void capture_begin(struct capture *c, int fd)
{
	fflush(NULL);
	c->fd = fd;
	c->file = memfd_create("capture", MFD_CLOEXEC);
	c->saved = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	check(c->file >= 0 && c->saved >= 0);
	/* At one shared offset several writers can overwrite each other (seen on Linux 6.18). */
	check(fcntl(c->file, F_SETFL, O_APPEND) == 0);
	check(dup2(c->file, fd) == fd);
}

char *capture_end(struct capture *c)
{
	off_t size;
	char *text;

	fflush(NULL);
	check(dup2(c->saved, c->fd) == c->fd);
	size = lseek(c->file, 0, SEEK_END);
	text = malloc((size_t)size + 1);
	check(text != NULL);
	check_int(pread(c->file, text, (size_t)size, 0), size);
	text[size] = '\0';
	close(c->saved);
	close(c->file);
	return text;
}

char *task_output(char **argv, char **envv)
{
	int pipid = PIP_PIPID_ANY, status;
	struct capture c;
	char *text;

	capture_begin(&c, STDOUT_FILENO);
	check_int(pip_spawn(argv[0], argv, envv, PIP_CPUCORE_ASIS, &pipid, NULL, NULL, NULL), 0);
	status = task_collect(pipid);
	text = capture_end(&c);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		check_failed(__FILE__, __LINE__, "%s %s ended with status 0x%x", argv[0], argv[1],
			     status);
	return text;
}

void runs_under_shim(char **argv)
{
	int status = -1;
	pid_t pid = fork();

	check(pid >= 0);
	if (pid == 0) {
		setenv("PIP_MODE", "process:preload", 1);
		setenv("LD_PRELOAD", PRELOAD, 1);
		execv(argv[0], argv);
		_exit(127);
	}
	check_int(waitpid(pid, &status, 0), pid);
	check_int(status, 0);
}
