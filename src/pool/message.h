/*
 * message - the kinds of frame on the queues between our processes: the whole protocol on one page.
 *
 * task_queue: master to worker. done_queue: worker to master. The queue itself carries a kind and
 * octets and knows none of this; each payload's form stands beside its type.
 */
#ifndef POOL_MESSAGE_H
#define POOL_MESSAGE_H

enum message {
	/* task_queue */
	MESSAGE_TASKS = 1, /* one or more tasks, task_pack() each, back to back */
	MESSAGE_STOP,      /* finish what is in flight, answer STOPPED, exit 0. Empty */
	MESSAGE_CANCEL,    /* nothing more is sent; all in hand ends as cancelled. Empty */
	MESSAGE_RATE,   /* u32: packets per 1,000 seconds that this worker may send; 0: no limit */
	MESSAGE_PING,   /* answer PONG. Empty */
	MESSAGE_DRAIN,  /* nothing more is begun; what is in flight may finish. Empty */
	MESSAGE_RESUME, /* what is sent from now on is no longer cancelled: a new round. Empty */

	/* done_queue */
	/* A record: record_head_pack(); u32, the length of its front; the front; its last octets. What is
	 * written is the front, then what came by PARTs, then the last octets. */
	MESSAGE_RECORD = 32,
	/* u32 lease, then octets of a record that does not fit one frame, cut anywhere. Those of several
	 * leases may come mixed. */
	MESSAGE_PART,
	MESSAGE_STATS, /* stats_pack(): counters since the last one; stands before the records it belongs to */
	MESSAGE_PONG,    /* Empty */
	MESSAGE_STOPPED, /* the last frame of a worker. Empty */

	/* master to resolver and back */
	MESSAGE_NAME = 64, /* lookup_question_pack(); STOP and PING are understood too */
	MESSAGE_ADDRESSES  /* lookup_answer_pack() */
};

#endif
