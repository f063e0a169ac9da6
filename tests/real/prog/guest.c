/*
 * guest.c FILE - a vfork's child whose parent is killed: it goes on with what was its parent's
 * memory, and executes a program that writes to FILE.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	volatile unsigned char room[65536];
	pid_t parent = getpid();

	if (argc < 2)
		return 2;
	memset((void *)room, 'x', sizeof(room));
	/* What a vfork's child must not do in general: but nobody else uses this stack any more. */
	if (vfork() == 0) {
		kill(parent, SIGKILL);
		while (getppid() == parent)
			usleep(1000);
		for (int i = 0; i < 300; i++) { /* its launcher looks for what it left */
			usleep(1000);
			for (size_t k = 0; k < sizeof(room); k += 1024)
				if (room[k]++ != (unsigned char)('x' + i))
					_exit(3);
		}
		execlp("sh", "sh", "-c", "echo written >\"$1\"", "sh", argv[1], NULL);
	}
	return 1;
}
