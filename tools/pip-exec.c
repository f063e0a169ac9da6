/*
 * pip-exec.c - runs programs as tasks of one address space, one or several of each (MPMD).
 *
 * main() takes the command line apart into segments (segments_parse), starts over with
 * libpip-preload.so if the mode needs that (preload), becomes the root, starts the tasks of all
 * segments in order (tasks_start) and turns their ends into its own exit code (tasks_collect).
 */
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/wait.h>
#include <unistd.h>

#include <pip/pip.h>

#define EXIT_USAGE 2

/* What stands between two separators of the command line. */
struct segment {
	char **argv;       /* the program and its arguments, NULL-terminated */
	char *func;        /* the start function, or NULL for main */
	const char *cores; /* a list for core_pick(), or NULL: wherever pip-exec may run */
	uint64_t ncores;
	unsigned long ntasks;
};

static void usage(void)
{
	fputs("Usage: pip-exec [OPTIONS] PROGRAM [ARG...] { : [OPTIONS] PROGRAM [ARG...] }\n"
	      "\n"
	      "Runs the programs as tasks of one address space.  \":\" (or \"::\") separates\n"
	      "them; their tasks are numbered from 0 in the order of the command line.\n"
	      "\n"
	      "  -n N      run N tasks of the program (default 1)\n"
	      "  -f FUNC   start them at the function FUNC, with a NULL argument, not at main\n"
	      "  -c CORES  bind them to cores, in turn: numbers and ranges joined by commas,\n"
	      "            such as 0,2-3.  Core n is the n-th that can be used, counted from 0;\n"
	      "            numbers past the last one start over.  -c asis, the default, leaves\n"
	      "            the binding alone.\n"
	      "  -d        accepted and ignored\n"
	      "  -h, --help\n"
	      "\n"
	      "The exit code is the largest one of the tasks; or, if a signal ended a task, the\n"
	      "number of the first such signal; or the error number if a task cannot be started.\n",
	      stderr);
}

/* Reads a core number at *list and steps over it. */
static bool core_number(const char **list, uint32_t *number)
{
	char *end;
	unsigned long value;

	if (!isdigit((unsigned char)**list))
		return false;
	value = strtoul(*list, &end, 10); /* a number too large gives ULONG_MAX */
	if (value >= PIP_CPUCORE_CORENO_MAX)
		return false;
	*number = (uint32_t)value;
	*list = end;
	return true;
}

/*
 * Stores in *core what the list has at position "at", counted from 0, if it has that many.  Returns
 * how many cores the list names, a core that it names twice counting twice, or 0 if it is no list.
 */
static uint64_t core_pick(const char *list, uint64_t at, uint32_t *core)
{
	uint64_t count = 0;

	for (;; list++) {
		uint32_t first, last;

		if (!core_number(&list, &first))
			return 0;
		last = first;
		if (*list == '-') {
			list++;
			if (!core_number(&list, &last) || last < first)
				return 0;
		}
		if (at >= count && at - count <= last - first)
			*core = first + (uint32_t)(at - count);
		count += last - first + 1;
		if (*list == '\0')
			return count;
		if (*list != ',')
			return 0;
	}
}

static bool option_parse(struct segment *seg, char letter, char *value)
{
	uint32_t unused;

	switch (letter) {
	case 'n':
		if (*value == '\0' || value[strspn(value, "0123456789")] != '\0')
			return false;
		seg->ntasks = strtoul(value, NULL, 10); /* a number too large gives ULONG_MAX */
		return seg->ntasks > 0;
	case 'f':
		seg->func = value;
		return true;
	case 'c':
		seg->cores = strcmp(value, "asis") == 0 ? NULL : value;
		seg->ncores = seg->cores ? core_pick(seg->cores, 0, &unused) : 0;
		return !seg->cores || seg->ncores > 0;
	default:
		return false;
	}
}

/* Reads one segment.  Returns the word behind it and its separator, or NULL: wrong usage. */
static char **segment_parse(char **word, struct segment *seg)
{
	*seg = (struct segment){ .ntasks = 1 };

	for (; *word && **word == '-'; word++) {
		const char *option = *word;

		if (strcmp(option, "-d") == 0)
			continue;
		if (strlen(option) != 2 || !word[1] || !option_parse(seg, option[1], word[1]))
			return NULL;
		word++;
	}

	seg->argv = word;
	while (*word && strcmp(*word, ":") != 0 && strcmp(*word, "::") != 0)
		word++;
	if (word == seg->argv)
		return NULL;
	if (*word)
		*word++ = NULL; /* the end of this segment's argv */
	return word;
}

/* Returns the number of segments, or 0: wrong usage. */
static size_t segments_parse(char **word, struct segment *segs)
{
	size_t n = 0;

	do {
		word = segment_parse(word, &segs[n++]);
	} while (word && *word);
	return word ? n : 0;
}

/* Returns the number of all tasks, which is not to be trusted beyond PIP_NTASKS_MAX + 1. */
static int tasks_count(const struct segment *segs, size_t nsegs)
{
	unsigned long total = 0;

	for (size_t i = 0; i < nsegs && total <= PIP_NTASKS_MAX; i++) {
		if (segs[i].ntasks > PIP_NTASKS_MAX)
			return PIP_NTASKS_MAX + 1;
		total += segs[i].ntasks;
	}
	return (int)total;
}

