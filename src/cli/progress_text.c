/*
 * The words of the progress line.
 *
 * A narrow terminal gets less of it, not the first half of it: each part has a rank, and what ranks last is left
 * out until the rest fits. All is ASCII, so that octets are columns.
 */
#include "cli/progress_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define PART_MAX 64

enum part { /* in the order in which they are shown */
	PART_ROUND,
	PART_DONE,
	PART_OK,
	PART_FAILED,
	PART_IN_FLIGHT,
	PART_RATE,
	PART_LEFT,
	PART_COUNT
};

static const enum part ranks[PART_COUNT] = {/* what matters most first */
					    PART_DONE, PART_FAILED,    PART_LEFT, PART_OK,
					    PART_RATE, PART_IN_FLIGHT, PART_ROUND};

typedef char part_text[PART_MAX];

static void say_done(part_text text, const struct progress_state *s)
{
	if (s->total == 0)
		snprintf(text, PART_MAX, "%" PRIu64 " done", s->done);
	else
		snprintf(text, PART_MAX, "%" PRIu64 " of %" PRIu64 " (%.0f %%)", s->done, s->total,
			 (double)(uint64_t)((double)s->done * 100 / (double)s->total));
}

static void say_rate(part_text text, double rate, const char *unit)
{
	snprintf(text, PART_MAX, "%.*f%s", rate > 0 && rate < 10 ? 1 : 0, rate, unit);
}

static void say_duration(char text[PART_MAX / 2], int64_t us)
{
	long long s = us / 1000000 + (us % 1000000 != 0);

	if (s < 100)
		snprintf(text, PART_MAX / 2, "%lld s", s);
	else if (s < 3600)
		snprintf(text, PART_MAX / 2, "%lld min %lld s", s / 60, s % 60);
	else
		snprintf(text, PART_MAX / 2, "%lld h %lld min", s / 3600, s / 60 % 60);
}

static void say_left(part_text text, const struct progress_state *s, const char *about)
{
	char duration[PART_MAX / 2];

	if (s->ending) {
		snprintf(text, PART_MAX, "ending");
		return;
	}
	if (s->done >= s->total) { /* between two rounds */
		snprintf(text, PART_MAX, "nothing left");
		return;
	}
	if (s->left.kind == LEFT_UNKNOWN) {
		snprintf(text, PART_MAX, "time left unknown");
		return;
	}
	say_duration(duration, s->left.us);
	snprintf(text, PART_MAX, "%s%s left", s->left.kind == LEFT_AT_MOST ? "at most " : about,
		 duration);
}

static void say_all(part_text parts[PART_COUNT], const struct progress_state *s)
{
	memset(parts, 0, PART_COUNT * sizeof(part_text));
	if (s->round)
		snprintf(parts[PART_ROUND], PART_MAX, "round %" PRIu64, s->round);
	say_done(parts[PART_DONE], s);
	snprintf(parts[PART_OK], PART_MAX, "%" PRIu64 " ok", s->ok);
	snprintf(parts[PART_FAILED], PART_MAX, "%" PRIu64 " failed", s->failed);
	snprintf(parts[PART_IN_FLIGHT], PART_MAX, "%" PRIu64 " in flight", s->in_flight);
}

/* Those that there are, with commas. */
static void join(struct buf *out, part_text parts[PART_COUNT])
{
	const char *before = "";

	for (unsigned i = 0; i < PART_COUNT; i++) {
		if (!parts[i][0])
			continue;
		buf_puts(out, before);
		buf_puts(out, parts[i]);
		before = ", ";
	}
}

void progress_put_line(struct buf *out, const struct progress_state *s)
{
	part_text parts[PART_COUNT];

	say_all(parts, s);
	say_rate(parts[PART_RATE], s->rate, " per second");
	if (s->total)
		say_left(parts[PART_LEFT], s, "about ");
	buf_puts(out, "progress: ");
	join(out, parts);
	buf_putc(out, '\n');
}

void progress_put_drawn(struct buf *out, const struct progress_state *s, unsigned columns)
{
	part_text parts[PART_COUNT];
	size_t before = out->len, room = columns > 1 ? columns - 1 : 0;
	unsigned shown = PART_COUNT;

	say_all(parts, s);
	say_rate(parts[PART_RATE], s->rate, "/s");
	if (s->total)
		say_left(parts[PART_LEFT], s, "");
	for (join(out, parts); out->len - before > room && shown > 1; join(out, parts)) {
		parts[ranks[--shown]][0] = '\0';
		out->len = before;
	}
	if (out->len - before > room)
		out->len = before + room;
}
