/*
 * Where records go: standard output, or a file whose name may hold the time.
 *
 * `-o 'poll-%Y%m%dT%H%M%SZ.jsonl'` makes one file of each round, or of each run that a timer starts. The
 * conversions are those of strftime(3) that make sense in a name, always UTC: a name that stands still for an hour in
 * autumn would be written twice. All else behind a '%' was refused when the options were read (options_values.c),
 * so that a percent sign that was meant as one is a word of error and not a surprise.
 */
#include "main_internal.h"

#include <string.h>
#include <time.h>

#define PART_MAX 64 /* octets that a conversion may come to */

static void put_time(struct buf *out, const char *path, time_t now)
{
	char part[PART_MAX];
	struct tm tm;

	gmtime_r(&now, &tm);
	for (const char *p = path; *p != '\0'; p++) {
		char conversion[] = {'%', p[1], '\0'};

		if (*p != '%') {
			buf_putc(out, *p);
			continue;
		}
		buf_put(out, part, strftime(part, sizeof(part), conversion, &tm));
		p++;
	}
	buf_putc(out, '\0');
}

struct writer *main_output(const struct options *o, enum writer_result *result)
{
	bool timed = o->output != NULL && strchr(o->output, '%') != NULL;
	struct writer_options options = {.append = o->append,
					 .whole = o->format->layout.sorted,
					 .fd = o->output_fd,
					 .resumable = main_resumable(o),
					 .resume = o->resume,
					 .again = o->interval_us > 0 && !timed};
	struct buf path = {0};
	struct writer *w;

	if (o->output != NULL)
		put_time(&path, o->output, time(NULL));
	options.path = (const char *)path.data;
	w = writer_open(&options, result);
	buf_free(&path);
	return w;
}
