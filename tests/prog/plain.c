/*
 * plain.c - a program that knows nothing of PiP and does what its arguments say: commands[] below.
 *
 * It is built in several ways: as usual, stripped, linked with libpip that it does not use, as a
 * static PIE, and not position independent.
 */
#include <alloca.h>
#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

extern char **environ;

static void *volatile nowhere = (void *)8;

static void *end_in_thread(void *arg)
{
	exit(*(int *)arg);
}

static void *segv_in_thread(void *arg)
{
	*(volatile int *)arg = 1;
	return NULL;
}

static void run_thread(void *(*body)(void *), void *arg)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, body, arg))
		_exit(111);
	pthread_join(thread, NULL);
}

static volatile int endless = 1;

/* Its result is used, so that it is no tail call. */
static int recurse(volatile char *above)
{
	volatile char here[1024]; /* no frame may step over a thread's guard page */

	here[0] = *above;
	return endless ? recurse(here) + here[0] : 0;
}

static void *pthread_exit_in_thread(void *arg)
{
	pthread_exit(arg);
}

static int end(const char *how, int n)
{
	if (strcmp(how, "return") == 0)
		return n;
	if (strcmp(how, "exit") == 0)
		exit(n);
	if (strcmp(how, "_exit") == 0)
		_exit(n);
	if (strcmp(how, "quick_exit") == 0)
		quick_exit(n);
	if (strcmp(how, "pthread_exit") == 0)
		pthread_exit((void *)(intptr_t)n);
	if (strcmp(how, "exit-thread") == 0)
		run_thread(end_in_thread, &n);
	if (strcmp(how, "pthread_exit-thread") == 0) {
		run_thread(pthread_exit_in_thread, (void *)77);
		return n;
	}
	if (strcmp(how, "raise") == 0)
		kill(getpid(), n);
	if (strcmp(how, "abort") == 0)
		abort();
	if (strcmp(how, "segv") == 0)
		*(volatile int *)nowhere = 1;
	if (strcmp(how, "segv-thread") == 0)
		run_thread(segv_in_thread, nowhere);
	if (strcmp(how, "fpe") == 0)
		raise(SIGFPE);
	if (strcmp(how, "ill") == 0)
		__builtin_trap();
	if (strcmp(how, "overflow") == 0) {
		volatile char bottom = 0;

		return recurse(&bottom);
	}
	if (strcmp(how, "pause") == 0)
		for (;;)
			pause();
	return 113;
}

static int cmd_end(int argc, char **argv)
{
	return end(argv[1], argc > 2 ? atoi(argv[2]) : 0);
}

static const char *handler_tag;

static void say_pid(const char *tag)
{
	printf("%s %s %d\n", handler_tag, tag, getpid());
}

static void at_exit(void)
{
	say_pid("atexit");
}

static void on_exit_handler(int code, void *arg)
{
	say_pid(arg);
	printf("%s code %d\n", handler_tag, code);
}

static __attribute__((destructor)) void destructor(void)
{
	if (handler_tag)
		say_pid("destructor");
}

/* handlers HOW N: prints the PID in main and in each handler, through a buffered stdout */
static int cmd_handlers(int argc, char **argv)
{
	(void)argc;
	handler_tag = "handlers";
	atexit(at_exit);
	on_exit(on_exit_handler, "on_exit");
	say_pid("main");
	return end(argv[2], atoi(argv[3]));
}

static int cmd_args(int argc, char **argv)
{
	printf("%d\n", argc);
	for (int i = 0; i < argc; i++)
		printf("[%s]\n", argv[i]);
	return argv[argc] != NULL;
}

static int cmd_sizes(int argc, char **argv)
{
	size_t total = 0, entries = 0;

	for (int i = 0; i < argc; i++)
		total += strlen(argv[i]);
	for (char **env = environ; *env; env++) {
		total += strlen(*env);
		entries++;
	}
	printf("%d %zu %zu\n", argc, entries, total);
	return 0;
}

static int cmd_env(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	for (char **env = environ; *env; env++)
		puts(*env);
	return 0;
}

static int cmd_getenv(int argc, char **argv)
{
	for (int i = 2; i < argc; i++) {
		const char *value = getenv(argv[i]);

		printf("%s=%s\n", argv[i], value ? value : "(unset)");
	}
	return 0;
}

/* What an exec'ed program sees. */
static int cmd_exec(int argc, char **argv)
{
	(void)argc;
	execv(argv[2], argv + 2);
	return errno;
}

