/*
 * main_drain - --drain. Private to main.
 */
#ifndef MAIN_DRAIN_H
#define MAIN_DRAIN_H

#include "main_internal.h"

/* An exit status. */
int main_drain(const struct options *o);

#endif
