/*
 * A multisnmp of the release after this one: all as here, but its messages have the next version.
 */
#define FORM_VERSION 2
#include "link/form.c"
