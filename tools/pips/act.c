/*
 * act.c - sends signals to the selected rows, or runs ps or top on them.
 * Entry functions: signals_send(), list_exec().
 */
#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "pips/pips.h"

static char *signal_name(int signal)
{
	static char name[16];
	const char *short_name = sigabbrev_np(signal);

	if (short_name)
		snprintf(name, sizeof(name), "SIG%s", short_name);
	else
		snprintf(name, sizeof(name), "%d", signal);
	return name;
}

/* The folder of this program, where pip-tgkill is. */
static void own_folder(char folder[PATH_MAX])
{
	ssize_t n = readlink("/proc/self/exe", folder, PATH_MAX - 1);
	char *slash;

	folder[n > 0 ? n : 0] = '\0';
	slash = strrchr(folder, '/');
	if (!slash)
		die("pips: cannot find out where it lies\n");
	*slash = '\0';
}

static bool send_failed;

static void row_signal(const struct row *r)
{
	char folder[PATH_MAX], *program, number[16], pid[16], tid[16], any[] = "no_esrch";
	pid_t child;
	int status, rc;

	if (check) {
		put("pip-tgkill %s %d %s\n", signal_name(options.signal), r->tid, r->comm);
		return;
	}
	if (r->pid == getpid()) /* pips may run as a task itself */
		return;
	if (options.verbose) {
		put("pip-tgkill %s %d %d (%s)\n", signal_name(options.signal), r->pid, r->tid,
		    r->comm);
		fflush(out);
	}
	own_folder(folder);
	if (asprintf(&program, "%s/pip-tgkill", folder) < 0)
		program = must(NULL);
	snprintf(number, sizeof(number), "%d", options.signal);
	snprintf(pid, sizeof(pid), "%d", r->pid);
	snprintf(tid, sizeof(tid), "%d", r->tid);
	rc = posix_spawn(&child, program, NULL, NULL,
			 (char *[]){ program, number, pid, tid, any, NULL }, environ);
	if (rc)
		die("pips: cannot run '%s': %s\n", program, strerror(rc));
	free(program);
	if (waitpid(child, &status, 0) < 0 || status)
		send_failed = true;
}

/* Tasks first: a root that ends may take its tasks along, or start others in their place. */
void signals_send(void)
{
	for (int roots = 0; roots <= 1; roots++)
		for (size_t i = 0; i < nrows; i++)
			if (rows[i]->is_selected && (rows[i]->is_root ? 1 : 0) == roots)
				row_signal(rows[i]);
	if (send_failed)
		exit(1);
}

static char **words;
static size_t nwords;

static void word_add(char *word)
{
	words = must(realloc(words, (nwords + 2) * sizeof(*words)));
	words[nwords++] = word;
	words[nwords] = NULL;
}

static void pid_add(struct row *r)
{
	char *pid;

	if (asprintf(&pid, "%d", r->pid) < 0)
		pid = must(NULL);
	for (size_t i = 0; i < nwords; i++)
		if (strcmp(words[i], pid) == 0)
			return free(pid);
	word_add(pid);
}

/* top wants its PIDs behind one option, joined by commas. */
static void join_pids(size_t from)
{
	char *joined = must(strdup(words[from]));

	for (size_t i = from + 1; i < nwords; i++) {
		char *longer;

		if (asprintf(&longer, "%s,%s", joined, words[i]) < 0)
			longer = must(NULL);
		free(joined);
		joined = longer;
	}
	nwords = from;
	word_add(joined);
}

void list_exec(void)
{
	static char ps[] = "ps", top[] = "top", threads_ps[] = "H", threads_top[] = "-H",
		    p[] = "-p";
	bool is_top = options.action == ACTION_TOP;
	char *save = NULL;
	size_t from;

	word_add(is_top ? top : ps);
	word_add(is_top ? threads_top : threads_ps);
	for (char *word = options.extra ? strtok_r(options.extra, ",", &save) : NULL; word;
	     word = strtok_r(NULL, ",", &save))
		word_add(word);
	if (is_top)
		word_add(p);
	from = nwords;
	rows_walk(pid_add);
	if (is_top)
		join_pids(from);
	if (check) {
		put("execvp(");
		for (size_t i = 0; i < nwords; i++)
			put(" %s", words[i]);
		put(" )\n");
		return;
	}
	fflush(NULL);
	execvp(words[0], words);
	die("pips: cannot run %s: %s\n", words[0], strerror(errno));
}
