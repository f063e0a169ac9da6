/*
 * test_spawn_errors.c - each way in which pip_task_spawn() and pip_spawn() refuse, in their order.
 *
 * refused() is the heart: the error, the message, *pipidp as it was, the PIPID free as before, and
 * nothing left behind.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include "root.h"
#include "../prog/api.h"

#define SOME_UID 65534

static pip_spawn_program_t program_of(char *path)
{
	static char *argv[] = { "argv0", "return", "5", NULL };
	pip_spawn_program_t program;

	pip_spawn_from_main(&program, path, argv, NULL, NULL);
	return program;
}

/* Spawning gives the error want and a message that matches; no message is looked for if NULL. */
static void refused_program(pip_spawn_program_t *program, int want, const char *message)
{
	static struct sheet sheet;

	/* The first time pays for what stays. */
	for (int i = 0; i < 2; i++) {
		int pipid = 1, rc;
		struct capture c;
		char *said;

		capture_begin(&c, STDERR_FILENO);
		rc = pip_task_spawn(program, PIP_CPUCORE_ASIS, 0, &pipid, NULL);
		said = capture_end(&c);
		if (rc != want)
			check_failed(__FILE__, __LINE__,
				     "'%s': pip_task_spawn() is %s, not %s (said: %s)",
				     program->prog, pip_errname(rc), pip_errname(want), said);
		check_int(pipid, 1);
		check_int(pip_trywait(1, NULL), ECHILD);
		if (message && !text_matches(said, message))
			check_failed(__FILE__, __LINE__, "'%s': said '%s', not '%s'", program->prog,
				     said, message);
		check_match(said, "^PiP-ERR\\[[0-9]+\\(R\\):R\\] ");
		free(said);
		if (i == 0)
			sheet_take(&sheet);
		else
			sheet_same(&sheet);
	}
}

static void refused(char *path, int want, const char *message)
{
	pip_spawn_program_t program = program_of(path);
	int pipid = 1;

	refused_program(&program, want, message);
	/* The PIPID has stayed free. */
	program = program_of(PROG("plain"));
	check_int(pip_task_spawn(&program, PIP_CPUCORE_ASIS, 0, &pipid, NULL), 0);
	check_int(pipid, 1);
	task_exits(1, 5);
}

/* A file of these bytes, executable, in a directory of its own. */
static char *some_file(const void *data, size_t len, mode_t mode)
{
	char *dir = temp_dir(), *path = path_in(dir, "some-program");

	file_write(path, data, len, mode);
	free(dir);
	return path;
}

/* A copy of a test program of which something is to be changed; *lenp is its length. */
static char *program_bytes(const char *path, size_t *lenp)
{
	struct stat st;
	char *data;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	check(fd >= 0 && fstat(fd, &st) == 0);
	data = malloc((size_t)st.st_size);
	check(data && read(fd, data, (size_t)st.st_size) == st.st_size);
	close(fd);
	*lenp = (size_t)st.st_size;
	return data;
}

static void null_program(void)
{
	check_int(pip_task_spawn(NULL, PIP_CPUCORE_ASIS, 0, NULL, NULL), EINVAL);
	root_init(2);
	check_int(pip_task_spawn(NULL, PIP_CPUCORE_ASIS, 0, NULL, NULL), EINVAL);
	root_fin();
	check_int(pip_task_spawn(NULL, PIP_CPUCORE_ASIS, 0, NULL, NULL), EINVAL);
}

static void not_initialized(void)
{
	pip_spawn_program_t good = program_of(PROG("plain")), bad = program_of(NULL);
	int pipid = -123;

	bad.argv = NULL;
	for (int i = 0; i < 2; i++) {
		check_int(pip_task_spawn(&good, PIP_CPUCORE_ASIS, 0, NULL, NULL), EPERM);
		/* EPERM comes before the other arguments. */
		check_int(pip_task_spawn(&bad, PIP_CPUCORE_ASIS, 0, NULL, NULL), EPERM);
		check_int(pip_task_spawn(&good, (uint32_t)-123, 0, &pipid, NULL), EPERM);
		check_int(pipid, -123);
		root_init(1);
		root_fin();
	}
}

