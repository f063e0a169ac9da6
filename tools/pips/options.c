/* options.c - the command line of pips.  Entry function: options_parse(). */
#include <ctype.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include <pip/pip.h>

#include "pips/pips.h"
#include "signame.h"

#define USAGE "Usage: pips [a][u][x] <PIPS_OPTIONS> [<CMDS>]\n"

static void help(void)
{
	fputs(USAGE
	      "\n"
	      "Lists PiP roots and tasks.  a, u and x mean what they mean to ps: others'\n"
	      "processes, more columns, processes without a terminal.  CMDS are names of\n"
	      "commands, patterns of them, PIDs or TIDs; \"-\" before them protects those that\n"
	      "look like options.\n"
	      "\n"
	      "  -r, --root            only roots\n"
	      "  -t, --task            only tasks\n"
	      "  -f, --family          with the roots of tasks, and the tasks of roots\n"
	      "  -d, --descent         with all processes that descend from them\n"
	      "  -m, --mode LETTERS    only those of the modes L (process:preload), C\n"
	      "                        (process:pipclone), G (process:got), T (pthread), or P\n"
	      "                        (all of process)\n"
	      "  -k, --kill            send SIGTERM\n"
	      "  -s, --signal SIGNAL   send a signal\n"
	      "  -P, --ps [OPTIONS]    run ps on them; OPTIONS begin with \"-\" and are joined by\n"
	      "                        commas; --ps=OPTIONS takes any\n"
	      "  -T, --top [OPTIONS]   run top on them\n"
	      "  -v, --verbose         tell whom signals are sent to\n"
	      "  --json                print all that is known of them as JSON\n"
	      "  --debug               tell how they are found\n"
	      "  -h, --help\n",
	      stdout);
	exit(0);
}

_Noreturn static void die_usage(const char *reason, const char *word)
{
	die("pips: %s%s\n" USAGE, reason, word);
}

static void action_set(enum action action)
{
	static const char *const names[] = { "", "--kill", "--signal", "--ps", "--top" };
	bool both_signal = (options.action == ACTION_KILL || options.action == ACTION_SIGNAL) &&
			   (action == ACTION_KILL || action == ACTION_SIGNAL);

	if (both_signal)
		die_usage("Multiple signal options", "");
	if (options.action != ACTION_LIST && options.action != action)
		die("PIPS: either %s or %s can be specified\n",
		    names[options.action < action ? options.action : action],
		    names[options.action < action ? action : options.action]);
	options.action = action;
}

static void modes_set(const char *letters)
{
	static char modes[16];
	size_t n = 0;

	if (!letters || !*letters || *letters == '-')
		die_usage("No mode specified", "");
	for (; *letters && n + 3 < sizeof(modes); letters++) {
		char letter = (char)toupper((unsigned char)*letters);

		if (!strchr("PLCGT", letter))
			die_usage("Invalid mode", "");
		if (letter == 'P')
			n += (size_t)sprintf(modes + n, "LCG");
		else
			modes[n++] = letter;
	}
	modes[n] = '\0';
	options.modes = modes;
}

static void signal_set(const char *word)
{
	action_set(ACTION_SIGNAL);
	if (!word || !*word || *word == '-')
		die_usage("No signal specified", "");
	options.signal = signame_parse(word);
	if (!options.signal)
		die_usage("Invalid signal", "");
}

/* Those that need no other word.  False: it is none. */
static bool flag_parse(const char *word)
{
	if (ONE_OF(word, "-r", "--root")) {
		options.roots = true;
	} else if (ONE_OF(word, "-t", "--task")) {
		options.tasks = true;
	} else if (ONE_OF(word, "-f", "--family")) {
		options.family = true;
	} else if (ONE_OF(word, "-d", "--descent", "--descentants", "--descendants")) {
		options.descent = true;
	} else if (ONE_OF(word, "-v", "--verbose")) {
		options.verbose = true;
	} else if (ONE_OF(word, "--json")) {
		options.json = true;
	} else if (ONE_OF(word, "--debug")) {
		options.debug = true;
	} else if (ONE_OF(word, "-k", "--kill")) {
		action_set(ACTION_KILL);
		options.signal = SIGTERM;
	} else {
		return false;
	}
	return true;
}

static bool is_known(const char *word)
{
	return ONE_OF(word, "-", "--", "-r", "--root", "-t", "--task", "-f", "--family", "-d",
		      "--descent", "--descentants", "--descendants", "-v", "--verbose", "--json",
		      "--debug", "-k", "--kill", "-s", "--signal", "-m", "--mode", "-P", "--ps",
		      "-T", "--top", "-h", "--help");
}

/* The part behind the "=" of "--name=value", or NULL. */
static const char *value_of(const char *word, const char *name)
{
	size_t len = strlen(name);

	return strncmp(word, name, len) == 0 && word[len] == '=' ? word + len + 1 : NULL;
}

/* What ps or top is to get, from the same word or the next one.  Returns how many words it took. */
static int list_parse(enum action action, const char *value, char **next)
{
	action_set(action);
	if (value) {
		options.extra = must(strdup(value));
	} else if (next[0] && next[0][0] == '-' && !is_known(next[0])) {
		options.extra = must(strdup(next[0]));
		return 1;
	}
	return 0;
}

/* Reads an option at *word.  Returns how many words it took beside that, or -1: it is none. */
static int option_parse(char **word)
{
	const char *value;

	if (flag_parse(*word))
		return 0;
	if (ONE_OF(*word, "-h", "--help"))
		help();
	if (ONE_OF(*word, "-m", "--mode")) {
		modes_set(word[1]);
		return 1;
	}
	if (ONE_OF(*word, "-s", "--signal")) {
		signal_set(word[1]);
		return 1;
	}
	if ((value = value_of(*word, "--mode")) != NULL) {
		modes_set(value);
		return 0;
	}
	if ((value = value_of(*word, "--signal")) != NULL) {
		signal_set(value);
		return 0;
	}
	value = value_of(*word, "--ps");
	if (value || ONE_OF(*word, "-P", "--ps"))
		return list_parse(ACTION_PS, value, word + 1);
	value = value_of(*word, "--top");
	if (value || ONE_OF(*word, "-T", "--top"))
		return list_parse(ACTION_TOP, value, word + 1);
	return -1;
}

void options_parse(char **word)
{
	bool only_patterns = false;

	options.pattern = must(calloc((size_t)PIP_NTASKS_MAX, sizeof(char *)));
	if (*word && **word != '-' && strpbrk(*word, "aux")) {
		options.all = strchr(*word, 'a');
		options.user = strchr(*word, 'u');
		options.notty = strchr(*word, 'x');
		word++;
	}
	for (; *word; word++) {
		int more;

		if (!only_patterns && ONE_OF(*word, "-", "--")) {
			only_patterns = true;
			continue;
		}
		if (only_patterns || **word != '-') {
			if (options.npatterns == PIP_NTASKS_MAX)
				die_usage("Too many patterns", "");
			options.pattern[options.npatterns++] = *word;
			continue;
		}
		more = option_parse(word);
		if (more < 0)
			die_usage("Unknown option: ", *word);
		word += more;
	}
}
