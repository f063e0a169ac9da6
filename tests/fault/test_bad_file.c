/*
 * test_bad_file.c - files that cannot be run: each is an error of its own, the root lives on, and
 * nothing stays behind.  test_spawn_errors.c has the messages; this is about the multitude.
 */
#include <elf.h>
#include <fcntl.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/xattr.h>

#include "fault.h"

#define SOME_ID 65534

static char *dir, *file; /* where the file is that is to be spawned */
static unsigned char *good;
static size_t good_len;
static struct ledger ledger;

static Elf64_Ehdr *header_of(void *data)
{
	return data;
}

static Elf64_Phdr *segments_of(void *data)
{
	return (Elf64_Phdr *)((char *)data + header_of(data)->e_phoff);
}

static unsigned char *copy_of_good(size_t more)
{
	unsigned char *data = calloc(1, good_len + more);

	if (!data)
		check_failed(__FILE__, __LINE__, "out of memory");
	memcpy(data, good, good_len);
	return data;
}

static void put(const void *data, size_t len)
{
	unlink(file);
	file_write(file, data, len, 0755);
}

static int try_file(int *status)
{
	char *argv[] = { file, NULL };

	return run(0, argv, status);
}

static void good_again(void)
{
	int status = -1;

	put(good, good_len);
	check_int(try_file(&status), 0);
	check_int(status, 0);
}

static void begin(void)
{
	struct stat st;
	int fd = open(FAULT_PROG("small"), O_RDONLY | O_CLOEXEC);

	if (!dir)
		dir = temp_dir();
	file = path_in(dir, "program");
	check(fd >= 0 && fstat(fd, &st) == 0);
	good_len = (size_t)st.st_size;
	good = malloc(good_len);
	check(good && read(fd, good, good_len) == (ssize_t)good_len);
	close(fd);
	setenv("PIP_QUIET", "", 1);
	root_init(4);
	killer_start();
	good_again();
	good_again();
	ledger_take(&ledger);
}

static void end(void)
{
	good_again();
	ledger_same(&ledger);
	killer_stop();
	root_fin();
}

static void refused(const void *data, size_t len, int want, const char *why)
{
	int status = -1, rc;

	put(data, len);
	rc = try_file(&status);
	if (rc != want)
		check_failed(__FILE__, __LINE__, "%s: %s (status 0x%x), not %s", why,
			     pip_errname(rc), status, pip_errname(want));
}

/* Whatever a file is, these are the ways in which it may be refused; else it is a task. */
static void survived(const char *why)
{
	int status = -1, rc = try_file(&status);

	switch (rc) {
	case 0:
	case ENOENT:
	case EACCES:
	case ENOMEM:
	case ENOEXEC:
	case ELIBSCN:
	case EUNATCH:
	case ELIBBAD:
	case ELIBEXEC:
		return;
	default:
		check_failed(__FILE__, __LINE__, "%s: %s", why, pip_errname(rc));
	}
}

/* ---- Too short ---- */

static void cut_in_headers(void)
{
	size_t headers;
	char why[64];

	begin();
	headers = header_of(good)->e_phoff + header_of(good)->e_phnum * sizeof(Elf64_Phdr);
	for (size_t len = 0; len < headers + 64; len++) {
		snprintf(why, sizeof(why), "the first %zu bytes", len);
		refused(good, len, len < sizeof(Elf64_Ehdr) ? EUNATCH : ELIBEXEC, why);
	}
	end();
}

static void cut_anywhere(void)
{
	begin();
	for (size_t len = sizeof(Elf64_Ehdr); len < good_len; len += 200 + dice(100)) {
		put(good, len);
		survived("cut");
	}
	end();
}

/* ---- Wrong numbers ---- */

static void field(size_t offset, size_t size)
{
	/* clang-format off */
	const uint64_t values[] = {
		0, 1, 2, 7, 0x1000, 0x1001, good_len - 1, good_len, good_len + 1,
		0x7fffffff, 0x80000000, UINT64_C(1) << 34, UINT64_C(1) << 40, UINT64_C(1) << 45,
		UINT64_C(1) << 46, UINT64_C(1) << 47, INT64_MAX - 4095, INT64_MAX,
		(uint64_t)INT64_MIN, UINT64_MAX - 4095, UINT64_MAX,
	};
	/* clang-format on */
	unsigned char *data = copy_of_good(0);
	char why[64];

	for (int i = 0; i < LENGTH(values); i++) {
		if (size < 8 && i && values[i] >> (8 * size))
			continue;
		snprintf(why, sizeof(why), "bytes %zu...%zu are %#jx", offset, offset + size - 1,
			 (uintmax_t)values[i]);
		memcpy(data + offset, &values[i], size); /* little endian, as the file has to be */
		put(data, good_len);
		survived(why);
	}
	free(data);
}

