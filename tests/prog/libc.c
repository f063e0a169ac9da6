/*
 * libc.c - a program that uses its C library in many ways and knows nothing of PiP; see topics[].
 *
 * The test runs several at a time.  Each topic goes over its functions again and again.
 */
#include <ctype.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <math.h>
#include <netdb.h>
#include <pthread.h>
#include <pwd.h>
#include <regex.h>
#include <setjmp.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/sysinfo.h>
#include <sys/time.h>
#include <time.h>
#include <wchar.h>
#include <wctype.h>

#include "prog.h"

#define ROUNDS 50

static void topic_ctype(void)
{
	EXPECT(setlocale(LC_ALL, "C") != NULL);
	for (int i = 0; i < 256; i++) {
		EXPECT_INT(!!isalpha(i), (i >= 'a' && i <= 'z') || (i >= 'A' && i <= 'Z'));
		EXPECT_INT(!!isdigit(i), i >= '0' && i <= '9');
		if (i >= 'a' && i <= 'z')
			EXPECT_INT(toupper(i), i - 'a' + 'A');
	}
	setlocale(LC_ALL, "C.UTF-8");
	EXPECT(iswalpha(L'x') && towupper(L'x') == L'X');
	EXPECT_INT(mblen("a", 1), 1);
}

static void topic_format(void)
{
	char buf[256];
	double d = 0;
	long n = 0;

	snprintf(buf, sizeof(buf), "%d %5.2f %s %Lg %a %zu %ls", -42, 3.14159, "text", 2.5L, 1.0,
		 sizeof(buf), L"w");
	EXPECT(strcmp(buf, "-42  3.14 text 2.5 0x1p+0 256 w") == 0);
	EXPECT_INT(sscanf("17 2.5e3 word", "%ld %lf", &n, &d), 2);
	EXPECT_INT(n, 17);
	EXPECT(d == 2500.0);
	EXPECT_INT(strtol("0x7f", NULL, 0), 127);
	errno = 0;
	strtol("99999999999999999999999", NULL, 10);
	EXPECT_INT(errno, ERANGE);
	EXPECT(strcmp(strerror(ENOENT), "No such file or directory") == 0);
}

static void topic_time(void)
{
	const time_t then = 1000000000;
	struct tm tm;
	char buf[64];

	setenv("TZ", getpid() % 2 ? "EST5EDT" : "JST-9", 1);
	tzset();
	EXPECT(localtime_r(&then, &tm) != NULL);
	if (getpid() % 2) {
		EXPECT_INT(tm.tm_hour, 21);
		EXPECT(strcmp(tm.tm_zone, "EDT") == 0);
	} else {
		EXPECT_INT(tm.tm_hour, 10);
		EXPECT(strcmp(tm.tm_zone, "JST") == 0);
	}
	EXPECT_INT(mktime(&tm), then);
	EXPECT(strftime(buf, sizeof(buf), "%Y-%m-%d", &tm) == 10);
	EXPECT(strncmp(buf, "2001-09-", 8) == 0);
	/* Programs use the static ones, too. */
	/* cppcheck-suppress localtimeCalled */
	EXPECT(localtime(&then) != NULL && ctime(&then) != NULL);
}

static void topic_hosts(void)
{
	struct addrinfo hints = { .ai_flags = AI_NUMERICHOST, .ai_socktype = SOCK_STREAM }, *list;
	int rc;

	EXPECT_INT(getaddrinfo("127.0.0.1", "80", &hints, &list), 0);
	EXPECT_INT(list->ai_family, AF_INET);
	freeaddrinfo(list);
	/* What comes of these depends on the machine; that they come back does not. */
	rc = getaddrinfo("localhost", NULL, NULL, &list);
	if (rc == 0)
		freeaddrinfo(list);
	else
		EXPECT(gai_strerror(rc) != NULL);
	/* cppcheck-suppress getpwuidCalled */
	EXPECT(getpwuid(0) != NULL);
	/* cppcheck-suppress getprotobynameCalled */
	EXPECT(getprotobyname("there is no such protocol") == NULL);
}

