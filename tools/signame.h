/* signame.h - signals by name or number, for the commands that send them. */
#ifndef SIGNAME_H
#define SIGNAME_H

#include <ctype.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* A number from 1 to NSIG - 1, or a name in any case, with SIG or without.  0: neither. */
static inline int signame_parse(const char *word)
{
	static const struct {
		const char *name;
		int number;
	} others[] = { { "IOT", SIGIOT }, { "CLD", SIGCHLD }, { "IO", SIGIO } };

	if (isdigit((unsigned char)*word)) {
		char *end;
		unsigned long number = strtoul(word, &end, 10);

		return *end || number >= NSIG ? 0 : (int)number;
	}
	if (strncasecmp(word, "SIG", 3) == 0)
		word += 3;
	for (int i = 1; i < NSIG; i++) {
		const char *name = sigabbrev_np(i);

		if (name && strcasecmp(word, name) == 0)
			return i;
	}
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (strcasecmp(word, others[i].name) == 0)
			return others[i].number;
	return 0;
}

#endif