static int cmd_fds(int argc, char **argv)
{
	DIR *dir = opendir("/proc/self/fd");
	struct dirent *entry;

	(void)argc;
	(void)argv;
	while (dir && (entry = readdir(dir)) != NULL)
		if (entry->d_name[0] != '.' && atoi(entry->d_name) != dirfd(dir))
			puts(entry->d_name);
	return 0;
}

static int cmd_ids(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	printf("%d %d %ld\n", getpid(), getppid(), syscall(SYS_gettid));
	return 0;
}

/* A few lines of /proc/thread-self/status, such as SigBlk. */
static int cmd_status(int argc, char **argv)
{
	FILE *file = fopen("/proc/thread-self/status", "r");
	char line[1024];

	while (file && fgets(line, sizeof(line), file))
		for (int i = 2; i < argc; i++)
			if (strncmp(line, argv[i], strlen(argv[i])) == 0)
				fputs(line, stdout);
	return 0;
}

static int cmd_names(int argc, char **argv)
{
	char comm[64] = "";
	FILE *file = fopen("/proc/thread-self/comm", "r");

	(void)argc;
	(void)argv;
	if (file && fgets(comm, sizeof(comm), file))
		comm[strcspn(comm, "\n")] = '\0';
	printf("%s\n%s\n%s\n", program_invocation_name, program_invocation_short_name, comm);
	return 0;
}

static int cmd_affinity(int argc, char **argv)
{
	cpu_set_t set;

	(void)argc;
	(void)argv;
	if (sched_getaffinity(0, sizeof(set), &set) < 0)
		return errno;
	for (int i = 0; i < CPU_SETSIZE; i++)
		if (CPU_ISSET(i, &set))
			printf("%d ", i);
	putchar('\n');
	return 0;
}

/* stack BYTES: uses so many bytes of stack, from the top down */
static int cmd_stack(int argc, char **argv)
{
	size_t size = (size_t)strtoull(argv[2], NULL, 0);
	volatile char *low = alloca(size);

	(void)argc;
	for (size_t at = size; at >= 1024; at -= 1024)
		low[at - 1] = 1;
	return 0;
}

static int cmd_cwd(int argc, char **argv)
{
	char buf[4096];

	if (argc > 2 && chdir(argv[2]) < 0)
		return errno;
	umask(0);
	puts(getcwd(buf, sizeof(buf)));
	return 0;
}

/* write TEXT: to stdout, in one piece */
static int cmd_write(int argc, char **argv)
{
	(void)argc;
	return write(STDOUT_FILENO, argv[2], strlen(argv[2])) < 0;
}

/* heap: prints the addresses of some blocks, and uses its heap when stdin has ended */
static int cmd_heap(int argc, char **argv)
{
	void *blocks[1000];
	char byte;

	(void)argc;
	(void)argv;
	for (size_t i = 0; i < 100; i++) {
		blocks[i] = malloc(i * 100 + 1);
		memset(blocks[i], 0x5a, i * 100 + 1);
		printf("%p\n", blocks[i]);
	}
	fflush(stdout);
	while (read(STDIN_FILENO, &byte, 1) > 0)
		;
	for (size_t i = 0; i < 1000; i++)
		blocks[i] = memset(malloc(i * 10 + 1), 1, i * 10 + 1);
	for (size_t i = 0; i < 1000; i++)
		free(blocks[i]);
	return 0;
}

/* cat: until the end of stdin */
static int cmd_cat(int argc, char **argv)
{
	char buf[4096];
	ssize_t n;

	(void)argc;
	(void)argv;
	while ((n = read(STDIN_FILENO, buf, sizeof(buf))) > 0)
		if (write(STDOUT_FILENO, buf, (size_t)n) != n)
			return errno;
	return n < 0;
}

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
	int nargs; /* at least */
} commands[] = {
	{ "handlers", cmd_handlers, 2 }, { "args", cmd_args, 0 },
	{ "sizes", cmd_sizes, 0 },       { "env", cmd_env, 0 },
	{ "getenv", cmd_getenv, 0 },     { "exec", cmd_exec, 1 },
	{ "fds", cmd_fds, 0 },           { "ids", cmd_ids, 0 },
	{ "status", cmd_status, 0 },     { "names", cmd_names, 0 },
	{ "affinity", cmd_affinity, 0 }, { "stack", cmd_stack, 1 },
	{ "cwd", cmd_cwd, 0 },           { "write", cmd_write, 1 },
	{ "cat", cmd_cat, 0 },           { "heap", cmd_heap, 0 },
};

int main(int argc, char **argv)
{
	if (argc < 2)
		return 0;
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (strcmp(argv[1], commands[i].name) == 0)
			return argc - 2 < commands[i].nargs ? 112 : commands[i].run(argc, argv);
	return cmd_end(argc, argv);
}
