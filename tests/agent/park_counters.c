/* What a park has counted, as a line of JSON. */
#include "park_internal.h"

#include <inttypes.h>

static int64_t overrun(const struct park *park)
{
	int64_t sum = 0;

	for (size_t i = 0; i < park->n_fds; i++) {
		int64_t n = batch_overrun(park->fds[i]);
		if (n < 0)
			return -1;
		sum += n;
	}
	return sum;
}

/* Reports by their names. */
static void print_v3(const struct park *park)
{
	if (!park->v3)
		return;
	const struct v3_counters *c = v3_counted(park->v3);
	printf(", \"authenticated\": %" PRIu64 ", \"undecipherable\": %" PRIu64 ", \"reports\": {",
	       c->authenticated, c->undecipherable);
	for (enum report report = REPORT_NONE + 1; report < REPORTS; report++)
		printf("%s\"%s\": %" PRIu64, report > REPORT_NONE + 1 ? ", " : "",
		       report_names[report], c->reports[report]);
	printf("}");
}

void park_print_counters(const struct park *park)
{
	const struct park_counters *c = &park->counters;

	printf("{\"received\": %" PRIu64 ", \"answered\": %" PRIu64 ", \"dropped\": %" PRIu64
	       ", \"duplicated\": %" PRIu64 ", \"bad_community\": %" PRIu64
	       ", \"version_3\": %" PRIu64 ", \"malformed\": %" PRIu64
	       ", \"unanswerable\": %" PRIu64 ", \"send_errors\": %" PRIu64
	       ", \"overflowed\": %" PRIu64 ", \"max_pending\": %" PRIu32,
	       c->received, outbox_sent(park->outbox), c->dropped, c->duplicated, c->bad_community,
	       c->version_3, c->malformed, c->unanswerable, outbox_refused(park->outbox),
	       c->overflowed, c->max_pending);
	print_v3(park);
	int64_t lost = overrun(park);
	if (lost < 0)
		printf(", \"overrun\": null}\n");
	else
		printf(", \"overrun\": %" PRId64 "}\n", lost);
	fflush(stdout);
}
