/* barrier.h - pip_barrier_t.  barrier_fin(): 0, or -EBUSY while somebody waits. */
#ifndef BARRIER_H
#define BARRIER_H

#include <pip/pip.h>

void barrier_init(pip_barrier_t *b, int n);
void barrier_wait(pip_barrier_t *b);
int barrier_fin(const pip_barrier_t *b);

#endif
