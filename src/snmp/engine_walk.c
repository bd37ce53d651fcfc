/*
 * A walk's strand: its questions in the size that the device can answer, and what goes wrong with them.
 *
 * Which objects come next is walk.c's to say, how many repetitions pace.c's; here the two meet the requests.
 * v1 has GETNEXT only; a GETBULK of one repetition is a GETNEXT, and sent as one: devices exist that know no
 * GETBULK (RFC 3416 §4.2.3 makes them the same).
 *
 * Devices that drop large answers without a word look like devices that are slow, or dead. So each
 * further try asks for less than the one before, repetitions first, then columns, and the last one for a single
 * varbind: who does not answer to that is silent. Without retries there is no such try; then a device that has answered before
 * is asked for half in another request, and for half of that, until a single varbind goes unanswered. `most`
 * holds the size down until an answer comes, whatever pace makes of it: that is what makes every such
 * way end.
 *
 * tooBig takes repetitions, then columns; one column once is the verdict. So does genErr: an agent that cannot
 * give one value refuses all that it was asked for with it, and the rows before that one are worth having.
 */
#include "snmp/engine_internal.h"
#include "snmp/engine_known.h"

#include <stdlib.h>

#define COLUMNS_FIRST 4 /* asked of a device that never answered: some 200 octets of answer */

struct walk_round *walk_round_new(struct engine *e)
{
	struct walk_round *round = e->free_rounds;

	if (!round)
		return mem_zero(1, sizeof(*round));
	e->free_rounds = round->next_free;
	return round;
}

void walk_round_free(struct engine *e, struct walk_round *round)
{
	if (!round)
		return;
	round->next_free = e->free_rounds;
	e->free_rounds = round;
}

void walk_rounds_free(struct engine *e)
{
	struct walk_round *round;

	while ((round = e->free_rounds)) {
		e->free_rounds = round->next_free;
		free(round);
	}
}

void walk_strand_begin(struct job *job, struct strand *s, uint32_t number)
{
	const struct profile *p = job->profile;

	s->columns = WALK_COLUMNS_MAX;
	if (number < p->nwalk) {
		s->root = &p->walk[number];
		s->walk = walk_subtree(s->root, p->nonincreasing);
	} else {
		s->root = &p->table[0].oid;
		s->walk = walk_table(p);
	}
}

/* Columns of the next question: as many as the device has shown that it can answer. */
static size_t columns(const struct job *job, const struct strand *s)
{
	size_t n = pace_columns(&job->pace, s->columns, 0);

	if (!job->spoke && n > COLUMNS_FIRST)
		n = COLUMNS_FIRST;
	return job->most && n > job->most ? job->most : n;
}

bool walk_strand_ask(struct engine *e, struct job *job, struct strand *s)
{
	struct walk_round *round = walk_round_new(e);

	round->first = round->newest = round->previous = 0;
	if (!walk_ask(s->walk, columns(job, s), &round->q)) {
		walk_round_free(e, round);
		return false;
	}
	request_start(e, job, &(struct asked){.strand = s, .walk = round});
	return true;
}

/* The last try of a question: who does not answer to it is silent. */
static bool is_last_chance(const struct job *job, unsigned tries)
{
	return tries && tries == known_retries(job);
}

/* After so many tries of this question. */
static unsigned repetitions(const struct job *job, const struct walk_question *q, unsigned tries)
{
	unsigned n;

	if (q->kind == WALK_GET || q->single || job->profile->version == SNMP_V1)
		return 1;
	if (is_last_chance(job, tries))
		return 1;
	n = pace_repetitions(&job->pace, q->count, tries);
	if (job->most && n * q->count > job->most)
		n = job->most / q->count;
	return n ? n : 1;
}

/* How many of the question's columns, from the first, a further try of a single row asks for: half of those of the
 * try before. The walk takes the answer for a short one, and asks for the others again. */
static unsigned row_columns(const struct job *job, const struct walk_round *round, unsigned tries)
{
	unsigned n = is_last_chance(job, tries) ? 1 : tries < 16 ? round->first >> tries : 0;

	if (n > round->q.count)
		n = round->q.count;
	return n ? n : 1;
}