static void from_a_task(void)
{
	root_init(1);
	task_exits(task_func(PROG("api"), "api_root_only", NULL), 0);
	root_fin();
}

static void incomplete_program(void)
{
	pip_spawn_program_t program;
	char *none[] = { NULL };
	int pipid = 1;

	root_init(2);
	program = program_of(NULL);
	program.prog = NULL;
	check_int(pip_task_spawn(&program, PIP_CPUCORE_ASIS, 0, &pipid, NULL), EINVAL);
	program.funcname = "api_return";
	check_int(pip_task_spawn(&program, PIP_CPUCORE_ASIS, 0, &pipid, NULL), EINVAL);
	program = program_of(PROG("plain"));
	program.argv = NULL;
	check_int(pip_task_spawn(&program, PIP_CPUCORE_ASIS, 0, &pipid, NULL), EINVAL);
	program.argv = none;
	check_int(pip_task_spawn(&program, PIP_CPUCORE_ASIS, 0, &pipid, NULL), EINVAL);
	check_int(pipid, 1);
	/* A function needs no arguments. */
	pip_spawn_from_func(&program, PROG("api"), "api_return", (void *)6, NULL, NULL);
	check_int(pip_task_spawn(&program, PIP_CPUCORE_ASIS, 0, &pipid, NULL), 0);
	task_exits(1, 6);
	root_fin();
}

static void bad_pipid(void)
{
	const int bad[] = { PIP_PIPID_MYSELF,
			    PIP_PIPID_NULL,
			    PIP_PIPID_ROOT,
			    PIP_MAGIC_NUM,
			    -1,
			    -123,
			    INT32_MIN,
			    4,
			    5,
			    100000,
			    INT32_MAX };
	pip_spawn_program_t program = program_of(PROG("plain"));

	root_init(4);
	for (int i = 0; i < LENGTH(bad); i++) {
		int pipid = bad[i];

		check_int(pip_task_spawn(&program, PIP_CPUCORE_ASIS, 0, &pipid, NULL), EINVAL);
		check_int(pipid, bad[i]);
	}
	root_fin();
}

static void bad_coreno(void)
{
	const uint32_t bad[] = {
		(uint32_t)-123,
		(uint32_t)-1,
		PIP_CPUCORE_CORENO_MAX,
		PIP_CPUCORE_CORENO_MAX + 1,
		PIP_CPUCORE_CORENO_MASK,
		PIP_CPUCORE_ASIS | 5,
		PIP_CPUCORE_ASIS | PIP_CPUCORE_ABS,
		PIP_CPUCORE_ABS | PIP_CPUCORE_CORENO_MAX,
		0x04000000,
		0x80000000,
		PIP_CPUCORE_ABS | 0x04000000,
	};
	pip_spawn_program_t program = program_of(PROG("plain"));
	pip_spawn_program_t missing = program_of("./there-is-no-such-program");
	int pipid = 0;

	root_init(1);
	for (int i = 0; i < LENGTH(bad); i++) {
		check_int(pip_task_spawn(&program, bad[i], 0, &pipid, NULL), EINVAL);
		/* This comes before the file. */
		check_int(pip_task_spawn(&missing, bad[i], 0, &pipid, NULL), EINVAL);
		check_int(pip_trywait(0, NULL), ECHILD);
	}
	/* And before the PIPID's being taken. */
	check_int(pip_task_spawn(&program, PIP_CPUCORE_ASIS, 0, &pipid, NULL), 0);
	check_int(pip_task_spawn(&program, bad[0], 0, &pipid, NULL), EINVAL);
	task_exits(0, 5);
	root_fin();
}

