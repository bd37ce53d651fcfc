/*
 * memory - what was learnt of hosts, from round to round.
 *
 * Hosts are known by a number of whoever asks: a hash of all that makes it this host. At most MEMORY_HOSTS_MAX of
 * them, about 100 octets each; who comes later is not remembered.
 */
#ifndef POOL_MEMORY_H
#define POOL_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/learnt.h"

#define MEMORY_HOSTS_MAX ((uint32_t)1 << 20) /* 100 MiB, when there are so many */

struct memory;

struct memory *memory_new(void);
void memory_free(struct memory *m); /* NULL is nothing */

/* A round begins. Who was not asked in the two before is forgotten, little by little. */
void memory_round(struct memory *m);

/* What is known of the host, which is asked now; but for l->address, instead of which *where is what memory_keep() was
 * given. False: nothing, and *l is {0}. */
bool memory_find(struct memory *m, uint64_t host, struct learnt *l, uint32_t *where);
/* What came back with its record, learnt of the address that `where` stands for. It counts one more silent round at
 * most, and that once a round: the same host may be listed twice, and no word of a worker is taken for more. */
void memory_keep(struct memory *m, uint64_t host, const struct learnt *l, uint32_t where);

size_t memory_hosts(const struct memory *m);  /* remembered */
size_t memory_octets(const struct memory *m); /* taken for them */

#endif
