/* program.h - libpip.so as a program. */
#ifndef PROGRAM_H
#define PROGRAM_H

#include <stdint.h>

/* Called by arch_program() with the address of argc. */
_Noreturn void program_start(uintptr_t *stack);

#endif
