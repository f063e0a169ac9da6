/* sig.h - what sig.c, the tasks that send and take signals, and its test share. */
#ifndef SIG_H
#define SIG_H

#include <stdatomic.h>

#include <pip/pip.h>

struct relay {
	int to; /* whom to pass the signal on to */
	int rounds;
	int taken; /* signal to wait for */
	int sent;  /* signal to send */
	atomic_int ready;
};

struct caught {
	atomic_int here, count, pid, leave;
};

#endif
