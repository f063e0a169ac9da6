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

static pthread_mutex_t *mutex; /* in the file; it must outlive main() */

static void map(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT, 0600);

	if (fd < 0)
		return;
	if (ftruncate(fd, sizeof(*mutex)) == 0)
		mutex = mmap(NULL, sizeof(*mutex), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (mutex == MAP_FAILED)
		mutex = NULL;
	close(fd);
}

int main(int argc, char **argv)
{
	pthread_mutexattr_t attr;
	int rc;

	if (argc > 2)
		map(argv[1]);
	if (!mutex)
		return 2;
	if (strcmp(argv[2], "lock") == 0) {
		pthread_mutexattr_init(&attr);
		pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
		pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
		pthread_mutex_init(mutex, &attr);
		return pthread_mutex_lock(mutex);
	}
	rc = pthread_mutex_trylock(mutex);
	puts(rc == EOWNERDEAD ? "the owner is dead" : strerror(rc));
	return 0;
}
