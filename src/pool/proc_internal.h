/*
 * proc_internal - what differs between systems in the set-up of a child: proc_linux.c, proc_plain.c.
 */
#ifndef POOL_PROC_INTERNAL_H
#define POOL_PROC_INTERNAL_H

void proc_close_from(int first); /* closes all descriptors from `first` upwards */
void proc_close_each(int first); /* the same, one by one; what every system can do */

#endif
