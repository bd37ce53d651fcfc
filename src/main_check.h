/*
 * main_check - --check. Private to main.
 */
#ifndef MAIN_CHECK_H
#define MAIN_CHECK_H

#include "main_internal.h"

/* What is the result, on standard output; frees it. An exit status. */
int main_show(struct buf *text);
/* --check of who plans, and of an agent; an exit status. */
int main_check(const struct options *o, const struct plan *plan);
int main_check_agent(const struct options *o);

#endif
