/*
 * terminal.c - runs a program at a terminal of its own and plays its user.
 *
 *	terminal COMMAND... <SCRIPT
 *
 * Lines of the script: "> text" types that line, "^x" types control-x, "? text" waits until the
 * terminal shows it (behind what was waited for before), ". n" waits n tenths of a second.
 * What the terminal has shown is printed, with numbers of more than two digits as N.
 */
#include <ctype.h>
#include <errno.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE 15000 /* ms */

static char shown[1 << 20];
static size_t nshown, nseen;
static int terminal;

static long now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Reads what comes within so many ms; false at its end. */
static int listen_for(int ms)
{
	struct pollfd p = { .fd = terminal, .events = POLLIN };
	ssize_t n;

	if (ms < 0 || poll(&p, 1, ms) <= 0)
		return 1;
	n = read(terminal, shown + nshown, sizeof(shown) - 1 - nshown);
	if (n <= 0)
		return 0;
	nshown += (size_t)n;
	shown[nshown] = '\0';
	return 1;
}

static int expect(const char *text)
{
	long end = now() + PATIENCE;
	char *found;

	while (!(found = strstr(shown + nseen, text)))
		if (now() >= end || !listen_for((int)(end - now()) + 1))
			break;
	if (!found) {
		printf("\n*** not shown: %s\n", text);
		return 0;
	}
	nseen = (size_t)(found - shown) + strlen(text);
	return 1;
}

static int type(const char *text, size_t len)
{
	return write(terminal, text, len) == (ssize_t)len;
}

static int play(char *line)
{
	long end;
	char c;

	line[strcspn(line, "\n")] = '\0';
	switch (line[0]) {
	case '>':
		line[strlen(line)] = '\n';
		return type(line + 2, (size_t)(strchr(line, '\n') - line) - 1);
	case '^':
		c = (char)(toupper(line[1]) & 31);
		return type(&c, 1);
	case '?':
		return expect(line + 2);
	case '.':
		end = now() + atoi(line + 2) * 100;
		while (now() < end && listen_for((int)(end - now())))
			;
		return 1;
	default:
		return 1;
	}
}

static void print_shown(void)
{
	for (const char *p = shown; *p;) {
		size_t digits = strspn(p, "0123456789");

		if (digits > 2)
			putchar('N');
		else if (digits)
			printf("%.*s", (int)digits, p);
		p += digits;
		if (*p && !isdigit((unsigned char)*p)) {
			if (*p != '\r')
				putchar(*p);
			p++;
		}
	}
}

int main(int argc, char **argv)
{
	char line[1024] = "";
	int status = 0, good = 1;
	pid_t pid, ended = 0;

	if (argc < 2)
		return 2;
	pid = forkpty(&terminal, NULL, NULL, NULL);
	if (pid == 0) {
		execvp(argv[1], argv + 1);
		_exit(127);
	}
	while (good && fgets(line, sizeof(line) - 1, stdin))
		good = play(line);
	/* Jobs that it leaves may keep the terminal open. */
	for (long end = now() + PATIENCE; good && !ended && now() < end;) {
		listen_for(20);
		ended = waitpid(pid, &status, WNOHANG);
	}
	listen_for(20);
	if (!ended) {
		good = 0;
		kill(pid, SIGKILL);
		waitpid(pid, &status, 0);
	}
	print_shown();
	printf("\n%sstatus %x\n", good ? "" : "*** stopped\n", status);
	return !good;
}
