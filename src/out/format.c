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
	{"text", text_record, NULL, text_rows, text_rest, {0}, false, false},
	{"jsonl", jsonl_record, jsonl_front, jsonl_rows, jsonl_rest, {0}, true, false},
	{"csv",
	 csv_record,
	 csv_front,
	 csv_rows,
	 csv_rest,
	 {.head = CSV_HEAD, .around = true},
	 false,
	 true},
	{"prometheus",
	 prometheus_record,
	 NULL,
	 prometheus_rows,
	 prometheus_rest,
	 {.sorted = &families},
	 false,
	 false},
	{"influx",
	 influx_record,
	 influx_front,
	 influx_rows,
	 influx_rest,
	 {.around = true},
	 false,
	 false},
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
