/*
 * jsonl: one line, which a reader of JSON takes. text: lines of four columns, without controls. What else there is: no
 * NUL, and it ends with its line.
 */
#include "record.h"

#include <string.h>

#include "base/utf8.h"
#include "fuzz.h"
#include "json.h"

static const struct format_options plain;

static void check_text(const uint8_t *p, size_t len)
{
	int tabs = 0;

	for (size_t at = 0; at < len;) {
		uint32_t code;
		size_t n = utf8_decode(p + at, len - at, &code);

		FUZZ_CHECK(n > 0);
		FUZZ_CHECK(code >= 0x20 || code == '\t' || code == '\n');
		FUZZ_CHECK(code < 0x7f || code > 0x9f);
		tabs += code == '\t';
		FUZZ_CHECK(code != '\n' || tabs == 3);
		tabs = code == '\n' ? 0 : tabs;
		at += n;
	}
	FUZZ_CHECK(tabs == 0);
}

void record_check(const struct format *f, const uint8_t *p, size_t len)
{
	if (strcmp(f->name, "jsonl") == 0)
		FUZZ_CHECK(json_is_line(p, len));
	else if (strcmp(f->name, "text") == 0)
		check_text(p, len);
	else if (!f->layout.sorted)
		FUZZ_CHECK(len == 0 || (p[len - 1] == '\n' && !memchr(p, '\0', len)));
}

void pieces_rows(struct pieces *p, const struct record *r)
{
	const struct format *f;

	for (unsigned i = 0; i < FORMATS_MAX && (f = format_at(i)); i++)
		f->rows(&p->rows[i], r, &plain);
}

static void put_whole(const struct format *f, const struct buf *ahead, const struct record *r,
		      struct buf *out)
{
	if (r->ahead == 0) {
		f->record(out, r, &plain);
		return;
	}
	if (f->front)
		f->front(out, r, &plain);
	buf_put(out, ahead->data, ahead->len);
	f->rows(out, r, &plain);
	f->rest(out, r, &plain);
}

void pieces_done(struct pieces *p, const struct record *r)
{
	const struct format *f;

	FUZZ_CHECK(r->status < RECORD_STATUS_COUNT);
	FUZZ_CHECK((r->message == NULL) == (r->status == RECORD_OK));
	for (unsigned i = 0; i < FORMATS_MAX && (f = format_at(i)); i++) {
		struct buf out = {0};

		buf_room(&out, 1);
		put_whole(f, &p->rows[i], r, &out);
		if (r->ahead == 0 || !f->layout.around) /* else it is for layout to put together */
			record_check(f, out.data, out.len);
		buf_free(&out);
	}
	pieces_free(p);
}

void pieces_free(struct pieces *p)
{
	for (unsigned i = 0; i < FORMATS_MAX; i++)
		buf_free(&p->rows[i]);
}