static void occupied(void)
{
	pip_spawn_program_t program = program_of(PROG("plain"));
	pip_spawn_program_t missing = program_of("./there-is-no-such-program");
	struct gate gate = { 0 };
	int pipid, first, second;

	root_init(2);
	first = task_func(PROG("api"), "api_wait_gate", &gate);
	pipid = first;
	check_int(pip_task_spawn(&program, PIP_CPUCORE_ASIS, 0, &pipid, NULL), EAGAIN);
	check_int(pipid, first);
	/* It comes before the file. */
	check_int(pip_task_spawn(&missing, PIP_CPUCORE_ASIS, 0, &pipid, NULL), EAGAIN);

	second = task_main(PROG("plain"), "return", "5", NULL);
	pipid = PIP_PIPID_ANY;
	check_int(pip_task_spawn(&program, PIP_CPUCORE_ASIS, 0, &pipid, NULL), EAGAIN);
	check_int(pipid, PIP_PIPID_ANY);
	check_int(pip_task_spawn(&program, PIP_CPUCORE_ASIS, 0, NULL, NULL), EAGAIN);

	/* Having ended is not enough. */
	gate.open = 1;
	task_await_end(first);
	pipid = first;
	check_int(pip_task_spawn(&program, PIP_CPUCORE_ASIS, 0, &pipid, NULL), EAGAIN);
	pipid = PIP_PIPID_ANY;
	check_int(pip_task_spawn(&program, PIP_CPUCORE_ASIS, 0, &pipid, NULL), EAGAIN);

	task_exits(first, 0);
	check_int(pip_task_spawn(&program, PIP_CPUCORE_ASIS, 0, &pipid, NULL), 0);
	check_int(pipid, first);
	task_exits(first, 5);
	task_exits(second, 5);
	root_fin();
}

static void not_found(void)
{
	root_init(2);
	refused("", ENOENT, NULL);
	refused("./there-is-no-such-program", ENOENT,
		"'\\./there-is-no-such-program': no such file$");
	refused("/there/is/no/such/program", ENOENT, "'/there/is/no/such/program': no such file$");
	refused("there-is-no-such-program", ENOENT, "'there-is-no-such-program': no such file$");
	root_fin();
}

static void not_found_along_path(void)
{
	char *dir = temp_dir();

	root_init(2);
	setenv("PATH", dir, 1);
	refused("plain", ENOENT, "'plain': no such file$");
	/* Not in the working directory, if that is not part of PATH. */
	check_int(chdir(PROG_DIR), 0);
	refused("plain", ENOENT, "'plain': no such file$");
	root_fin();
	free(dir);
}

static void dangling_link(void)
{
	char *dir = temp_dir(), *path = path_in(dir, "link");

	check_int(symlink("nowhere", path), 0);
	root_init(2);
	refused(path, ENOENT, NULL);
	check_int(unlink(path), 0);
	check_int(symlink("link", path), 0);
	refused(path, ELOOP, NULL);
	root_fin();
	free(path);
	free(dir);
}

static void not_a_regular_file(void)
{
	char *dir = temp_dir(), *fifo = path_in(dir, "fifo");

	check_int(mkfifo(fifo, 0755), 0);
	check_int(chmod(fifo, 0755), 0);
	root_init(2);
	refused(dir, EACCES, "is not a regular file$");
	refused(fifo, EACCES, "is not a regular file$"); /* opening it would hang */
	refused("/dev/null", EACCES, "is not a regular file$");
	root_fin();
	free(fifo);
	free(dir);
}

static void not_executable(void)
{
	char *script = some_file("#!/bin/sh\n", 10, 0644), *empty = some_file("", 0, 0600);
	char *dir = temp_dir(), *copy = path_in(dir, "copy");

	file_copy(PROG("plain"), copy, 0644);
	root_init(2);
	refused(copy, EACCES, "'.*/copy' is not executable$");
	/* It comes before the contents. */
	refused(script, EACCES, "is not executable$");
	refused(empty, EACCES, "is not executable$");
	root_fin();
	free(script);
	free(empty);
	free(copy);
	free(dir);
}

