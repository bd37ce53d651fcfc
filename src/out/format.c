/*
 * The table of formats: one row each, and nothing else of the program knows their names.
 *
 * Workers call a row's functions through a pointer that main hands them, the master calls `record` for
 * records that never saw a worker. A new format is a file with these functions and a row here.
 *
 * The problem: a walk of a million rows is one record, its rows leave the worker while it is under way,
 * and what stands in front of them (its status, its times) is known last. So the front comes last, too,
 * and the master, which holds the rows back anyway until the record is over, writes it first. What more the
 * master does with the pieces, knowing nothing of formats, is the last column: layout.h.
 */
#include "out/format.h"

#include <string.h>

#include "out/csv.h"
#include "out/influx.h"
#include "out/jsonl.h"
#include "out/prometheus.h"
#include "out/text.h"

static const struct layout_sorted families = {prometheus_begin, prometheus_target, prometheus_put,
					      prometheus_item, prometheus_end};

static const struct format formats[] = {
	{.name = "text",
	 .record = text_record,
	 .front = text_front,
	 .rows = text_rows,
	 .rest = text_rest,
	 .fields = FIELDS_ALL | FIELD(OBJECT),
	 .columns = true,
	 .null = true},
	{.name = "jsonl",
	 .record = jsonl_record,
	 .front = jsonl_front,
	 .rows = jsonl_rows,
	 .rest = jsonl_rest,
	 .one_line = true,
	 .fields = FIELDS_ALL,
	 .null = true},
	{.name = "csv",
	 .record = csv_record,
	 .front = csv_front,
	 .rows = csv_rows,
	 .rest = csv_rest,
	 .layout = {.head = CSV_HEAD, .around = true},
	 .quotes = true,
	 .fields = FIELDS_ALL,
	 .columns = true},
	{.name = "prometheus",
	 .record = prometheus_record,
	 .rows = prometheus_rows,
	 .rest = prometheus_rest,
	 .layout = {.sorted = &families}},
	{.name = "influx",
	 .record = influx_record,
	 .front = influx_front,
	 .rows = influx_rows,
	 .rest = influx_rest,
	 .layout = {.around = true}},
};

#define FORMATS (sizeof(formats) / sizeof(formats[0]))

const struct format *format_at(unsigned i)
{
	return i < FORMATS ? &formats[i] : NULL;
}

const struct format *format_find(const char *name)
{
	for (size_t i = 0; i < FORMATS; i++) {
		if (!strcmp(formats[i].name, name))
			return &formats[i];
	}
	return NULL;
}

struct layout_config format_layout(const struct format *f, const struct format_options *o,
				   char head[FORMAT_HEAD_MAX])
{
	struct layout_config layout = f->layout;

	if (!o->fields.count || !f->columns)
		return layout;
	layout.around = layout.filled = true;
	if (layout.head) { /* it names the columns */
		fields_text(&o->fields, head);
		memcpy(head + strlen(head), "\r\n", sizeof("\r\n"));
		layout.head = head;
	}
	return layout;
}