static void topic_dlopen(void)
{
	double (*cosine)(double);
	void *handle = dlopen("libm.so.6", RTLD_NOW);

	EXPECT(handle != NULL);
	cosine = (double (*)(double))(uintptr_t)dlsym(handle, "cos");
	EXPECT(cosine && cosine(0.0) == 1.0);
	EXPECT_INT(dlclose(handle), 0);
	EXPECT(!dlopen("libthere-is-no-such.so.7", RTLD_NOW));
	EXPECT(dlerror() != NULL);
	EXPECT(dlsym(RTLD_DEFAULT, "malloc") != NULL);
}

/* The dlmopen loader takes no program with such variables. */
#ifndef NO_TLS
static _Thread_local int own = 7;
#else
static int own;
#endif

static void own_set(int value)
{
	own = value;
}

static void own_check(int value)
{
#ifndef NO_TLS
	EXPECT_INT(own, value);
#else
	(void)value;
#endif
}

static pthread_key_t key;
static atomic_int destroyed, joined;

static void destroy(void *value)
{
	destroyed += *(int *)value;
}

static void *thread_body(void *arg)
{
	static int one = 1;

	own_check(7);
	own_set((int)(intptr_t)arg);
	EXPECT_INT(pthread_setspecific(key, &one), 0);
	free(malloc(1000));
	joined++;
	if ((intptr_t)arg % 2)
		pthread_exit(arg);
	return arg;
}

static void *cancelled(void *arg)
{
	for (;;)
		pause();
	return arg;
}

static void topic_threads(void)
{
	enum {
		THREADS = 8
	};
	pthread_t thread[THREADS];
	void *result;

	destroyed = joined = 0;
	own_set(7);
	EXPECT_INT(pthread_key_create(&key, destroy), 0);
	for (int i = 0; i < THREADS; i++)
		EXPECT_INT(pthread_create(&thread[i], NULL, thread_body, (void *)(intptr_t)i), 0);
	for (int i = 0; i < THREADS; i++) {
		EXPECT_INT(pthread_join(thread[i], &result), 0);
		EXPECT_INT((intptr_t)result, i);
	}
	EXPECT_INT(destroyed, THREADS);
	EXPECT_INT(joined, THREADS);
	own_check(7);
	EXPECT_INT(pthread_key_delete(key), 0);
	EXPECT_INT(pthread_create(&thread[0], NULL, cancelled, NULL), 0);
	EXPECT_INT(pthread_cancel(thread[0]), 0);
	EXPECT_INT(pthread_join(thread[0], &result), 0);
	EXPECT(result == PTHREAD_CANCELED);
}

static void topic_cpus(void)
{
	EXPECT(get_nprocs() >= 1);
	EXPECT(get_nprocs_conf() >= get_nprocs());
	EXPECT(sysconf(_SC_NPROCESSORS_ONLN) >= 1);
	EXPECT(sysconf(_SC_PAGESIZE) >= 4096);
}

static volatile sig_atomic_t alarms;

static void on_alarm(int signum)
{
	(void)signum;
	alarms++;
}

static void topic_timers(void)
{
	struct itimerval timer = { .it_value = { 0, 2000 } };
	struct sigaction sa = { .sa_handler = on_alarm };
	int before = alarms;

	EXPECT_INT(sigaction(SIGALRM, &sa, NULL), 0);
	EXPECT_INT(setitimer(ITIMER_REAL, &timer, NULL), 0);
	WAIT_FOR(alarms > before);
}

