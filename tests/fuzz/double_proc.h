/*
 * double_proc - children without processes: a child is the other end of its queue, and the fuzzer holds it.
 */
#ifndef FUZZ_DOUBLE_PROC_H
#define FUZZ_DOUBLE_PROC_H

#include <stdbool.h>
#include <sys/types.h>

#include "frames.h"

#define PEERS_MAX 8

struct double_peer {
	struct frames frames; /* the child's end of its queue; its fd is -1: it does not live */
	unsigned births;      /* of this number */
};
/* What the master has forked under this number (of struct child). */
struct double_peer *double_peer(unsigned number);
void double_peer_close(struct double_peer *p); /* the child's end of file */
struct master;
struct master *double_master(void);      /* who forked the last child; NULL: nobody did */
void double_proc_start(void);            /* nobody lives */
void double_proc_refuse(unsigned times); /* the next forks fail */
void double_signal(int signal);          /* what signals_take() gives next */
int kill(pid_t pid, int signal);         /* one of the children, and no process */

#endif
