/* measure.h - what the benchmarks share: time, medians, and an end where something went wrong. */
#ifndef MEASURE_H
#define MEASURE_H

#include <stddef.h>

/* Ends everything: exit() in the root takes the live tasks with it.  err: an errno, or 0. */
_Noreturn void fail(const char *what, int err);

double now_us(void);

/* Sorts the n values, too. */
double median(double *values, int n);

void *allocate(size_t n, size_t size);

/* What asprintf() makes of it; the caller frees it. */
__attribute__((format(printf, 1, 2))) char *text(const char *format, ...);

/* The path of a program of prog/, which is beside this one; the caller frees it. */
char *program(const char *name);

/* The number in an argument; usage() ends the program if it is none from min to max. */
int number(void (*usage)(void), const char *arg, int min, int max);

#endif
