/* lib.h - what marks a function of the public interface. */
#ifndef LIB_H
#define LIB_H

#define PIP_API __attribute__((visibility("default")))

struct task;

/* Checks a target PIPID, and finds its record, which must be that of a live process.  0 or the code
 * that the interface gives. */
int lib_live_target(int pipid, struct task **tp);

#endif
