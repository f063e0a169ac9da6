/*
 * series.h - what producer.c and analyser.c agree upon: struct series, exported by task PRODUCER
 * under the name SERIES.
 */
#ifndef SERIES_H
#define SERIES_H

#include <semaphore.h>
#include <stddef.h>

#define PRODUCER 0
#define SERIES "series"

struct series {
	const double *value; /* in the producer's heap */
	size_t count;
	double sum; /* the analyser's answer */
	sem_t answered;
};

#endif
