/*
 * target_internal - what the files of target share: prefixes, and addresses as numbers.
 */
#ifndef PLAN_TARGET_INTERNAL_H
#define PLAN_TARGET_INTERNAL_H

#include "plan/target.h"

/* The transport that text begins with goes to out (transport, family), UDP without one. Returns how many
 * octets it takes. */
size_t target_prefix(const char *text, size_t len, struct target *out);

/* An IPv4 address is the lower number, its upper one is 0. */
uint64_t target_low(const struct addr *a);
uint64_t target_high(const struct addr *a);

#endif