#define EHDR(name)                                                                                 \
	{                                                                                          \
		offsetof(Elf64_Ehdr, name), sizeof(((Elf64_Ehdr *)0)->name)                        \
	}
#define PHDR(name)                                                                                 \
	{                                                                                          \
		offsetof(Elf64_Phdr, name), sizeof(((Elf64_Phdr *)0)->name)                        \
	}

static void header_fields(void)
{
	static const size_t fields[][2] = {
		EHDR(e_type),      EHDR(e_machine), EHDR(e_version),   EHDR(e_entry),
		EHDR(e_phoff),     EHDR(e_shoff),   EHDR(e_flags),     EHDR(e_ehsize),
		EHDR(e_phentsize), EHDR(e_phnum),   EHDR(e_shentsize), EHDR(e_shnum),
		EHDR(e_shstrndx),
	};

	begin();
	for (int i = 0; i < LENGTH(fields); i++)
		field(fields[i][0], fields[i][1]);
	for (size_t i = 0; i < EI_NIDENT; i++)
		field(i, 1);
	end();
}

static void segment_fields(void)
{
	static const size_t fields[][2] = {
		PHDR(p_type),  PHDR(p_flags),  PHDR(p_offset), PHDR(p_vaddr),
		PHDR(p_paddr), PHDR(p_filesz), PHDR(p_memsz),  PHDR(p_align),
	};

	begin();
	for (unsigned i = 0; i < header_of(good)->e_phnum; i++)
		for (int k = 0; k < LENGTH(fields); k++)
			field(header_of(good)->e_phoff + i * sizeof(Elf64_Phdr) + fields[k][0],
			      fields[k][1]);
	end();
}

static Elf64_Phdr *segment(void *data, unsigned type, int nth)
{
	for (unsigned i = 0; i < header_of(data)->e_phnum; i++)
		if (segments_of(data)[i].p_type == type && nth-- == 0)
			return &segments_of(data)[i];
	check_failed(__FILE__, __LINE__, "no such segment");
}

static void segments_in_disorder(void)
{
	unsigned char *data;
	Elf64_Phdr *a, *b, swap;

	begin();

	data = copy_of_good(0);
	a = segment(data, PT_LOAD, 0);
	b = segment(data, PT_LOAD, 1);
	swap = *a;
	*a = *b;
	*b = swap;
	refused(data, good_len, ELIBEXEC, "segments not in order");

	memcpy(data, good, good_len);
	b->p_vaddr = a->p_vaddr;
	b->p_offset = a->p_offset;
	refused(data, good_len, ELIBEXEC, "two segments at one place");

	memcpy(data, good, good_len);
	a->p_memsz = b->p_vaddr + 1 - a->p_vaddr;
	refused(data, good_len, ELIBEXEC, "a segment reaches into the next");

	memcpy(data, good, good_len);
	a->p_filesz = a->p_memsz + 1;
	refused(data, good_len, ELIBEXEC, "more in the file than in memory");

	memcpy(data, good, good_len);
	b->p_offset += 1;
	refused(data, good_len, ELIBEXEC, "offset and address do not fit");

	memcpy(data, good, good_len);
	b->p_align = 0x3000;
	refused(data, good_len, ELIBEXEC, "alignment is no power of two");

	memcpy(data, good, good_len);
	for (unsigned i = 0; i < header_of(data)->e_phnum; i++)
		if (segments_of(data)[i].p_type == PT_LOAD)
			segments_of(data)[i].p_type = PT_NOTE;
	refused(data, good_len, ELIBEXEC, "nothing to load");

	memcpy(data, good, good_len);
	for (unsigned i = 0; i < header_of(data)->e_phnum; i++)
		segments_of(data)[i].p_flags &= ~(unsigned)PF_X;
	refused(data, good_len, ELIBEXEC, "nothing to execute");

	memcpy(data, good, good_len);
	header_of(data)->e_phnum = PN_XNUM;
	refused(data, good_len, ELIBEXEC, "too many segments");
	free(data);
	end();
}

