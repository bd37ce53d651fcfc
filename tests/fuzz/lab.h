/*
 * lab - an engine, the targets that it polls, and the agent that answers: over datagrams, or over a stream.
 */
#ifndef FUZZ_LAB_H
#define FUZZ_LAB_H

#include "agent.h"
#include "base/loop.h"
#include "record.h"
#include "snmp/engine_internal.h"
#include "snmp/session_internal.h"

#define LAB_WINDOW 4
#define LAB_TASKS  8  /* started with one input */
#define LAB_SENT   16 /* requests that are remembered */

struct sent {
	uint8_t data[PDU_OCTETS_MAX + 200];
	size_t len;
	struct addr to;
};

struct lab {
	const struct profile *profile;
	struct agent *agent;
	struct loop *loop;
	struct engine *engine;
	struct session *session; /* NULL: datagrams */
	_Atomic uint64_t at_work;
	bool held, cancelled;

	unsigned ntasks, nrecords;
	bool recorded[LAB_TASKS];
	uint64_t ahead[LAB_TASKS];
	struct pieces pieces[LAB_TASKS];
	struct learnt learnt; /* of the last task that was to */
	struct stats stats;

	struct sent sent[LAB_SENT]; /* a ring */
	unsigned nsent;
	int send_error;   /* of the next send; 0: none */
	struct udp_in in; /* to be received; len SIZE_MAX: nothing */
	unsigned lane;
	struct udp_refusal refusal;
	bool refused;
};

#define LAB_PROFILES 11

void lab_open(struct lab *lab, unsigned profile, bool stream);
void lab_close(struct lab *lab); /* brings it to its end; checks what must hold then */

void lab_task(
	struct lab *lab,
	uint8_t how); /* bit 0: IPv6; bit 1: two addresses; bit 2: host given; bit 3: it knows what was learnt
	       * before, and learns; bit 4: but for one thing */
void lab_turn(struct lab *lab);
/* The n-th last request sent; NULL: there were not so many. */
const struct sent *lab_sent(const struct lab *lab, unsigned n);
/* A message from the agent; source 0: the address that was asked. */
void lab_receive(struct lab *lab, const uint8_t *p, size_t len, uint8_t source);
void lab_refuse(struct lab *lab, const struct sent *s, int error, uint16_t quoted);

#endif
