/*
 * robust.c - a robust mutex in a file: what becomes of it when its owner ends.
 *
 * robust FILE lock: makes one, takes it, and returns from main.  robust FILE try: takes it, and
 * says what the answer was.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	pthread_mutexattr_t attr;
	pthread_mutex_t *m;
	int fd, rc;

	if (argc < 3)
		return 2;
	fd = open(argv[1], O_RDWR | O_CREAT, 0600);
	if (fd < 0 || ftruncate(fd, sizeof(*m)))
		return 2;
	m = mmap(NULL, sizeof(*m), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (m == MAP_FAILED)
		return 2;
	if (strcmp(argv[2], "lock") == 0) {
		pthread_mutexattr_init(&attr);
		pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
		pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
		pthread_mutex_init(m, &attr);
		return pthread_mutex_lock(m);
	}
	rc = pthread_mutex_trylock(m);
	puts(rc == EOWNERDEAD ? "the owner is dead" : strerror(rc));
	return 0;
}
