/*
 * --help and --version.
 *
 * At most 50 lines of 80 columns: a terminal that is not quite small shows it whole. So a row of the
 * table is one line, or a few that belong together share one.
 */
#include "config.h"

#include <string.h>

#include "cli/options_internal.h"
#include "link/form.h"

#define COLUMN 25 /* where the explanations begin */

static const char head[] =
	"usage: multisnmp [option ...] [target ...]\n"
	"Asks many SNMP agents at once; one record for each target, always.\n"
	"A target: name, address, 192.0.2.0/24, 192.0.2.10-20; each with :PORT.\n";
static const char tail[] =
	"Exit: 0 all answered, 1 not all, 2 usage or configuration, 3 output, 4 system\n"
	"More in multisnmp(1) and multisnmp.yaml(5).\n";

void options_name(const struct option_row *row, struct buf *out)
{
	if (row->name)
		buf_printf(out, "--%s", row->name);
	else
		buf_printf(out, "-%c", row->letter);
}

/* Whether more is what takes row back: --no-spread, --spread. */
static bool is_opposite(const struct option_row *row, const struct option_row *more)
{
	return row->name && more->name && strncmp(more->name, "no-", 3) == 0 &&
	       strcmp(more->name + 3, row->name) == 0;
}

static void put_names(struct buf *out, const struct option_row *row)
{
	const struct option_row *more = row + 1;

	if (row->letter)
		buf_printf(out, "  -%c%s", row->letter, row->name ? ", " : "");
	else
		buf_puts(out, "      ");
	if (is_opposite(row, more) && !*more->help)
		buf_printf(out, "--[no-]%s", (more++)->name + 3);
	else if (row->name)
		options_name(row, out);
	if (row->arg)
		buf_printf(out, " %s", row->arg);
	for (; more->help && !*more->help; more++) {
		buf_puts(out, ", ");
		options_name(more, out);
		if (more->arg)
			buf_printf(out, " %s", more->arg);
	}
}

/* A row of the table, and those behind it that have no words of their own, as they share its line. */
static void put_row(struct buf *out, const struct option_row *row)
{
	size_t start = out->len;

	put_names(out, row);
	do
		buf_putc(out, ' ');
	while (out->len - start < COLUMN);
	buf_printf(out, "%s\n", row->help);
}

void options_help(struct buf *out)
{
	buf_puts(out, head);
	for (const struct option_row *row = options_table; row->help; row++) {
		if (!row->take)
			buf_printf(out, "%s:\n", row->help);
		else if (*row->help && !row->hidden)
			put_row(out, row);
	}
	buf_puts(out, tail);
}

void options_version(struct buf *out)
{
	buf_puts(out, "multisnmp " PACKAGE_VERSION "\nbuilt with " BUILT_WITH
		      "\nhardened by " HARDENED_BY "\n");
	buf_printf(out, "masters and agents: messages of version %u\n", form_version);
}
