/*
 * A run over a broker: what agents are told of it, and the process that holds the link.
 *
 * The number of a run and the name of its master come from what it would leave behind (main_resume.c); a service that reads its
 * files again is another run each time, for targets have other numbers then.
 *
 * Task messages have an end: a round's are of no use when two rounds have gone by, and those of a master that was killed
 * and not taken up again shall not be asked by agents days later.
 */
#include "main_internal.h"

#include <string.h>

#include "main_remote.h"

#define PREFETCH        32 /* messages of results that are not acknowledged */
#define TTL_ONCE_US     INT64_C(86400000000)
#define TTL_ROUND_US    INT64_C(60000000) /* at least */
#define EXPIRES_US      INT64_C(3600000000)
#define EXPIRES_KEPT_US INT64_C(86400000000) /* of a run that may be taken up */

static int64_t ttl_of(const struct options *o)
{
	if (o->deadline_us > 0)
		return o->deadline_us;
	if (o->interval_us == 0)
		return TTL_ONCE_US;
	return 2 * o->interval_us > TTL_ROUND_US ? 2 * o->interval_us : TTL_ROUND_US;
}

/* It needs no plan, and no secret of a device. */
static int run_courier(const void *arg, int fd)
{
	const struct remote_life *life = arg;

	main_forget(life->job);
	plan_free(life->job->plan);
	main_generation_free(life->job->next);
	return courier_main(&life->courier, fd);
}

static struct run run_of(struct job *job, const struct buf *profiles)
{
	const struct options *o = job->o;
	uint64_t sessions = plan_count(job->plan, PLAN_SESSIONS);
	struct run run = {.number = job->remains.head.run + job->runs++,
			  .format = o->format->name,
			  .fields = o->fields,
			  .null_ends = o->format_options.null,
			  .unwanted = o->unwanted,
			  .sessions = sessions < UINT32_MAX ? (uint32_t)sessions : UINT32_MAX,
			  .profiles = profiles->data,
			  .profiles_len = profiles->len};

	memcpy(run.master, job->remains.head.master, sizeof(run.master));
	return run;
}

void main_remote_make(struct remote_life *life, struct job *job, const struct sandbox *sandbox)
{
	const struct options *o = job->o;
	const struct remains *remains = &job->remains;

	*life = (struct remote_life){.job = job};
	plan_pack_profiles(job->plan, &life->profiles);
	life->run = run_of(job, &life->profiles);
	life->courier = (struct courier_config){
		.role = COURIER_MASTER,
		.broker = o->broker,
		.name = life->run.master,
		.prefetch = PREFETCH,
		.ttl_us = ttl_of(o),
		.expires_us = remains->journal != NULL ? EXPIRES_KEPT_US : EXPIRES_US,
		.sandbox = sandbox,
	};
	life->config = (struct remote_config){
		.courier = run_courier,
		.courier_arg = life,
		.run = &life->run,
		.attempts = o->broker_attempts,
		.patience_us = o->broker_patience_us,
		.ttl_us = ttl_of(o),
		.taken = remains->taken,
		.begun = remains->taken != NULL ? &remains->sums : NULL,
		.journal = remains->journal,
	};
}

void main_remote_free(struct remote_life *life)
{
	buf_free(&life->profiles);
}
