/*
 * guest.c FILE - a child that shares the memory of a parent which is killed: it goes on with that,
 * and executes a program that writes to FILE.
 */
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

static _Alignas(16) unsigned char stack[1 << 20];
static volatile unsigned char room[65536];
static pid_t parent;

static int child(void *file)
{
	kill(parent, SIGKILL);
	while (getppid() == parent)
		usleep(1000);
	for (int i = 0; i < 300; i++) { /* its launcher looks for what it left */
		usleep(1000);
		for (size_t k = 0; k < sizeof(room); k += 1024)
			if (room[k]++ != (unsigned char)i)
				_exit(3);
	}
	execlp("sh", "sh", "-c", "echo written >\"$1\"", "sh", (char *)file, NULL);
	_exit(127);
}

int main(int argc, char **argv)
{
	if (argc < 2)
		return 2;
	parent = getpid();
	clone(child, stack + sizeof(stack), CLONE_VM | CLONE_VFORK | SIGCHLD, argv[1]);
	return 1;
}
