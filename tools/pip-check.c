/*
 * pip-check.c - tells of files whether they can be PiP roots, tasks, both, or why not.
 *
 * main() reads the options; file_check() looks at one file.  Whether it can be a task is the
 * loader's own judgement (load_open, place_hindrance).  A root is a program that calls pip_init(),
 * so it is linked with libpip: what it loads is asked of the dynamic linker, as ldd does.
 */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "place.h"

enum wish {
	WISH_ANY,
	WISH_ROOT,
	WISH_TASK,
	WISH_BOTH
};

static bool verbose;

/* What a file is found to be.  A reason is empty if there is nothing against it. */
struct finding {
	char no_root[PATH_MAX + 128], no_task[PATH_MAX + 128];
	const char *no_program; /* it can be neither, and this is all there is to say */
};

static int usage(void)
{
	fputs("Usage: pip-check [-r|-t|-b] [-v] FILE...\n"
	      "\n"
	      "Tells whether the files can be PiP roots, tasks or both, on standard error.\n"
	      "\n"
	      "  -r, --root, --piproot   complain about those that cannot be a root\n"
	      "  -t, --task, --piptask   complain about those that cannot be a task\n"
	      "  -b, --both, --pipboth   complain about those that cannot be both\n"
	      "  -v, --verbose           say why not\n"
	      "  --ldlinux, --ldso       print the path of the dynamic linker\n"
	      "  -h, --usage, --help\n",
	      stderr);
	return 1;
}

/* ---- Roots --------------------------------------------------------------------------------- */

/*
 * The environment that makes the dynamic linker list what it would load, and go on where something
 * is missing, which its option --list does not; without what else would be loaded.
 */
static char **listing_environment(void)
{
	static char trace[] = "LD_TRACE_LOADED_OBJECTS=1";
	size_t n = 0, kept = 0;
	char **env;

	while (environ[n])
		n++;
	env = calloc(n + 2, sizeof(*env));
	if (env)
		env[kept++] = trace;
	for (size_t i = 0; env && i < n; i++)
		if (strncmp(environ[i], "LD_PRELOAD=", 11) != 0 &&
		    strncmp(environ[i], "LD_AUDIT=", 9) != 0)
			env[kept++] = environ[i];
	return env;
}

/* Starts the dynamic linker to list what a file loads.  Returns the pipe's end to read, or -1. */
static int listing_open(const char *file, pid_t *pid)
{
	char ldlinux[] = LDLINUX, *name = NULL;
	char **env = listing_environment();
	posix_spawn_file_actions_t actions;
	int ends[2], rc = ENOMEM;

	/* A name without a slash would be searched for along the library path. */
	if (!env || asprintf(&name, "%s%s", strchr(file, '/') ? "" : "./", file) < 0) {
		free(env);
		return -1;
	}
	if (pipe2(ends, O_CLOEXEC)) {
		free(name);
		free(env);
		return -1;
	}
	if (!posix_spawn_file_actions_init(&actions)) {
		posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
		posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
		rc = posix_spawn(pid, ldlinux, &actions, NULL, (char *[]){ ldlinux, name, NULL },
				 env);
		posix_spawn_file_actions_destroy(&actions);
	}
	close(ends[1]);
	if (rc)
		close(ends[0]);
	free(name);
	free(env);
	return rc ? -1 : ends[0];
}

/* Fills in no_root unless libpip is among what the file loads. */
static void root_check(const char *file, struct finding *f)
{
	static const char absent[] = "not linked with libpip.so";
	pid_t pid;
	int fd = listing_open(file, &pid);
	FILE *list = fd < 0 ? NULL : fdopen(fd, "r");
	char *line = NULL;
	size_t size = 0;

	strcpy(f->no_root, absent);
	if (fd < 0) {
		snprintf(f->no_root, sizeof(f->no_root), "cannot run '%s': %m", LDLINUX);
		return;
	}
	while (list && getline(&line, &size, list) > 0) {
		/* A line is "name => path (address)", or "path (address)". */
		char *name = line + strspn(line, " \t"), *base;
		size_t len = strcspn(name, " \n");

		base = memrchr(name, '/', len);
		if (strncmp(base ? base + 1 : name, "libpip.so", 9) != 0)
			continue;
		if (strstr(name, "=> not found"))
			strcpy(f->no_root, "libpip.so is not found");
		else
			f->no_root[0] = '\0';
	}
	free(line);
	if (list)
		fclose(list);
	else
		close(fd);
	waitpid(pid, NULL, 0);
}

static bool same_file(const char *a, const char *b)
{
	struct stat sa, sb;

	return !stat(a, &sa) && !stat(b, &sb) && sa.st_dev == sb.st_dev && sa.st_ino == sb.st_ino;
}

/* ---- Tasks --------------------------------------------------------------------------------- */

/* What a script's first line names. */
static void script_interpreter(const char *file, char *buf, size_t size)
{
	FILE *script = fopen(file, "re");
	size_t n = script ? fread(buf, 1, size - 1, script) : 0;
	char *name;

	buf[n] = '\0';
	name = buf + (n > 2 ? 2 : n);
	name += strspn(name, " \t");
	name[strcspn(name, " \t\n")] = '\0';
	memmove(buf, name, strlen(name) + 1);
	if (script)
		fclose(script);
}