/* Not bad, but larger than the pieces that the address space is divided into. */
static void huge(void)
{
	unsigned char *data;
	Elf64_Phdr *last;
	int nth = 0;

	begin();
	data = copy_of_good(0);
	for (unsigned i = 0; i < header_of(data)->e_phnum; i++)
		nth += segments_of(data)[i].p_type == PT_LOAD;
	last = segment(data, PT_LOAD, nth - 1);
	for (int gib = 1; gib < 200; gib += gib / 3 + 1) {
		int status = -1, rc;

		last->p_memsz = (uint64_t)gib << 30;
		put(data, good_len);
		rc = try_file(&status);
		/* The kernel may know that there is not so much memory. */
		if (rc != ENOMEM && (rc || status))
			check_failed(__FILE__, __LINE__, "%d GiB: %s, status 0x%x", gib,
				     pip_errname(rc), status);
		ledger_same(&ledger);
	}
	free(data);
	end();
}

static void other_kinds(void)
{
	unsigned char *data;

	begin();
	data = copy_of_good(0);
	header_of(data)->e_ident[EI_CLASS] = ELFCLASS32;
	refused(data, good_len, ELIBEXEC, "32 bits");
	memcpy(data, good, good_len);
	header_of(data)->e_ident[EI_DATA] = ELFDATA2MSB;
	refused(data, good_len, ELIBEXEC, "big endian");
	memcpy(data, good, good_len);
	header_of(data)->e_machine = EM_RISCV;
	refused(data, good_len, ELIBEXEC, "another machine");
	memcpy(data, good, good_len);
	header_of(data)->e_type = ET_EXEC;
	refused(data, good_len, ELIBEXEC, "not position independent");
	header_of(data)->e_type = ET_CORE;
	refused(data, good_len, ELIBEXEC, "a core file");
	refused("#!/bin/sh\n", 10, ELIBSCN, "a script");
	refused("#!", 2, ELIBSCN, "the beginning of a script");
	refused("\177ELF", 4, EUNATCH, "the beginning of an ELF file");
	memset(data, 'x', good_len);
	refused(data, good_len, ELIBBAD, "a text");
	free(data);
	end();
}

/* ---- The dynamic linker ---- */

/* The program with another interpreter, whose name is put at the end of the file. */
static void with_interpreter(const char *name, size_t len)
{
	unsigned char *data = copy_of_good(len);
	Elf64_Phdr *interp = segment(data, PT_INTERP, 0);

	memcpy(data + good_len, name, len);
	interp->p_offset = good_len;
	interp->p_filesz = interp->p_memsz = len;
	put(data, good_len + len);
	free(data);
}

static void bad_interpreter(const char *name, const char *why)
{
	int status = -1, rc;

	with_interpreter(name, strlen(name) + 1);
	rc = try_file(&status);
	if (rc != ENOEXEC)
		check_failed(__FILE__, __LINE__, "%s: %s (status 0x%x), not ENOEXEC", why,
			     pip_errname(rc), status);
}

static void interpreters(void)
{
	char *path, *name;

	begin();
	path = path_in(dir, "interpreter");
	bad_interpreter(path, "there is none");
	bad_interpreter("/", "it is a directory");
	bad_interpreter("/dev/null", "it is a device");
	check_int(mkfifo(path, 0777), 0);
	bad_interpreter(path, "it is a FIFO");
	unlink(path);
	file_write(path, "", 0, 0755);
	bad_interpreter(path, "it is empty");
	file_write(path, "#!/bin/sh\n", 10, 0755);
	bad_interpreter(path, "it is a script");
	file_write(path, "This is no ELF file, but it is longer than the header of one, isn't it?",
		   71, 0755);
	bad_interpreter(path, "it is a text");
	file_write(path, good, 100, 0755);
	bad_interpreter(path, "it is cut off");
	file_copy(PROG("plain-nonpie"), path, 0755);
	bad_interpreter(path, "it is not position independent");
	/* Here it is the program that is wrong. */
	with_interpreter("", 1);
	check_int(try_file(&(int){ 0 }), ELIBEXEC);
	with_interpreter("/lib64/ld-linux-without-an-end", 30);
	check_int(try_file(&(int){ 0 }), ELIBEXEC);
	name = calloc(1, 5000);
	memset(name, 'x', 4094);
	bad_interpreter(name, "its name is too long for a part of a path");
	memset(name, 'x', 4999);
	with_interpreter(name, 5000);
	check_int(try_file(&(int){ 0 }), ELIBEXEC);
	/* What can be executed, but is no dynamic linker, is the task's own misfortune. */
	with_interpreter(FAULT_PROG("small"), sizeof(FAULT_PROG("small")));
	survived("it is an ordinary program");
	free(name);
	free(path);
	end();
}

