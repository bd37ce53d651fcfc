/*
 * target_internal - what the files of target share: addresses as numbers.
 */
#ifndef PLAN_TARGET_INTERNAL_H
#define PLAN_TARGET_INTERNAL_H

#include "plan/target.h"

/* An IPv4 address is the lower number, its upper one is 0. */
uint64_t target_low(const struct addr *a);
uint64_t target_high(const struct addr *a);

#endif