void walk_build(struct engine *e, struct request *r, struct pdu_ask *ask)
{
	struct walk_round *round = r->asked.walk;
	const struct walk_question *q = &round->q;
	unsigned tries = inflight_tries(e->inflight, r->slot) - 1; /* this one has its id */
	unsigned n = repetitions(r->job, q, tries), count = q->count;

	if (!tries)
		round->first = n * count;
	else if (n == 1)
		count = row_columns(r->job, round, tries);
	round->previous = tries ? round->newest : 0;
	round->newest = n * count;
	*ask = (struct pdu_ask){
		.type = q->kind == WALK_GET ? PDU_GET
			: n > 1             ? PDU_GET_BULK
					    : PDU_GET_NEXT,
		.max_repetitions = n,
		.names = q->name,
		.count = count,
	};
}

/* No question of this job asks for more than half of so many varbinds before one is answered. */
static void hold_down(struct job *job, size_t varbinds)
{
	job->most = varbinds > 1 ? (unsigned)(varbinds / 2) : 1;
}

bool walk_unanswered(struct engine *e, struct job *job, const struct asked *asked)
{
	const struct walk_round *round = asked->walk;

	if (!job->spoke || round->newest < 2)
		return false; /* it cannot be less */
	pace_lost(&job->pace, round->newest);
	hold_down(job, round->newest);
	job->carried = asked->sends;
	job->before = asked->before;
	strand_again(e, asked);
	if (!walk_strand_ask(e, job, asked->strand)) /* first of all: the tries were its own */
		job->carried = job->before = 0;
	job_go_on(e, job);
	return true;
}

static void fault(struct engine *e, struct job *job, const struct reply *reply,
		  enum record_status status)
{
	if (status == RECORD_MALFORMED)
		e->stats.count[STATS_MALFORMED]++;
	strand_fault(e, job, reply->asked.strand, status);
}

static void take_rows(struct engine *e, struct job *job, const struct reply *reply)
{
	const struct walk_round *round = reply->asked.walk;
	struct strand *s = reply->asked.strand;
	size_t wanted = e->scratch.count > round->newest || !reply->newest ? round->first
									   : round->newest;
	char words[WALK_WORDS_MAX];

	if (reply->newest && round->newest < round->q.count && e->scratch.count > round->newest)
		e->scratch.count = round->newest; /* more of these columns, not of the others */
	if (reply->newest && round->previous)
		pace_lost(&job->pace, round->previous);
	pace_answered(&job->pace, wanted, e->scratch.count, reply->octets);
	job->most = 0;
	strand_came(job, s, reply->octets);
	if (walk_answer(s->walk, &round->q, &e->scratch, strand_rows(job, s), words))
		return;
	buf_puts(job_say(e), words);
	say_walk(&e->text, s);
	fault(e, job, reply, RECORD_MALFORMED);
}

static void error(struct engine *e, struct job *job, const struct reply *reply)
{
	struct buf *text = job_say(e);

	job_error(job, reply->answer);
	say_error(text, reply->answer);
	say_where(text, &reply->asked);
	say_error_remedy(text, reply->answer);
	fault(e, job, reply, RECORD_ERROR);
}

static void too_much(struct engine *e, struct job *job, const struct reply *reply)
{
	const struct walk_round *round = reply->asked.walk;
	struct strand *s = reply->asked.strand;
	size_t wanted = reply->newest ? round->newest : round->first;

	pace_too_big(&job->pace, wanted);
	if (wanted < 2) {
		error(e, job, reply);
		return;
	}
	if (wanted <= round->q.count)
		s->columns = wanted / 2;
	hold_down(job, wanted);
	walk_again(s->walk, &round->q);
}

/* v1's way of saying that nothing follows (RFC 1157 §4.1.3). */
static void no_such_name(struct job *job, const struct reply *reply)
{
	const struct walk_question *q = &reply->asked.walk->q;
	int64_t index = reply->answer->error_index;

	if (q->count == 1)
		index = 1; /* it can be no other */
	else if (index < 1 || index > q->count)
		index = 0; /* names none */
	walk_none(reply->asked.strand->walk, q, (size_t)index);
	job->most = 0;
}

void walk_answered(struct engine *e, struct job *job, const struct reply *reply)
{
	switch (reply->answer->error_status) {
	case PDU_NO_ERROR:
		take_rows(e, job, reply);
		break;
	case PDU_TOO_BIG:
	case PDU_GEN_ERR:
		too_much(e, job, reply);
		break;
	case PDU_NO_SUCH_NAME:
		no_such_name(job, reply);
		break;
	default:
		error(e, job, reply);
	}
	walk_round_free(e, reply->asked.walk);
	job_go_on(e, job);
}
