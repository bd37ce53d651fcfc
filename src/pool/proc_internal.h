/*
 * proc_internal - what differs between systems in the set-up of a child: proc_linux.c, proc_plain.c.
 */
#ifndef POOL_PROC_INTERNAL_H
#define POOL_PROC_INTERNAL_H

#include <stdbool.h>
#include <sys/types.h>

void proc_close_from(int first); /* closes all descriptors from `first` upwards */
void proc_close_each(int first); /* the same, one by one; what every system can do */

/* Asks to be killed with the parent. False: it is dead already. */
bool proc_follow(pid_t parent);

#endif
