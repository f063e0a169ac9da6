/* lib.h - what marks a function of the public interface. */
#ifndef LIB_H
#define LIB_H

#define PIP_API __attribute__((visibility("default")))

#endif
