/* peer.h - what the test of copies between tasks and its programs know of each other. */
#ifndef PEER_H
#define PEER_H

#include <sys/types.h>

#define PEER_PAGES 64
#define PEER_HOLE 40      /* this page is not mapped */
#define PEER_READ_ONLY 50 /* this one cannot be written */
#define PEER_BEYOND 60    /* from here on there is no file behind the mapping */

/* In the root's memory; its address is the programs' second argument. */
struct peer {
	pid_t root;
	char text[64]; /* of the root */

	/* What "owner" offers. */
	pid_t owner;
	char *memory;
	volatile int ready, leave;

	/* Of "chaser": how often it copied, and whether to stop. */
	volatile long chased;
	volatile int stop;

	int filtered; /* the kernel refuses such calls */
};

#endif