/* Nobody may search the directory: for this we must not be the superuser. */
static void no_search_permission(void)
{
	char *dir = temp_dir(), *path = path_in(dir, "plain");
	bool superuser = geteuid() == 0;
	pip_spawn_program_t program;

	file_copy(PROG("plain"), path, 0755);
	check_int(chmod(dir, 0), 0);
	if (superuser) {
		check_int(setgid(SOME_UID), 0);
		check_int(setuid(SOME_UID), 0);
		/* Else /proc/self would belong to root still. */
		check_int(prctl(PR_SET_DUMPABLE, 1), 0);
	}
	root_init(2);
	program = program_of(path);
	refused_program(&program, EACCES, "'.*/plain': permission denied$");
	root_fin();
	if (!superuser)
		check_int(chmod(dir, 0755), 0); /* else nobody could remove it */
	free(path);
	free(dir);
}

static void script(void)
{
	char *long_one = some_file(
		"#!/bin/sh\nexit 0\n# A comment to make it longer than a header\n", 60, 0755);
	char *short_one = some_file("#!", 2, 0755);
	const char *message = "is a shell script \\('shebang', starting with '#!'\\)$";

	root_init(2);
	refused(long_one, ELIBSCN, message);
	refused(short_one, ELIBSCN, message); /* before being too short */
	root_fin();
	free(long_one);
	free(short_one);
}

static void too_short(void)
{
	size_t len;
	char *data = program_bytes(PROG("plain"), &len);
	char *empty = some_file("", 0, 0755), *one = some_file("#", 1, 0755);
	char *almost = some_file(data, sizeof(Elf64_Ehdr) - 1, 0755);
	char *text = some_file("no program\n", 11, 0755);

	root_init(2);
	refused(empty, EUNATCH, "Unable to read ELF header \\(.*\\)$");
	refused(one, EUNATCH, "Unable to read ELF header \\(.*\\)$");
	refused(text, EUNATCH, "Unable to read ELF header \\(.*\\)$");
	refused(almost, EUNATCH, "Unable to read ELF header \\(.*\\)$");
	root_fin();
	free(data);
	free(empty);
	free(one);
	free(almost);
	free(text);
}

static void bad_magic(void)
{
	size_t len;
	char *data = program_bytes(PROG("plain"), &len), *path;
	static char zeros[4096];

	root_init(2);
	path = some_file(zeros, sizeof(zeros), 0755);
	refused(path, ELIBBAD, "'.*' is not ELF$");
	free(path);
	path = some_file(zeros, sizeof(Elf64_Ehdr), 0755);
	refused(path, ELIBBAD, "'.*' is not ELF$");
	free(path);
	data[3] = 'E';
	path = some_file(data, len, 0755);
	refused(path, ELIBBAD, "'.*' is not ELF$");
	free(path);
	root_fin();
	free(data);
}

static void not_pie(void)
{
	size_t len;
	char *data = program_bytes(PROG("plain"), &len), *path;
	const uint16_t types[] = { ET_NONE, ET_REL, ET_EXEC, ET_CORE, 0xff00 };

	root_init(2);
	refused(PROG("plain-nonpie"), ELIBEXEC, "'.*' is not PIE$");
	for (int i = 0; i < LENGTH(types); i++) {
		((Elf64_Ehdr *)data)->e_type = types[i];
		path = some_file(data, len, 0755);
		refused(path, ELIBEXEC, "'.*' is not PIE$");
		free(path);
	}
	root_fin();
	free(data);
}

