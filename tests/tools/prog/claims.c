/*
 * claims.c - a process with a registry of its own making, for tests of pips.
 *
 * claims WHAT: "parent": it says that it is the task of its parent, which does not share its
 * memory; "version", "size", "offset": a header that no reader may follow; "noise": records of
 * random bits.  Then it waits until it is ended.
 */
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define MAP_SIZE (1UL << 20)
#define RECORDS 4096 /* where they begin */
#define RECORD_SIZE 8192

struct header {
	uint64_t magic;
	uint32_t version, size, task_size, ntasks;
	uint64_t tasks_offset;
};

struct record {
	uint32_t state, slot, root_slot;
	int32_t pipid, pid;
	uint32_t incarnation;
	char path[4096];
};

int main(int argc, char **argv)
{
	struct header h = { 0x3145434150534950ULL, 1, 32, RECORD_SIZE, 100, RECORDS };
	struct record root = { 2, 0, 0, -748, getppid(), 1, "/a/root" };
	struct record task = { 2, 1, 0, 7, getpid(), 1, "" };
	const char *what = argc > 1 ? argv[1] : "";
	int fd = memfd_create("pip-space", MFD_CLOEXEC);
	char *map;

	if (fd < 0 || ftruncate(fd, MAP_SIZE))
		return 1;
	map = mmap(NULL, MAP_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		return 1;
	memset(task.path, 'A', sizeof(task.path)); /* without an end */
	memcpy(map + RECORDS, &root, sizeof(root));
	memcpy(map + RECORDS + RECORD_SIZE, &task, sizeof(task));
	if (strcmp(what, "version") == 0)
		h.version = 99;
	if (strcmp(what, "size") == 0)
		h.task_size = 8;
	if (strcmp(what, "offset") == 0)
		h.tasks_offset = UINT64_MAX - 8;
	if (strcmp(what, "noise") == 0)
		for (size_t i = RECORDS; i < MAP_SIZE; i++)
			map[i] = (char)(i * 2654435761U >> 13);
	memcpy(map, &h, sizeof(h));
	if (write(STDOUT_FILENO, "ready\n", 6) != 6)
		return 1; /* cppcheck-suppress memleak ; the process ends */
	for (;;)
		pause();
}
