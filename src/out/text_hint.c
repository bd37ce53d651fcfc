/*
 * Values by their DISPLAY-HINT.
 *
 * The problem: RFC 2579 §3.1 describes a tiny language, "2d-1d-1d,1d:1d:1d.1d,1a1d:1d" is a date in it.
 * An octet hint is a row of specifications, each with: an optional '*' (the next octet of the value
 * says how often), how many octets, a format, an optional separator written after each application,
 * and, only after a '*', an optional terminator written after the last. What remains at the end of the
 * hint is shown by its last specification again; a separator or terminator that would end the
 * whole display is left out.
 *
 * The trap: hints come from MIB files and lengths from devices. A specification may take no octets
 * ("0a["), which as the last one would be applied for ever; a '*' may ask for 255 applications of
 * nothing. So an application that takes nothing is done once, and a last one that takes nothing
 * ends the display with what remains unshown: the hint is then refused, the caller shows hex.
 */
#include "out/text_hint.h"

#include <string.h>

#define NUMBER_OCTETS 8 /* the longest number that is shown as one */
#define LENGTH_MAX    65535

struct spec { /* one octet-format specification */
	bool repeat;
	size_t length;   /* octets of one application */
	char format;     /* x d o a t */
	char separator;  /* 0: none */
	char terminator; /* 0: none */
};

struct display {
	struct buf *out;
	const uint8_t *p; /* what of the value remains */
	size_t len;
	bool loose; /* the last octet of out is a separator or terminator */
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_mark(char c) /* may be a separator or a terminator */
{
	return c && !is_digit(c) && c != '*';
}

/* Reads one specification; returns the place behind it, NULL if it breaks the rules. */
static const char *read_spec(const char *hint, struct spec *s)
{
	*s = (struct spec){.repeat = *hint == '*'};
	hint += s->repeat;
	if (!is_digit(*hint))
		return NULL;
	for (; is_digit(*hint); hint++) {
		s->length = s->length * 10 + (size_t)(*hint - '0');
		if (s->length > LENGTH_MAX)
			return NULL;
	}
	if (!*hint || !strchr("xdoat", *hint))
		return NULL;
	s->format = *hint++;
	if (is_mark(*hint))
		s->separator = *hint++;
	if (s->repeat && s->separator && is_mark(*hint))
		s->terminator = *hint++;
	return hint;
}

static void put_based(struct buf *out, uint64_t v, unsigned base, size_t width)
{
	char digits[64];
	size_t at = sizeof(digits);

	do {
		digits[--at] = "0123456789abcdef"[v % base];
		v /= base;
	} while (v);
	while (sizeof(digits) - at < width)
		digits[--at] = '0';
	buf_put(out, digits + at, sizeof(digits) - at);
}

static bool put_number(struct buf *out, char format, const uint8_t *p, size_t len)
{
	uint64_t v = 0;

	if (len > NUMBER_OCTETS)
		return false;
	for (size_t i = 0; i < len; i++)
		v = v << 8 | p[i];
	if (format == 'x')
		put_based(out, v, 16, len * 2);
	else
		put_based(out, v, format == 'd' ? 10 : 8, 1);
	return true;
}

static void put_mark(struct display *d, char mark)
{
	if (!mark)
		return;
	buf_putc(d->out, mark);
	d->loose = true;
}

static bool apply_once(struct display *d, const struct spec *s)
{
	size_t take = s->length < d->len ? s->length : d->len;

	if (take) {
		d->loose = false;
		if (s->format == 'a' || s->format == 't')
			buf_put(d->out, d->p, take);
		else if (!put_number(d->out, s->format, d->p, take))
			return false;
	}
	d->p += take;
	d->len -= take;
	return true;
}

static bool apply(struct display *d, const struct spec *s)
{
	size_t times = 1;

	if (s->repeat) {
		times = *d->p++;
		d->len--;
		if (times && !s->length)
			times = 1;
	}
	for (size_t i = 0; i < times; i++) {
		bool last;

		if (!apply_once(d, s))
			return false;
		last = i + 1 == times || !d->len;
		if (!(last && s->terminator))
			put_mark(d, s->separator);
		if (last)
			break;
	}
	put_mark(d, s->terminator);
	return true;
}

static bool display(struct display *d, const char *hint)
{
	const char *last = hint;
	struct spec s;

	while (d->len) {
		size_t before = d->len;
		const char *next = read_spec(*hint ? hint : last, &s);

		if (!next || !apply(d, &s))
			return false;
		if (!*next && d->len == before)
			return false;
		last = *hint ? hint : last;
		hint = next;
	}
	return true;
}

/* The whole hint, also what of it the value was too short to reach. */
static bool well_formed(const char *hint)
{
	struct spec s;

	if (!*hint)
		return false;
	while (hint && *hint)
		hint = read_spec(hint, &s);
	return hint != NULL;
}

bool text_hint_octets(struct buf *out, const char *hint, const uint8_t *p, size_t len)
{
	struct display d = {.out = out, .p = p, .len = len};
	size_t start = out->len;

	if (!well_formed(hint))
		return false;
	if (!display(&d, hint)) {
		out->len = start;
		return false;
	}
	out->len -= d.loose;
	return true;
}

/* v with a decimal point before its last `places` digits. */
static void put_decimal(struct buf *out, uint64_t v, size_t places)
{
	struct buf digits = {0};

	put_based(&digits, v, 10, places + 1);
	buf_put(out, digits.data, digits.len - places);
	if (places) {
		buf_putc(out, '.');
		buf_put(out, digits.data + digits.len - places, places);
	}
	buf_free(&digits);
}

/* "d" is 0 places, "d-2" is 2; -1: neither. */
static int decimal_places(const char *hint)
{
	int places = 0;

	if (!strcmp(hint, "d"))
		return 0;
	if (strncmp(hint, "d-", 2) != 0 || !is_digit(hint[2]))
		return -1;
	for (hint += 2; is_digit(*hint); hint++) {
		places = places * 10 + (*hint - '0');
		if (places > 60)
			return -1;
	}
	return *hint ? -1 : places;
}

bool text_hint_integer(struct buf *out, const char *hint, int64_t v)
{
	uint64_t size = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
	const char *based = strchr("xob", *hint);
	int places = decimal_places(hint);

	if (places < 0 && (!*hint || !based || hint[1]))
		return false;
	if (v < 0)
		buf_putc(out, '-');
	if (places >= 0)
		put_decimal(out, size, (size_t)places);
	else
		put_based(out, size, *hint == 'x' ? 16 : *hint == 'o' ? 8 : 2, 1);
	return true;
}
