/* pip/xpmem.h - the XPMEM interface, under the name that programs written for PiP use. */
#ifndef PIP_XPMEM_H
#define PIP_XPMEM_H

#include "../xpmem.h"

#endif
