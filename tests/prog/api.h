/* api.h - what the functions of api.c and their tests share. */
#ifndef API_H
#define API_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include <pip/pip.h>

/* What a task sees; the root fills in what it should be. */
struct view {
	int pipid, ntasks;
	void *root_exp;
	void *aux;
	pip_id_t root;
	pid_t pid;
	atomic_int done;
	int *variable; /* address of a static variable of the task */
};

/* A task that waits to be let go. */
struct gate {
	atomic_int here, open;
};

#endif
