/* thread_once.h - makes libc's locks safe between programs. */
#ifndef THREAD_ONCE_H
#define THREAD_ONCE_H

/*
 * Starts a thread and waits for its end.  A program that shares mutexes with others must call it
 * first: since 2.34, glibc takes a lock without an atomic instruction until the program has had a
 * second thread, and each of the programs would believe itself alone.
 */
void thread_once(void);

#endif
