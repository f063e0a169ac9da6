/* handover.h - by what test_handover.c knows what handover.c is doing: descriptors it closes. */
#ifndef HANDOVER_H
#define HANDOVER_H

#define HANDOVER_BEGIN (-1001)
#define HANDOVER_END (-1002)

#endif
