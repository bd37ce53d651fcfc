/*
 * What a person reads of a run: what became of how many, how fast they answered, who was slow, who fails.
 *
 * All lines are indented, so that those which scripts look for (summary.c) stay the only ones with a word at their
 * beginning. Colour is for the words that say good or bad, and says nothing that the word does not.
 *
 * The hint comes last, where the eye is: of a host that fails, another run can tell more than a record has room for.
 */
#include "cli/summary.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/chart.h"

#define BAR_MAX   40
#define BAR_MIN   10
#define LINE_REST 40 /* columns of a line beside its bar */

#define BOLD   "1"
#define GREEN  "32"
#define YELLOW "33"
#define RED    "31"

static void put_painted(struct buf *out, const struct summary_look *look, const char *colour,
			const char *text)
{
	if (look->colour)
		buf_printf(out, "\033[%sm%s\033[0m", colour, text);
	else
		buf_puts(out, text);
}

static void put_title(struct buf *out, const struct summary_look *look, const char *text)
{
	buf_puts(out, "\n  ");
	put_painted(out, look, BOLD, text);
	buf_putc(out, '\n');
}

static const char *colour_of(enum record_status s)
{
	return s == RECORD_OK ? GREEN : s == RECORD_PARTIAL ? YELLOW : RED;
}

static void pad(struct buf *out, size_t columns, size_t to)
{
	for (; columns < to; columns++)
		buf_putc(out, ' ');
}

static struct chart chart_of(const struct summary_look *look)
{
	struct chart c = {.blocks = look->blocks, .width = BAR_MAX};

	if (look->columns < LINE_REST + BAR_MAX)
		c.width = look->columns < LINE_REST + BAR_MIN ? BAR_MIN : look->columns - LINE_REST;
	return c;
}

/* Never 0 for some, nor 100 for not all. */
static void put_share(struct buf *out, uint64_t n, uint64_t of)
{
	double share = (double)n * 100 / (double)of;

	if (share < 0.1)
		buf_puts(out, "   <0.1 %");
	else if (n < of && share > 99.9)
		buf_puts(out, "  >99.9 %");
	else
		buf_printf(out, "%7.1f %%", share);
}

static void put_statuses(struct buf *out, const struct master_result *r,
			 const struct summary_look *look)
{
	struct chart c = chart_of(look);

	put_title(out, look, "status                hosts    share");
	for (int s = 0; s < RECORD_STATUS_COUNT; s++) {
		const char *name = record_status_name((enum record_status)s);

		if (!r->status[s])
			continue;
		buf_puts(out, "  ");
		put_painted(out, look, colour_of((enum record_status)s), name);
		pad(out, strlen(name), 12);
		buf_printf(out, "%15" PRIu64, r->status[s]);
		put_share(out, r->status[s], r->targets);
		buf_puts(out, "  ");
		chart_bar(out, &c, r->status[s], r->targets);
		buf_putc(out, '\n');
	}
}

static void put_latency(struct buf *out, const struct master_result *r,
			const struct summary_look *look)
{
	struct chart c = chart_of(look);

	if (!r->latency || histogram_count(r->latency) < 2)
		return;
	put_title(out, look, "first answer after         hosts");
	chart_latency(out, &c, r->latency);
}

/* Columns of UTF-8, as far as that can be said without tables. */
static size_t columns_of(const char *text)
{
	size_t n = 0;

	for (; *text; text++)
		n += ((unsigned char)*text & 0xc0) != 0x80;
	return n;
}

static size_t widest(const struct notable_host *hosts, size_t count)
{
	size_t most = 0;

	for (size_t i = 0; i < count; i++)
		if (columns_of(hosts[i].name) > most)
			most = columns_of(hosts[i].name);
	return most;
}

static void put_name(struct buf *out, const char *name, size_t width)
{
	buf_puts(out, "  ");
	buf_puts(out, name);
	pad(out, columns_of(name), width);
}

static void put_slowest(struct buf *out, const struct notable *n, const struct summary_look *look)
{
	size_t width = widest(n->slowest, n->nslowest);

	if (n->nslowest < 2)
		return;
	put_title(out, look, "slowest");
	for (size_t i = 0; i < n->nslowest; i++) {
		put_name(out, n->slowest[i].name, width);
		buf_printf(out, "  %11.3f ms\n", (double)n->slowest[i].rtt_us / 1e3);
	}
}

static void put_failing(struct buf *out, const struct notable *n, const struct summary_look *look)
{
	size_t width = widest(n->failing, n->nfailing);

	if (!n->nfailing)
		return;
	put_title(out, look, "failing");
	for (size_t i = 0; i < n->nfailing; i++) {
		const struct notable_host *h = &n->failing[i];

		put_name(out, h->name, width);
		buf_puts(out, "  ");
		put_painted(out, look, colour_of(h->status), record_status_name(h->status));
		if (h->words[0])
			buf_printf(out, ": %s", h->words);
		else if (h->status == RECORD_TIMEOUT && h->tries)
			buf_printf(out, ", %" PRIu32 " %s", h->tries,
				   h->tries == 1 ? "try" : "tries");
		buf_putc(out, '\n');
	}
	if (n->failed > n->nfailing)
		buf_printf(out, "  and %" PRIu64 " more\n", n->failed - n->nfailing);
}

/* Of what a host, or the way to it, is the reason; and the name can be typed as it is, and was not cut. */
static bool is_explained(const struct notable_host *h)
{
	return !strstr(h->name, "...") && h->status != RECORD_CRASHED &&
	       h->status != RECORD_CANCELLED && h->status != RECORD_LOST &&
	       h->name[strspn(h->name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				       "0123456789.:-_")] == '\0';
}

static void put_hint(struct buf *out, const struct notable *n)
{
	for (size_t i = 0; i < n->nfailing; i++) {
		if (!is_explained(&n->failing[i]))
			continue;
		buf_printf(out,
			   "\nhint: multisnmp --explain %s, with this run's options, says why, "
			   "step by step\n",
			   n->failing[i].name);
		return;
	}
}

void summary_put_tables(struct buf *out, const struct master_result *r, const struct notable *n,
			const struct summary_look *look)
{
	if (r->targets == 0)
		return;
	put_statuses(out, r, look);
	put_latency(out, r, look);
	put_slowest(out, n, look);
	put_failing(out, n, look);
	put_hint(out, n);
}