/* Fills in no_task, or no_program, for what load_open() made of the file. */
static void explain(const char *file, int rc, const struct load_error *err, struct finding *f)
{
	bool own = err->file == file;
	char name[PATH_MAX];

	if (!own) {
		snprintf(f->no_task, sizeof(f->no_task), "its interpreter '%s' cannot be used: %s",
			 err->file, strerror(-rc));
		return;
	}
	switch (-rc) {
	case ELIBSCN:
		script_interpreter(file, name, sizeof(name));
		f->no_program = "not an ELF file";
		snprintf(f->no_task, sizeof(f->no_task),
			 "a script: start its interpreter '%s' instead", name);
		break;
	case EUNATCH:
	case ELIBBAD:
		f->no_program = "not an ELF file";
		break;
	case EACCES:
		f->no_program = "permission denied";
		break;
	case ELIBEXEC:
		strcpy(f->no_task, "not PIE (not compiled and linked with '-fPIC -pie' options)");
		break;
	case ENOEXEC:
		strcpy(f->no_task, strcmp(err->what, "header") == 0
					   ? "not a program of this machine"
					   : "its headers are damaged");
		break;
	default:
		snprintf(f->no_task, sizeof(f->no_task), "cannot be read: %s", strerror(-rc));
		break;
	}
}

static void program_check(const char *file, const struct stat *st, struct finding *f)
{
	struct load_error err = { .file = file, .what = "open" };
	const char *hindrance;
	struct load l;
	uint32_t aware;
	int rc = load_open(&l, file, &err);

	if (rc) {
		explain(file, rc, &err, f);
	} else {
		hindrance = place_hindrance(&l.program, &aware);
		if (hindrance)
			strcpy(f->no_task, hindrance);
		else if (place_gains_rights(file, st))
			strcpy(f->no_task, "runs with other rights than its caller's");
	}
	if (!f->no_program)
		root_check(file, f);
	if (!f->no_root[0] && !rc && l.interp_path[0] && !same_file(l.interp_path, LDLINUX))
		strcpy(f->no_root, "'ld-linux.so' is not set properly");
	if (!rc)
		load_close(&l);
}

/* ---- Files --------------------------------------------------------------------------------- */

static void say(const char *file, const char *text)
{
	fprintf(stderr, "%s : %s\n", file, text);
}

static void say_why(const char *file, const char *what, const char *reason)
{
	if (verbose && reason[0])
		fprintf(stderr, "%s : (%s) %s\n", file, what, reason);
}

/* Returns whether the file is what is wished for. */
static bool file_check(const char *file, enum wish wish)
{
	bool root, task, good;
	struct finding f = { .no_program = NULL };
	struct stat st;

	if (stat(file, &st))
		f.no_program = errno == ENOENT || errno == ENOTDIR ? "not found" : strerror(errno);
	else if (!S_ISREG(st.st_mode) || !(st.st_mode & 0111))
		f.no_program = "not an executable file";
	else
		program_check(file, &st, &f);
	if (f.no_program) {
		say(file, f.no_program);
		say_why(file, "task", f.no_task);
		return false;
	}
	root = !f.no_root[0];
	task = !f.no_task[0];
	good = wish == WISH_ROOT   ? root
	       : wish == WISH_TASK ? task
	       : wish == WISH_BOTH ? root && task
				   : root || task;
	if (wish == WISH_ANY)
		say(file, root && task ? "Root&Task"
			  : root       ? "Root"
			  : task       ? "Task"
				       : "not a PiP program");
	else if (!good)
		say(file, wish == WISH_ROOT   ? "cannot be a PiP root"
			  : wish == WISH_TASK ? "cannot be a PiP task"
			  : root              ? "cannot be a PiP task"
			  : task              ? "cannot be a PiP root"
					      : "can be neither PiP root nor PiP task");
	if (wish == WISH_ANY || (!good && wish != WISH_TASK))
		say_why(file, "root", f.no_root);
	if (wish == WISH_ANY || (!good && wish != WISH_ROOT))
		say_why(file, "task", f.no_task);
	return good;
}

static bool is_one_of(const char *word, const char *const names[])
{
	for (; *names; names++)
		if (strcmp(word, *names) == 0)
			return true;
	return false;
}

#define ONE_OF(word, ...) is_one_of(word, (const char *const[]){ __VA_ARGS__, NULL })

int main(int argc, char **argv)
{
	bool root = false, task = false, both = false;
	int first = 1, code = 0;
	enum wish wish;

	for (; first < argc && argv[first][0] == '-'; first++) {
		const char *word = argv[first];

		if (strcmp(word, "--") == 0) {
			first++;
			break;
		}
		if (ONE_OF(word, "-r", "--root", "--piproot")) {
			root = true;
		} else if (ONE_OF(word, "-t", "--task", "--piptask")) {
			task = true;
		} else if (ONE_OF(word, "-b", "--both", "--pipboth")) {
			both = true;
		} else if (ONE_OF(word, "-v", "--verbose")) {
			verbose = true;
		} else if (ONE_OF(word, "--ldlinux", "--ldso")) {
			return puts(LDLINUX) < 0 || fflush(stdout) ? 1 : 0;
		} else if (ONE_OF(word, "-h", "--usage", "--help")) {
			return usage();
		} else {
			fprintf(stderr, "pip-check: Invalid option '%s'\n", word);
			return 1;
		}
	}
	wish = root ? WISH_ROOT : task ? WISH_TASK : both ? WISH_BOTH : WISH_ANY;
	for (int i = first; i < argc; i++)
		if (!file_check(argv[i], wish))
			code = 1;
	return code;
}
