/* double_random - request-ids that are the same with each run. */
#ifndef FUZZ_DOUBLE_RANDOM_H
#define FUZZ_DOUBLE_RANDOM_H

#include <stddef.h>

void double_random_start(void);
int getentropy(void *p, size_t len);

#endif
