/*
 * test_shifting_file.c - files that change while they are loaded, and files with random damage.
 *
 * What such a program does is its own affair, as long as it is killed in the end; the root must not
 * notice anything.
 */
#include <dlfcn.h>
#include <elf.h>
#include <fcntl.h>
#include <gnu/libc-version.h>
#include <pthread.h>
#include <sys/stat.h>

#include "fault.h"

#define SLICE 500

static char *dir, *file;
static unsigned char *good;
static size_t good_len;

static void read_good(const char *path)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	check(fd >= 0 && fstat(fd, &st) == 0);
	good_len = (size_t)st.st_size;
	good = malloc(good_len);
	check(good && read(fd, good, good_len) == (ssize_t)good_len);
	close(fd);
}

static int nran, nfailed, nrefused;

static void print_results(void)
{
	printf("%d tasks ended with 0, %d otherwise, %d files were refused\n", nran, nfailed,
	       nrefused);
}

/* A task or an error, but one of those that a bad file is worth. */
static void try(char *const *argv)
{
	int status = -1, rc = run(0, argv, &status);

	switch (rc) {
	case 0:
		*(status ? &nfailed : &nran) += 1;
		return;
	case ENOENT:
	case EACCES:
	case ENOMEM:
	case ENOEXEC:
	case ELIBSCN:
	case EUNATCH:
	case ELIBBAD:
	case ELIBEXEC:
		nrefused++;
		return;
	default:
		check_failed(__FILE__, __LINE__, "pip_spawn() is %s", pip_errname(rc));
	}
}

/* ---- Files that change ---- */

static _Atomic bool shifting;

