/*
 * courier - the link process: our frames on a socketpair on one side, a broker on the other.
 *
 * It keeps no message: who sends one keeps it until it is confirmed (link/window.h), so a courier may die at any moment.
 * Frames are pool/queue's: a kind and octets; numbers as base/wire has them, "str" is wire_put_str().
 */
#ifndef LINK_COURIER_H
#define LINK_COURIER_H

#include <stdbool.h>
#include <stdint.h>

#include "link/broker.h"

struct sandbox;

enum courier_message {
	/* to the courier */
	COURIER_PUT =
		1,   /* u64 id; u8 enum courier_to; str key; then the body, to the frame's end */
	COURIER_ACK, /* u64 tag: it is done */
	COURIER_REQUEUE, /* u64 tag: somebody else shall have it, which counts as a delivery */
	COURIER_BURY,    /* u64 tag: to the dead letters */
	COURIER_SITE, /* str site: declare its queue, and say how it is (SITE_IS); no answer while takes are down */
	COURIER_REOPEN, /* the channel of PUTs anew; UP follows, with another epoch of PUTs. Empty */
	COURIER_LEAVE,  /* consume no more tasks; acks and PUTs go on. Empty */
	COURIER_STOP, /* write out what was put, delete what is ours alone (`forget`), close, answer STOPPED. u8 forget */
	COURIER_PING, /* Empty */
	COURIER_DOUBT, /* str site: its PUTs are not answered; is its queue sound? If not it is made anew. Then as SITE */
	COURIER_PUT_LENT, /* u64 id; u8 enum courier_to; str key; u32 epoch; u32 at; u32 len: the body is these octets of `shared`.
			   * Nothing if epoch is not the number of UPs of puts told so far: then it is put again */

	/* from the courier */
	COURIER_UP =
		32, /* u8 what: 1 puts, 2 takes, 3 both; all ids unconfirmed before, or all tags before, are void */
	COURIER_DOWN, /* u8 what, as above; u8 final: trying again cannot help (refused, no such vhost); then why, text */
	COURIER_CONFIRMED, /* u64 id: the broker keeps it, on disk, on most of its nodes */
	COURIER_NACKED,    /* u64 id: it does not want it now (a queue's limit) */
	COURIER_RETURNED,  /* u64 id: there is no queue for it; CONFIRMED does not follow */
	COURIER_BLOCKED,   /* u8 yes: an alarm of the broker; it takes no PUTs now */
	COURIER_TAKEN, /* u64 tag; u8 enum courier_from; u32 deliveries before this one; then the body */
	COURIER_SITE_IS, /* str site; u8 known (2: but it hangs, and nobody mends it); u32 messages ready; u32 consumers */
	COURIER_PONG,   /* Empty */
	COURIER_STOPPED /* the last frame. Empty */
};

enum courier_to {        /* key: */
	COURIER_TASKS,   /* the site */
	COURIER_RESULTS, /* the master's name */
	COURIER_CONTROL  /* empty: everybody */
};
enum courier_from {
	COURIER_FROM_TASKS,   /* of our site */
	COURIER_FROM_RESULTS, /* for this master */
	COURIER_FROM_CONTROL,
	COURIER_FROM_DEAD /* task batches of this master that were given up by the broker, or buried. The body is the batch */
};

enum courier_role {
	COURIER_MASTER, /* puts tasks and control, takes results and dead letters */
	COURIER_AGENT   /* takes tasks and control, puts results */
};

struct courier_config {
	enum courier_role role;
	const struct broker *broker;
	const char
		*name; /* of the master (its results queue) or of the agent (its control queue) */
	const char *site;     /* an agent's */
	unsigned prefetch;    /* messages taken and not acknowledged: of tasks, or of results */
	int64_t ttl_us;       /* of task messages; 0: none */
	uint32_t queue_limit; /* messages in a site's queue; more are refused (NACKED). 0: 20,000 */
	int64_t expires_us; /* a master's queue without a consumer is kept so long (for --resume) */
	const struct sandbox *sandbox;
	const uint8_t *shared; /* memory in which the owner may lend bodies; NULL: there is none */
	size_t shared_len;
	/* For tests: another table of calls than AMQP's (link/link.h). NULL: AMQP */
	const struct link_calls *calls;
	void *calls_arg;
};

/* The whole life of the process; its exit status. */
int courier_main(const struct courier_config *config, int queue_fd);

#endif