/* Programs of another kind of machine than this one. */
static void other_machine(void)
{
	size_t len;
	char *data = program_bytes(PROG("plain"), &len), *path;
	Elf64_Ehdr *header = (Elf64_Ehdr *)data, good = *header;

	root_init(2);
	header->e_machine = EM_S390;
	path = some_file(data, len, 0755);
	refused(path, ELIBEXEC, "some-program");
	free(path);
	*header = good;
	header->e_ident[EI_CLASS] = ELFCLASS32;
	path = some_file(data, len, 0755);
	refused(path, ELIBEXEC, "some-program");
	free(path);
	*header = good;
	header->e_ident[EI_DATA] = ELFDATA2MSB;
	path = some_file(data, len, 0755);
	refused(path, ELIBEXEC, "some-program");
	free(path);
	root_fin();
	free(data);
}

/* The header is good, what follows is missing or nonsense: an error, and no harm done. */
static void damaged(void)
{
	size_t len;
	char *data = program_bytes(PROG("plain"), &len), *path;
	Elf64_Ehdr *header = (Elf64_Ehdr *)data;
	const Elf64_Phdr *phdr = (const Elf64_Phdr *)(data + header->e_phoff);
	size_t loaded = 0;

	/* What is behind the last segment nobody needs. */
	for (int i = 0; i < header->e_phnum; i++)
		if (phdr[i].p_type == PT_LOAD && phdr[i].p_offset + phdr[i].p_filesz > loaded)
			loaded = phdr[i].p_offset + phdr[i].p_filesz;
	const size_t lengths[] = { sizeof(Elf64_Ehdr), 100, 1000, loaded / 2, loaded - 1 };

	root_init(2);
	for (int i = 0; i < LENGTH(lengths); i++) {
		path = some_file(data, lengths[i], 0755);
		refused(path, ELIBEXEC, "some-program");
		free(path);
	}
	memset(data + header->e_phoff, 0xff, header->e_phnum * sizeof(Elf64_Phdr));
	path = some_file(data, len, 0755);
	refused(path, ELIBEXEC, "some-program");
	free(path);
	root_fin();
	free(data);
}

static void not_loadable(void)
{
	char *dir = temp_dir(), *path = path_in(dir, "needs-gone"),
	     *lib = path_in(dir, "libgone.so");

	root_init(2);
	/* With its library beside it the program runs; a copy elsewhere does not find it. */
	task_exits(task_main(PROG("needs-gone"), NULL), 0);
	file_copy(PROG("needs-gone"), path, 0755);
	refused(path, ELIBEXEC, "Unable to load .*needs-gone.* - ");
	/* A library that is none, one that lacks a symbol, and the right one. */
	file_write(lib, "no library\n", 11, 0755);
	refused(path, ELIBEXEC, "Unable to load .*needs-gone.* - ");
	file_copy(PROG("libother.so"), lib, 0755);
	refused(path, ELIBEXEC, "Unable to load .*needs-gone.* - ");
	file_copy(PROG("libgone.so"), lib, 0755);
	task_exits(task_main(path, NULL), 0);
	root_fin();
	free(lib);
	free(path);
	free(dir);
}

static void no_dynamic_linker(void)
{
	root_init(2);
	refused(PROG("no-interp"), ENOEXEC, "no-interp");
	root_fin();
}

/* Position independent, but no program. */
static void shared_library(void)
{
	pip_spawn_program_t program = program_of(PROG("libgone.so"));
	int pipid = 1, rc;

	root_init(2);
	rc = pip_task_spawn(&program, PIP_CPUCORE_ASIS, 0, &pipid, NULL);
	check(rc == ELIBEXEC || rc == ENOEXEC);
	task_exits(task_main(PROG("plain"), "return", "5", NULL), 5);
	root_fin();
}

static void no_start_function(void)
{
	pip_spawn_program_t program;

	root_init(2);
	pip_spawn_from_func(&program, PROG("api"), "there_is_no_such_function", NULL, NULL, NULL);
	refused_program(&program, ENOEXEC,
			".*/api: Unable to find start function \\(there_is_no_such_function\\)$");
	/* A stripped program has no names of functions that nobody else may call. */
	pip_spawn_from_func(&program, PROG("plain-stripped"), "cmd_env", NULL, NULL, NULL);
	refused_program(&program, ENOEXEC, "Unable to find start function \\(cmd_env\\)$");
	/* A variable is no function. */
	pip_spawn_from_func(&program, PROG("plain"), "commands", NULL, NULL, NULL);
	refused_program(&program, ENOEXEC, "Unable to find start function \\(commands\\)$");
	root_fin();
}

