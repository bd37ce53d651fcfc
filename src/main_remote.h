/*
 * main_remote - what a run over a broker gives the master; private to main.
 */
#ifndef MAIN_REMOTE_H
#define MAIN_REMOTE_H

#include "base/mem.h"
#include "link/courier.h"
#include "link/run.h"
#include "pool/remote.h"

struct job;
struct sandbox;

struct remote_life { /* not to be moved */
	struct job *job;
	struct buf profiles;
	struct run run;
	struct courier_config courier;
	struct remote_config config;
};

/* All is lent. */
void main_remote_make(struct remote_life *life, struct job *job, const struct sandbox *sandbox);
void main_remote_free(struct remote_life *life);

#endif
