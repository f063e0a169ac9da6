/*
 * state.c - prints the state that a program begins with: signals, auxiliary vector, limits,
 * descriptors, floating point, scheduling.  Addresses and PIDs are left out.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fenv.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include "signals.h"

static void auxiliary(void)
{
	static const struct {
		const char *name;
		unsigned long type;
	} entry[] = {
		{ "HWCAP", AT_HWCAP },
		{ "HWCAP2", AT_HWCAP2 },
		{ "PAGESZ", AT_PAGESZ },
		{ "CLKTCK", AT_CLKTCK },
		{ "PHENT", AT_PHENT },
		{ "PHNUM", AT_PHNUM },
		{ "FLAGS", AT_FLAGS },
		{ "UID", AT_UID },
		{ "EUID", AT_EUID },
		{ "GID", AT_GID },
		{ "EGID", AT_EGID },
		{ "SECURE", AT_SECURE },
		{ "RSEQ_FEATURE_SIZE", 27 },
		{ "RSEQ_ALIGN", 28 },
		{ "HWCAP3", 29 },
		{ "HWCAP4", 30 },
		{ "MINSIGSTKSZ", 51 },
		{ "NOTELF", AT_NOTELF },
		{ "BASE_PLATFORM", AT_BASE_PLATFORM },
	};
	const char *platform = (const char *)getauxval(AT_PLATFORM);
	const unsigned char *random = (const unsigned char *)getauxval(AT_RANDOM);
	unsigned zeros = 0;

	for (size_t i = 0; i < sizeof(entry) / sizeof(entry[0]); i++) {
		errno = 0;
		printf("%s: %lu %d\n", entry[i].name, getauxval(entry[i].type), errno);
	}
	printf("PLATFORM: %s\n", platform ? platform : "none");
	printf("EXECFN: %s\n", (const char *)getauxval(AT_EXECFN));
	for (int i = 0; random && i < 16; i++)
		zeros += random[i] == 0;
	printf("random: %d, vDSO: %d, interpreter: %d\n", random && zeros < 8,
	       getauxval(AT_SYSINFO_EHDR) != 0, getauxval(AT_BASE) != 0);
}

static void limits(void)
{
	struct rlimit limit;

	for (int i = 0; i < RLIMIT_NLIMITS; i++)
		if (getrlimit((__rlimit_resource_t)i, &limit) == 0)
			printf("limit %d: %ld %ld\n", i, (long)limit.rlim_cur,
			       (long)limit.rlim_max);
}

static int by_number(const struct dirent **a, const struct dirent **b)
{
	return atoi((*a)->d_name) - atoi((*b)->d_name);
}

static void descriptors(void)
{
	struct dirent **list;
	int n = scandir("/proc/self/fd", &list, NULL, by_number);

	for (int i = 0; i < n; i++)
		if (fcntl(atoi(list[i]->d_name), F_GETFL) >= 0 && list[i]->d_name[0] != '.')
			printf("descriptor %s: 0x%x 0x%x\n", list[i]->d_name,
			       (unsigned)fcntl(atoi(list[i]->d_name), F_GETFL),
			       (unsigned)fcntl(atoi(list[i]->d_name), F_GETFD));
}

static void odds(void)
{
	char dir[4096];
	struct itimerval timer;
	struct sched_param param;
	cpu_set_t set;
	mode_t mask = umask(022);
	int deathsig = -1;

	printf("mask: %o, directory: %s\n", (unsigned)mask, getcwd(dir, sizeof(dir)));
	getitimer(ITIMER_REAL, &timer);
	printf("timer: %ld\n", (long)timer.it_value.tv_sec);
	sched_getparam(0, &param);
	sched_getaffinity(0, sizeof(set), &set);
	printf("scheduling: %d %d %d, %d CPUs\n", sched_getscheduler(0), param.sched_priority,
	       getpriority(PRIO_PROCESS, 0), CPU_COUNT(&set));
	prctl(PR_GET_PDEATHSIG, &deathsig);
	printf("death signal: %d, personality: %x, no_new_privs: %d, dumpable: %d\n", deathsig,
	       (unsigned)personality(0xffffffff), prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0),
	       prctl(PR_GET_DUMPABLE));
	printf("rounding: %d, exceptions: %d %d\n", fegetround(), fegetexcept(),
	       fetestexcept(FE_ALL_EXCEPT));
}

int main(int argc, char **argv)
{
	print_signals();
	auxiliary();
	limits();
	descriptors();
	odds();
	printf("%d arguments, the first: %s\n", argc, argv[0]);
	printf("names: %s %s\n", program_invocation_name, program_invocation_short_name);
	return 0;
}