/* Nobody says what it is, but it cannot be started: there are no arguments for main. */
static void empty_start_function(void)
{
	pip_spawn_program_t program;
	int pipid = 1, rc;

	root_init(2);
	pip_spawn_from_func(&program, PROG("api"), "", NULL, NULL, NULL);
	rc = pip_task_spawn(&program, PIP_CPUCORE_ASIS, 0, &pipid, NULL);
	check(rc == EINVAL || rc == ENOEXEC);
	root_fin();
}

static void ambiguous_start_function(void)
{
	pip_spawn_program_t program;

	root_init(2);
	pip_spawn_from_func(&program, PROG("twice"), "twice_static", NULL, NULL, NULL);
	refused_program(&program, ENOEXEC,
			".*/twice: symbol 'twice_static' has multiple definitions$");
	root_fin();
}

static void v1_form(void)
{
	char *argv[] = { "plain", "return", "5", NULL }, *none[] = { NULL };
	int pipid = 0;

	check_int(pip_spawn(NULL, argv, NULL, 0, NULL, NULL, NULL, NULL), EINVAL);
	check_int(pip_spawn("true", argv, NULL, 0, NULL, NULL, NULL, NULL), EPERM);
	root_init(2);
	check_int(pip_spawn(NULL, argv, NULL, 0, NULL, NULL, NULL, NULL), EINVAL);
	check_int(pip_spawn(PROG("plain"), NULL, NULL, 0, NULL, NULL, NULL, NULL), EINVAL);
	check_int(pip_spawn(PROG("plain"), none, NULL, 0, NULL, NULL, NULL, NULL), EINVAL);
	check_int(pip_spawn(PROG("plain"), argv, NULL, -123, NULL, NULL, NULL, NULL), EINVAL);
	check_int(pip_spawn(PROG("plain"), argv, NULL, -1, NULL, NULL, NULL, NULL), EINVAL);
	check_int(pip_spawn("/there/is/no/such", argv, NULL, 0, &pipid, NULL, NULL, NULL), ENOENT);
	check_int(pip_spawn("/dev", argv, NULL, 0, &pipid, NULL, NULL, NULL), EACCES);
	check_int(pip_spawn(PROG("plain"), argv, NULL, 0, &pipid, NULL, NULL, NULL), 0);
	check_int(pip_spawn(PROG("plain"), argv, NULL, 0, &pipid, NULL, NULL, NULL), EAGAIN);
	pipid = PIP_PIPID_MYSELF;
	check_int(pip_spawn(PROG("plain"), argv, NULL, 0, &pipid, NULL, NULL, NULL), EINVAL);
	check_int(pipid, PIP_PIPID_MYSELF);
	task_exits(0, 5);
	root_fin();
}

static const struct CMUnitTest tests[] = {
	CASE(null_program),
	CASE(not_initialized),
	CASE(from_a_task),
	CASE(incomplete_program),
	CASE(bad_pipid),
	CASE(bad_coreno),
	CASE(occupied),
	CASE(not_found),
	CASE(not_found_along_path),
	CASE(dangling_link),
	CASE(not_a_regular_file),
	CASE(not_executable),
	CASE(no_search_permission),
	CASE(script),
	CASE(too_short),
	CASE(bad_magic),
	CASE(not_pie),
	CASE(other_machine),
	CASE(damaged),
	CASE_PRIVATE(not_loadable),
	CASE(no_dynamic_linker),
	CASE(shared_library),
	CASE(no_start_function),
	CASE(empty_start_function),
	CASE(ambiguous_start_function),
	CASE(v1_form),
};

TEST_MAIN(tests)
