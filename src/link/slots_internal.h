/*
 * slots_internal - memory to share, as the system has it; private to slots.
 */
#ifndef LINK_SLOTS_INTERNAL_H
#define LINK_SLOTS_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Memory that stays the same one over a fork, zeros; it is taken from the system where it is written. NULL: there is none, or none
 * that shared_hide() could hide. */
uint8_t *shared_map(size_t len);
/* Forks of this process from here on leave it out. False: errno says why not. */
bool shared_hide(uint8_t *p, size_t len);
/* It is zeros again, and the system's. False: it may be as it was. */
bool shared_empty(uint8_t *p, size_t len);

#endif