static void topic_memory(void)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	char *map =
		mmap(NULL, 16 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	void *blocks[100];

	EXPECT(map != MAP_FAILED);
	map[0] = 1;
	map = mremap(map, 16 * page, 64 * page, MREMAP_MAYMOVE);
	EXPECT(map != MAP_FAILED && map[0] == 1);
	map[64 * page - 1] = 2;
	EXPECT_INT(mprotect(map, page, PROT_READ), 0);
	EXPECT_INT(madvise(map, 64 * page, MADV_DONTNEED), 0);
	EXPECT(map[0] == 0);
	EXPECT_INT(munmap(map, 64 * page), 0);
	for (size_t i = 0; i < 100; i++)
		blocks[i] = memset(malloc(i * i * 50 + 1), 1, i * i * 50 + 1);
	for (size_t i = 0; i < 100; i++)
		free(blocks[i]);
	/* The break is nobody's, or it may be had: both are right. */
	if (sbrk(4096) != (void *)-1)
		EXPECT(sbrk(-4096) != (void *)-1);
}

static int compare(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

static jmp_buf jump;

static void topic_algorithms(void)
{
	int numbers[1000];
	regex_t re;

	for (int i = 0; i < 1000; i++)
		numbers[i] = i * 7919 % 1000;
	qsort(numbers, 1000, sizeof(*numbers), compare);
	for (int i = 0; i < 1000; i++)
		EXPECT_INT(numbers[i], i);
	EXPECT_INT(regcomp(&re, "^a(b|c)+d$", REG_EXTENDED), 0);
	EXPECT_INT(regexec(&re, "abcbcd", 0, NULL, 0), 0);
	EXPECT_INT(regexec(&re, "abx", 0, NULL, 0), REG_NOMATCH);
	regfree(&re);
	if (setjmp(jump) == 0)
		longjmp(jump, 1);
	EXPECT(fabs(sqrt(2.0) * sqrt(2.0) - 2.0) < 1e-12);
}

static void topic_stdio(void)
{
	FILE *file = tmpfile();
	char *line = NULL, *text = NULL;
	size_t size = 0;
	FILE *memory;

	EXPECT(file != NULL);
	for (int i = 0; i < 2000; i++)
		EXPECT(fprintf(file, "line %d\n", i) > 0);
	rewind(file);
	for (int i = 0; i < 2000; i++) {
		int n = -1;

		EXPECT(getline(&line, &size, file) > 0);
		EXPECT_INT(sscanf(line, "line %d", &n), 1);
		EXPECT_INT(n, i);
	}
	free(line);
	fclose(file);
	memory = open_memstream(&text, &size);
	EXPECT(memory != NULL);
	fprintf(memory, "in memory");
	fclose(memory);
	EXPECT(strcmp(text, "in memory") == 0);
	free(text);
}

static void topic_sockets(void)
{
	int ends[2];
	char buf[8];

	EXPECT_INT(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	EXPECT_INT(send(ends[0], "hello", 5, 0), 5);
	EXPECT_INT(recv(ends[1], buf, sizeof(buf), 0), 5);
	close(ends[0]);
	close(ends[1]);
}

static const struct {
	const char *name;
	void (*body)(void);
} topics[] = {
	{ "ctype", topic_ctype }, { "format", topic_format },   { "time", topic_time },
	{ "hosts", topic_hosts }, { "dlopen", topic_dlopen },   { "threads", topic_threads },
	{ "cpus", topic_cpus },   { "timers", topic_timers },   { "memory", topic_memory },
	{ "stdio", topic_stdio }, { "sockets", topic_sockets }, { "algorithms", topic_algorithms },
};

int main(int argc, char **argv)
{
	const char *mode = getenv("HARNESS_MODE");
	int all, is_thread = mode && strcmp(mode, "pthread") == 0;

	EXPECT(argc > 1);
	all = strcmp(argv[1], "all") == 0;
	for (size_t i = 0; i < sizeof(topics) / sizeof(topics[0]); i++) {
		if (!all && strcmp(argv[1], topics[i].name) != 0)
			continue;
		/* Timers belong to the whole process, and so do their signals. */
		if (all && is_thread && strcmp(topics[i].name, "timers") == 0)
			continue;
		for (int round = 0; round < ROUNDS; round++)
			topics[i].body();
		if (!all)
			return 0;
	}
	return all ? 0 : EXPECT_FAILED;
}
