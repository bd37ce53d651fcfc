/*
 * Datagrams to be sent, gathered for one system call per socket. Their octets are written straight into the outbox.
 */
#ifndef AGENT_OUTBOX_H
#define AGENT_OUTBOX_H

#include "batch.h"

struct outbox;

/* `batch` is lent. */
struct outbox *outbox_new(struct batch *batch);
void outbox_free(struct outbox *outbox);
/* DATAGRAM_MAX octets to write the next datagram into; valid until the next call. May send what was gathered. */
uint8_t *outbox_room(struct outbox *outbox);
/* Adds d, whose bytes are those of the last outbox_room; `times` of it. */
void outbox_add(struct outbox *outbox, const struct datagram *d, unsigned times);
void outbox_send(struct outbox *outbox);
/* How many the kernel has taken, and refused. */
uint64_t outbox_sent(const struct outbox *outbox);
uint64_t outbox_refused(const struct outbox *outbox);

#endif