static void libraries(void)
{
	char *library;

	begin();
	library = path_in(dir, "libgone.so");
	check_int(setenv("LD_LIBRARY_PATH", dir, 1), 0);
	file_copy(PROG("needs-gone"), file, 0755);
	check_int(try_file(&(int){ 0 }), ELIBEXEC);
	/* The library is there, but is none. */
	file_write(library, good, 100, 0755);
	check_int(try_file(&(int){ 0 }), ELIBEXEC);
	/* It has not the function that the program wants. */
	file_copy(PROG("libother.so"), library, 0755);
	check_int(setenv("LD_BIND_NOW", "1", 1), 0);
	check_int(try_file(&(int){ 0 }), ELIBEXEC);
	file_copy(PROG("libgone.so"), library, 0755);
	check_int(try_file(&(int){ 0 }), 0);
	unsetenv("LD_LIBRARY_PATH");
	/* A library is position independent, but no program. */
	check_int(spawn(0, &(char *const){ PROG("libgone.so") }), ELIBEXEC);
	free(library);
	end();
}

/* ---- Not files, and not permitted ---- */

static void not_files(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char *others[] = { "/", "/dev/null", "/dev/zero", "/proc/self/mem", NULL };

	begin();
	for (int i = 0; others[i]; i++)
		check_int(spawn(0, &(char *const){ others[i] }), EACCES);
	unlink(file);
	check_int(mkfifo(file, 0777), 0);
	check_int(try_file(&(int){ 0 }), EACCES);
	unlink(file);
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", file);
	check_int(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	check_int(chmod(file, 0777), 0);
	check_int(try_file(&(int){ 0 }), EACCES);
	unlink(file);
	check_int(try_file(&(int){ 0 }), ENOENT);
	check_int(symlink(file, file), 0);
	check_int(try_file(&(int){ 0 }), ELOOP);
	unlink(file);
	end();
	close(fd);
}

/* Nobody in particular, who may look at himself all the same. */
static void become_ordinary(void)
{
	if (geteuid() == 0) {
		check_int(setresgid(SOME_ID, SOME_ID, SOME_ID), 0);
		check_int(setresuid(SOME_ID, SOME_ID, SOME_ID), 0);
		check_int(prctl(PR_SET_DUMPABLE, 1), 0);
	}
}

static void not_permitted(void)
{
	const mode_t modes[] = { 0000, 0644, 0200, 0111, 0311 };

	/* The directory has to be that user's. */
	dir = temp_dir();
	check_int(chmod(dir, 0777), 0);
	become_ordinary();
	begin();
	for (int i = 0; i < LENGTH(modes); i++) {
		check_int(chmod(file, modes[i]), 0);
		check_int(try_file(&(int){ 0 }), EACCES);
	}
	end();
}

/* What gains rights by exec can be no task. */
static void other_rights(void)
{
	/* A capability set, version 2, little endian: CAP_NET_RAW, effective. */
	static const unsigned char capability[20] = { 1, 0, 0, 2, 0, 0x20 };
	char *argv[] = { "/usr/bin/passwd", NULL };

	begin();
	if (geteuid() != 0) {
		struct stat st;

		if (stat(argv[0], &st) == 0 && st.st_uid == 0 && st.st_mode & S_ISUID)
			check_int(spawn(0, argv), EPERM);
		/* One's own rights are no gain. */
		check_int(chmod(file, 06755), 0);
		check_int(try_file(&(int){ 0 }), 0);
		end();
		return;
	}
	check_int(chown(file, SOME_ID, (gid_t)-1), 0);
	check_int(chmod(file, 04755), 0);
	check_int(try_file(&(int){ 0 }), EPERM);
	check_int(chown(file, 0, SOME_ID), 0);
	check_int(chmod(file, 02755), 0);
	check_int(try_file(&(int){ 0 }), EPERM);
	check_int(chown(file, 0, 0), 0);
	check_int(chmod(file, 06755), 0);
	check_int(try_file(&(int){ 0 }), 0);
	check_int(chmod(file, 0755), 0);
	if (setxattr(file, "security.capability", capability, sizeof(capability), 0) == 0)
		check_int(try_file(&(int){ 0 }), EPERM);
	end();
}

static const struct CMUnitTest tests[] = {
	CASE(cut_in_headers), CASE(cut_anywhere),         CASE(header_fields),
	CASE(segment_fields), CASE(segments_in_disorder), CASE(huge),
	CASE(other_kinds),    CASE(interpreters),         CASE(libraries),
	CASE(not_files),      CASE(not_permitted),        CASE(other_rights),
};

TEST_MAIN(tests)
