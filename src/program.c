/*
 * program.c - libpip.so as a program: tells which version it is, and how it was built.
 * Entry function: program_start().
 *
 * An ELF file can be both library and program if it names its dynamic linker (.interp) and has an
 * entry, as libc.so.6 shows.  ld.so has then initialised the C library and run all constructors,
 * but nobody has called __libc_start_main(), which this library replaces.
 */
#include <build_config.h> /* made by the build */
#include <gnu/libc-version.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <pip/pip.h>
#include <pip/pip_util.h>

#include "program.h"
#include "space.h"

__attribute__((section(".interp"), used)) static const char interp[] = BUILD_INTERP;

static const char license[] = "BSD-2-Clause";

/* What one option prints, and a line of the whole. */
struct fact {
	const char *option; /* NULL: a line of the whole only */
	const char *label;
	const char *(*value)(void);
};

#define VALUE(name, expression)                                                                    \
	static const char *name(void)                                                              \
	{                                                                                          \
		return expression;                                                                 \
	}

VALUE(fact_name, "Process-in-Process")
VALUE(fact_version, BUILD_VERSION)
VALUE(fact_license, license)
VALUE(fact_os, BUILD_OS)
VALUE(fact_cc, BUILD_CC)
VALUE(fact_ldlinux, interp)
VALUE(fact_commit, BUILD_COMMIT)
VALUE(fact_debug, pip_is_debug_build() ? "yes" : "no")
VALUE(fact_url, BUILD_URL)
VALUE(fact_mailto, BUILD_MAILTO)

static const char *fact_prefix(void)
{
	const char *dir = pip_prefix_dir();

	return dir ? dir : "";
}

/* The reference needs one of its own; this is any, the system's. */
static const char *fact_glibc(void)
{
	static char text[64];

	snprintf(text, sizeof(text), "not needed (glibc %s)", gnu_get_libc_version());
	return text;
}

static const char *fact_features(void)
{
	static char text[128];

	snprintf(text, sizeof(text), "interface=%s tasks=%d roots-and-tasks=%d registry=%d arch=%s",
		 BUILD_INTERFACE, PIP_NTASKS_MAX, SPACE_TASKS, SPACE_VERSION, BUILD_ARCH);
	return text;
}

/* In the order of the whole. */
static const struct fact facts[] = {
	{ "name", "Package:", fact_name },
	{ "version", "Version:", fact_version },
	{ "license", "License:", fact_license },
	{ "os", "Build OS:", fact_os },
	{ "cc", "Build CC:", fact_cc },
	{ "prefix", "Prefix dir:", fact_prefix },
	{ "glibc", "PiP-glibc:", fact_glibc },
	{ "ldlinux", "ld-linux:", fact_ldlinux },
	{ "commit", "Commit Hash:", fact_commit },
	{ "debug", "Debug build:", fact_debug },
	{ "features", "Features:", fact_features },
	{ NULL, "URL:", fact_url },
	{ NULL, "mailto:", fact_mailto },
};

#define NFACTS (sizeof(facts) / sizeof(facts[0]))

static void print_all(void)
{
	for (size_t i = 0; i < NFACTS; i++)
		printf("%s\t%s\n", facts[i].label, facts[i].value());
}

static int usage(const char *name)
{
	printf("Usage: %s [--all] [--help]", name);
	for (size_t i = 0; i < NFACTS; i++)
		if (facts[i].option)
			printf(" [--%s]", facts[i].option);
	printf("\n");
	return 1;
}

/* An option may have one or two dashes.  False: there is no such option. */
static bool print_option(const char *word)
{
	if (*word++ != '-')
		return false;
	word += *word == '-';
	if (strcmp(word, "all") == 0) {
		print_all();
		return true;
	}
	for (size_t i = 0; i < NFACTS; i++) {
		if (!facts[i].option || strcmp(word, facts[i].option) != 0)
			continue;
		printf("%s\n", facts[i].value());
		return true;
	}
	return false;
}

static int run(int argc, char **argv)
{
	if (argc < 2)
		print_all();
	for (int i = 1; i < argc; i++)
		if (!print_option(argv[i]))
			return usage(argc > 0 ? argv[0] : "libpip.so");
	return 0;
}

void program_start(uintptr_t *stack)
{
	int code = run((int)stack[0], (char **)(stack + 1));

	if (fflush(stdout) || ferror(stdout)) {
		fprintf(stderr, "libpip.so: cannot write: %m\n");
		code = 1;
	}
	_exit(code);
}
