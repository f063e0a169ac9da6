/* guard.h - how many entries for faults there are, for C and for guard.S. */
#ifndef ARCH_GUARD_H
#define ARCH_GUARD_H

#define ARCH_GUARDS 4096

#endif
