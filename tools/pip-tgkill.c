/*
 * pip-tgkill.c - sends a signal to one thread of a process, as tgkill(2) does.
 * Entry function: main().
 */
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "signame.h"

/* A process or thread that one may want to signal: not 0, which means others, and not init. */
static int parse_id(const char *word)
{
	char *end;
	unsigned long id;

	if (!isdigit((unsigned char)*word))
		return 0;
	id = strtoul(word, &end, 10);
	return *end || id < 2 || id > INT_MAX ? 0 : (int)id;
}

int main(int argc, char **argv)
{
	int signal = argc > 1 ? signame_parse(argv[1]) : 0;
	int pid = argc > 2 ? parse_id(argv[2]) : 0, tid = argc > 3 ? parse_id(argv[3]) : 0;
	int err;

	if (argc > 5 || !signal || !pid || !tid) {
		fprintf(stderr, "Usage: %s <SIGNAL> <PID> <TID>\n",
			argc > 0 ? argv[0] : "pip-tgkill");
		return 2;
	}
	if (!tgkill(pid, tid, signal))
		return 0;
	err = errno;
	if (err == ESRCH && argc == 5) /* it may have ended: that is all right, too */
		return 0;
	fprintf(stderr, "pip-tgkill %s %s %s: %s\n", argv[1], argv[2], argv[3], strerror(err));
	return err;
}
