/*
 * pip_util.h - small helpers for looking at a program that uses PiP: its memory map, descriptors
 * and addresses.  They print for people; programs should not parse what they print.
 */
#ifndef PIP_PIP_UTIL_H
#define PIP_PIP_UTIL_H

#include <stdio.h>

#include <pip/pip.h> /* pip_gettime() and pip_fprint_maps() belong here as well */

/** Bytes enough for what pip_idstr() writes. */
#define PIPIDLEN 64

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Print the memory map of the address space to stdout, from /proc/self/maps.
 *
 * Callers: anybody.
 */
void pip_print_maps(void);

/**
 * Print what a file descriptor of the caller's refers to.
 *
 * @param fp  the stream to print to
 * @param fd  the descriptor
 *
 * Callers: anybody.
 */
void pip_print_fd(FILE *fp, int fd);

/**
 * Print what each open file descriptor of the caller's refers to.
 *
 * @param fp  the stream to print to
 *
 * Callers: anybody.
 */
void pip_print_fds(FILE *fp);

/**
 * Print the line of the memory map that an address lies in, if there is one.
 *
 * @param tag   a text to print before it
 * @param addr  the address
 *
 * Callers: anybody.
 */
void pip_check_addr(char *tag, void *addr);

#ifdef __cplusplus
}
#endif

#endif