static void shorten(unsigned long n)
{
	int fd = open(file, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	/* Most of the time it is good: a refused file takes far less time than a task. */
	if (ftruncate(fd, (off_t)(n % good_len)) == 0)
		usleep((useconds_t)(n >> 20 & 127));
	if (pwrite(fd, good, good_len, 0) < 0)
		perror(file);
	close(fd);
	usleep((useconds_t)(n >> 30 & 4095));
}

/* Another file at the same place: the good one, a part of it, a script, a FIFO, none. */
static void replace(unsigned long n)
{
	char *other = path_in(dir, "other");

	unlink(other);
	switch (n % 12) {
	case 0:
		check_int(mkfifo(other, 0777), 0);
		break;
	case 1:
		file_write(other, "#!/bin/sh\n", 10, 0755);
		break;
	case 2:
		file_write(other, good, n % good_len, 0755);
		break;
	case 3:
		check_int(symlink("/dev/null", other), 0);
		break;
	case 4:
		unlink(file);
		usleep(100);
		__attribute__((fallthrough));
	default:
		file_write(other, good, good_len, 0755);
	}
	check_int(rename(other, file), 0);
	free(other);
	usleep((useconds_t)(n >> 20 & (n % 12 < 4 ? 127 : 4095)));
}

static void *shift(void *how)
{
	unsigned long n = 1;

	while (shifting) {
		n = n * 6364136223846793005 + 1442695040888963407;
		((void (*)(unsigned long))how)(n >> 10);
	}
	return NULL;
}

static void shift_rounds(int n, const char *name, char *const *argv, void (*how)(unsigned long))
{
	struct ledger ledger = { 0 };
	pthread_t thread;

	setenv("PIP_QUIET", "", 1);
	/* The dynamic linker's messages about all this are of no interest. */
	check_int(dup2(open("/dev/null", O_WRONLY | O_CLOEXEC), STDERR_FILENO), STDERR_FILENO);
	if (!dir)
		dir = temp_dir();
	file = path_in(dir, name);
	file_write(file, good, good_len, 0755);
	root_init(1);
	killer_start();
	try((char *[]){ FAULT_PROG("small"), NULL });
	for (int part = 0; part < 2; part++) {
		/* A file is refused in no time, so what counts is how many were not. */
		int enough = part ? n : 10;

		nran = nfailed = nrefused = 0;
		shifting = true;
		check_int(pthread_create(&thread, NULL, shift, (void *)how), 0);
		while (nran + nfailed < enough && nrefused < 100 * enough)
			try(argv);
		shifting = false;
		check_int(pthread_join(thread, NULL), 0);
		if (part)
			ledger_same(&ledger);
		else /* The root's heap has grown by then. */
			ledger_take(&ledger);
	}
	killer_stop();
	root_fin();
	print_results();
}

static void shrinking_rounds(int n)
{
	char *argv[] = { NULL, NULL };

	read_good(FAULT_PROG("small"));
	dir = temp_dir();
	argv[0] = path_in(dir, "program");
	shift_rounds(n, "program", argv, shorten);
}

static void shrinking_program(void **state)
{
	(void)state;
	in_slices(shrinking_rounds, rounds(100), SLICE);
}

static void replaced_rounds(int n)
{
	char *argv[] = { NULL, NULL };

	read_good(FAULT_PROG("small"));
	dir = temp_dir();
	argv[0] = path_in(dir, "program");
	shift_rounds(n, "program", argv, replace);
}

static void replaced_program(void **state)
{
	(void)state;
	in_slices(replaced_rounds, rounds(100), SLICE);
}

static void shrinking_library_rounds(int n)
{
	char *argv[] = { NULL, NULL };

	read_good(PROG("libgone.so"));
	dir = temp_dir();
	argv[0] = path_in(dir, "needs-gone");
	file_copy(PROG("needs-gone"), argv[0], 0755);
	shift_rounds(n, "libgone.so", argv, shorten);
}

static void shrinking_library(void **state)
{
	(void)state;
	in_slices(shrinking_library_rounds, rounds(100), SLICE);
}

/* A C library of the task's own: the runtime reads that itself. */
static void shrinking_libc_rounds(int n)
{
	char *argv[] = { FAULT_PROG("small"), NULL };
	Dl_info info;

	check(dladdr((void *)gnu_get_libc_version, &info) != 0);
	read_good(info.dli_fname);
	dir = temp_dir();
	setenv("LD_LIBRARY_PATH", dir, 1);
	shift_rounds(n, strrchr(info.dli_fname, '/') + 1, argv, shorten);
}

static void shrinking_libc(void **state)
{
	(void)state;
	in_slices(shrinking_libc_rounds, rounds(60), SLICE);
}

/* A copy of the dynamic linker; the program says that it wants this one. */
static void shrinking_interpreter_rounds(int n)
{
	unsigned char *program;
	Elf64_Ehdr *header;
	Elf64_Phdr *segment;
	char *argv[] = { NULL, NULL }, *interpreter, *name;
	size_t len;

	dir = temp_dir();
	argv[0] = path_in(dir, "program");
	interpreter = path_in(dir, "interpreter");
	len = strlen(interpreter) + 1;
	read_good(FAULT_PROG("small"));
	program = calloc(1, good_len + len);
	memcpy(program, good, good_len);
	memcpy(program + good_len, interpreter, len);
	header = (Elf64_Ehdr *)(void *)program;
	segment = (Elf64_Phdr *)(void *)(program + header->e_phoff);
	while (segment->p_type != PT_INTERP)
		segment++;
	name = strdup((char *)good + segment->p_offset);
	segment->p_offset = good_len;
	segment->p_filesz = segment->p_memsz = len;
	file_write(argv[0], program, good_len + len, 0755);
	free(program);
	free(interpreter);
	read_good(name);
	free(name);
	shift_rounds(n, "interpreter", argv, shorten);
}

static void shrinking_interpreter(void **state)
{
	(void)state;
	in_slices(shrinking_interpreter_rounds, rounds(100), SLICE);
}

/* ---- Files with damage ---- */

/* Mostly where it is about loading: the headers, and the tables in the first pages. */
static size_t place(void)
{
	switch (dice(4)) {
	case 0:
		return dice(1024);
	case 1:
		return dice(4096);
	default:
		return dice(good_len);
	}
}

static void damaged_rounds(int n)
{
	unsigned char *bytes;
	struct ledger ledger = { 0 };
	char *argv[] = { NULL, NULL };

	dice(1); /* which prints the seed */
	setenv("PIP_QUIET", "", 1);
	check_int(dup2(open("/dev/null", O_WRONLY | O_CLOEXEC), STDERR_FILENO), STDERR_FILENO);
	dir = temp_dir();
	file = path_in(dir, "program");
	argv[0] = file;
	read_good(FAULT_PROG("small"));
	bytes = malloc(good_len);
	root_init(1);
	killer_start();
	try((char *[]){ FAULT_PROG("small"), NULL });
	for (int i = -20; i < n; i++) {
		if (i == 0)
			ledger_take(&ledger);
		memcpy(bytes, good, good_len);
		for (unsigned long k = 1 + dice(8); k; k--)
			bytes[place()] ^= (unsigned char)(dice(2) ? 1UL << dice(8) : dice(256));
		unlink(file);
		file_write(file, bytes, good_len, 0755);
		try(argv);
	}
	ledger_same(&ledger);
	free(bytes);
	killer_stop();
	root_fin();
	print_results();
}

static void damaged_program(void **state)
{
	(void)state;
	in_slices(damaged_rounds, rounds(200), SLICE);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(shrinking_program),     cmocka_unit_test(replaced_program),
	cmocka_unit_test(shrinking_library),     cmocka_unit_test(shrinking_libc),
	cmocka_unit_test(shrinking_interpreter), cmocka_unit_test(damaged_program),
};

TEST_MAIN(tests)
