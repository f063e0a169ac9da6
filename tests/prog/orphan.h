/* orphan.h - what a task of orphan.c tells about the time after its root's end. */
#ifndef ORPHAN_H
#define ORPHAN_H

#include <stdatomic.h>

struct orphan {
	atomic_int here, ready;
	int import, tryimport, kill, system_id, get_pipid, pipid, spawned;
};

#endif
