/* begin.h - what libpip-preload.so needs of libpip.so (version node PIP_PRIVATE). */
#ifndef BEGIN_H
#define BEGIN_H

/* Says that the library is loaded.  Called once, by its constructor. */
void pip_shim_loaded(void);

/* Makes the calling program a launcher, if PIP_MODE has nothing against it; only the first call
 * does anything.  Whatever fails, the program goes on as an ordinary one. */
void pip_shim_begin(void);

#endif
