/*
 * log.h - messages to the user: one write to stderr each,
 * "PiP-ERR[TID(K):C] text", K the owner of the kernel thread, C the owner of the code.
 */
#ifndef LOG_H
#define LOG_H

#include <stdarg.h>
#include <stddef.h>

#define LOG_MAX 512 /* bytes of a message, its newline included */

__attribute__((format(printf, 1, 2))) void log_info(const char *format, ...);
__attribute__((format(printf, 1, 2))) void log_warn(const char *format, ...);
__attribute__((format(printf, 1, 2))) void log_err(const char *format, ...);

/* level: "PiP-INFO", "PiP-WARN" or "PiP-ERR".  Returns the length, with the newline. */
__attribute__((format(printf, 3, 0))) size_t log_format(char buf[LOG_MAX], const char *level,
							const char *format, va_list ap);

/* "4711(R):R" into buf; returns the space that is left. */
size_t log_id(char *buf, size_t size);

#endif
