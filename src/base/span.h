/*
 * span.h - arithmetic on numbers that nobody vouches for: offsets, lengths and alignments read
 * from a file.  span_ok() and span_in() ask about ranges, span_add() and span_round_up() compute
 * without wrapping.  No sum in here can overflow; use these instead of a bare `+`.
 *
 * Freestanding: included by code that runs without any libc.
 */
#ifndef BASE_SPAN_H
#define BASE_SPAN_H

#include <stdbool.h>
#include <stdint.h>

/* Do the len bytes at offset off lie inside something that is total bytes long? */
static inline bool span_ok(uint64_t off, uint64_t len, uint64_t total)
{
	return off <= total && len <= total - off;
}

/* Do the len bytes at off lie inside the total bytes at start?  (Neither range may wrap.) */
static inline bool span_in(uint64_t off, uint64_t len, uint64_t start, uint64_t total)
{
	return off >= start && span_ok(off - start, len, total);
}

/* *sum = a + b; false if that does not fit. */
static inline bool span_add(uint64_t a, uint64_t b, uint64_t *sum)
{
	return !__builtin_add_overflow(a, b, sum);
}

static inline bool span_pow2(uint64_t value)
{
	return value != 0 && (value & (value - 1)) == 0;
}

/* align is a power of two in both. */
static inline uint64_t span_round_down(uint64_t value, uint64_t align)
{
	return value & ~(align - 1);
}

/* *rounded = value rounded up; false if that does not fit. */
static inline bool span_round_up(uint64_t value, uint64_t align, uint64_t *rounded)
{
	if (!span_add(value, align - 1, rounded))
		return false;
	*rounded = span_round_down(*rounded, align);
	return true;
}

#endif