static int task_start(const struct segment *seg, unsigned long rank, int pipid)
{
	pip_spawn_program_t program;
	uint32_t core = PIP_CPUCORE_ASIS;
	int err;

	if (seg->func)
		pip_spawn_from_func(&program, seg->argv[0], seg->func, NULL, NULL, NULL);
	else
		pip_spawn_from_main(&program, seg->argv[0], seg->argv, NULL, NULL);
	if (seg->cores)
		core_pick(seg->cores, rank % seg->ncores, &core);

	err = pip_task_spawn(&program, core, 0, &pipid, NULL);
	if (err)
		fprintf(stderr, "pip-exec: PIPID:%d cannot start '%s': %s\n", pipid, seg->argv[0],
			strerror(err));
	return err;
}

static int tasks_start(const struct segment *segs, size_t nsegs)
{
	int pipid = 0;

	for (size_t i = 0; i < nsegs; i++) {
		for (unsigned long rank = 0; rank < segs[i].ntasks; rank++) {
			int err = task_start(&segs[i], rank, pipid++);

			if (err)
				return err;
		}
	}
	return 0;
}

/* Waits for all tasks.  Returns the exit code that their ends add up to. */
static int tasks_collect(void)
{
	int largest = 0, signaled = 0, pipid, status, err;

	while (!(err = pip_wait_any(&pipid, &status))) {
		if (WIFSIGNALED(status)) {
			fprintf(stderr, "pip-exec: PIPID:%d signaled (%s)\n", pipid,
				strsignal(WTERMSIG(status)));
			if (!signaled)
				signaled = WTERMSIG(status);
		} else if (WEXITSTATUS(status) > largest) {
			largest = WEXITSTATUS(status);
		}
	}
	if (err != ECHILD) { /* which only says that all have been collected */
		fprintf(stderr, "pip-exec: pip_wait_any()=%d\n", err);
		return err;
	}
	return signaled ? signaled : largest;
}

/* ---- The mode process:preload -------------------------------------------------------------- */

/* Where libpip-preload.so lies, beside this program as it was installed or built. */
static bool preload_library(const char *exe, char path[PATH_MAX])
{
	static const char *const folders[] = { PRELOAD_FOLDER, "../preload" };
	int folder = (int)(strrchr(exe, '/') - exe);

	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		bool is_absolute = *folders[i] == '/';
		char *joined = NULL;
		bool found;

		if (asprintf(&joined, "%.*s%s%s/libpip-preload.so", is_absolute ? 0 : folder, exe,
			     is_absolute ? "" : "/", folders[i]) < 0)
			return false;
		found = realpath(joined, path);
		free(joined);
		if (found)
			return true;
	}
	return false;
}

/*
 * That mode needs a library in LD_PRELOAD, which ld.so reads when a program starts.  So this one
 * starts once more, unless the library has been loaded.  0 or the exit code.
 */
static int preload(char **argv)
{
	const char *mode = getenv(PIP_ENV_MODE), *others = getenv("LD_PRELOAD");
	char exe[PATH_MAX], library[PATH_MAX], *value = NULL;
	ssize_t n;

	if (!mode || strcasecmp(mode, PIP_ENV_MODE_PROCESS_PRELOAD) != 0)
		return 0;
	if (others && strstr(others, "libpip-preload.so"))
		return 0;
	n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
	exe[n > 0 ? n : 0] = '\0';
	if (!strchr(exe, '/') || !preload_library(exe, library)) {
		fputs("pip-exec: process:preload needs libpip-preload.so, which is not installed "
		      "beside it\n",
		      stderr);
		return EPERM;
	}
	if (strpbrk(library, ": ")) {
		fprintf(stderr,
			"pip-exec: '%s' cannot be preloaded: ld.so takes blanks and colons for "
			"separators\n",
			library);
		return EPERM;
	}
	if (asprintf(&value, "%s%s%s", library, others && *others ? ":" : "",
		     others ? others : "") < 0 ||
	    setenv("LD_PRELOAD", value, 1)) {
		fputs("pip-exec: Not enough memory\n", stderr);
		return ENOMEM;
	}
	execv(exe, argv);
	fprintf(stderr, "pip-exec: cannot start '%s' over: %s\n", exe, strerror(errno));
	return errno;
}

/* Becomes the root and runs the tasks.  Returns the exit code. */
static int run(const struct segment *segs, size_t nsegs)
{
	int ntasks = tasks_count(segs, nsegs), code;

	if (ntasks > PIP_NTASKS_MAX) {
		fputs("pip-exec: Too many tasks\n", stderr);
		return EOVERFLOW;
	}
	code = pip_init(NULL, &ntasks, NULL, 0);
	if (code) {
		fprintf(stderr, "pip-exec: pip_init()=%d\n", code);
		return code;
	}

	code = tasks_start(segs, nsegs);
	if (code) {
		/* Their ends are of no interest any more, only that nothing stays behind. */
		pip_kill_all_child_tasks();
		while (!pip_wait_any(NULL, NULL))
			;
	} else {
		code = tasks_collect();
	}
	pip_fin();
	return code;
}

int main(int argc, char **argv)
{
	struct segment *segs;
	size_t nsegs;
	int code = preload(argv);

	if (code)
		return code;
	segs = calloc((size_t)argc, sizeof(*segs)); /* each needs a word at least */
	if (!segs) {
		fputs("pip-exec: Not enough memory\n", stderr);
		return ENOMEM;
	}
	nsegs = segments_parse(argv + 1, segs);
	if (nsegs) {
		code = run(segs, nsegs);
	} else {
		usage();
		code = EXIT_USAGE;
	}
	free(segs);
	return code;
}
