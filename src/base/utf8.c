/*
 * What is UTF-8, and what of it may be shown.
 *
 * The problem: a device sends octets and calls them text. Whoever reads the records must be able to
 * parse them as UTF-8, and whoever looks at them must not have a screen repainted, a line split or
 * a name turned around by what a stranger wrote into sysLocation.
 *
 * Nearly all octets that devices send are printable ASCII, so that case is what is fast: eight octets
 * at a time in one register, no table. The strict decoder runs only from the first other octet on.
 *
 * The trap: a decoder that accepts overlong forms, or surrogates, lets two spellings of one character
 * through, and strict readers (Python, every JSON library in Rust) then refuse the whole line.
 */
#include "base/utf8.h"

#include <string.h>

#define EACH(octet) (0x0101010101010101u * (octet))

/* The top bit of each octet of x that is zero; octets above the lowest such one may be wrong. */
static uint64_t zeros(uint64_t x)
{
	return (x - EACH(0x01)) & ~x & EACH(0x80);
}

/* Not zero when one of the eight octets is no plain one. */
static uint64_t special(uint64_t x)
{
	uint64_t high = x & EACH(0x80);
	uint64_t control = (x - EACH(0x20)) & ~x & EACH(0x80);

	return high | control | zeros(x ^ EACH('"')) | zeros(x ^ EACH('\\')) |
	       zeros(x ^ EACH(0x7f));
}

static bool is_plain(uint8_t c)
{
	return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

size_t utf8_plain(const uint8_t *p, size_t len)
{
	size_t at = 0;
	uint64_t eight;

	for (; len - at >= sizeof(eight); at += sizeof(eight)) {
		memcpy(&eight, p + at, sizeof(eight));
		if (special(eight))
			break;
	}
	while (at < len && is_plain(p[at]))
		at++;
	return at;
}

/* How many octets a sequence has by its first one, and the bits that this one holds; 0: none. */
static size_t lead(uint8_t c, uint32_t *bits)
{
	if (c < 0x80) {
		*bits = c;
		return 1;
	}
	if (c < 0xc2) /* a continuation, or an overlong two */
		return 0;
	if (c < 0xe0) {
		*bits = c & 0x1fu;
		return 2;
	}
	if (c < 0xf0) {
		*bits = c & 0x0fu;
		return 3;
	}
	*bits = c & 0x07u;
	return c < 0xf5 ? 4 : 0;
}

size_t utf8_decode(const uint8_t *p, size_t len, uint32_t *code)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	uint32_t c = 0;
	size_t n = lead(p[0], &c);

	if (!n || n > len)
		return 0;
	for (size_t i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (p[i] & 0x3fu);
	}
	if (c < least[n] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	*code = c;
	return n;
}

bool utf8_valid(const uint8_t *p, size_t len)
{
	uint32_t code;

	while (len) {
		size_t n = utf8_plain(p, len);

		if (!n)
			n = utf8_decode(p, len, &code);
		if (!n)
			return false;
		p += n;
		len -= n;
	}
	return true;
}

bool utf8_shown(uint32_t code)
{
	if (code < 0x20 || (code >= 0x7f && code < 0xa0))
		return false;
	if (code == 0x061c || code == 0x200e || code == 0x200f)
		return false;
	return !(code >= 0x2028 && code <= 0x202e) && !(code >= 0x2066 && code <= 0x2069);
}

void utf8_make_shown(char *text)
{
	const uint8_t *from = (const uint8_t *)text;
	size_t left = strlen(text);

	while (left) {
		uint32_t code;
		size_t n = utf8_decode(from, left, &code);
		bool shown = n && utf8_shown(code);

		n = n ? n : 1;
		memmove(text, shown ? (const char *)from : "?", shown ? n : 1);
		text += shown ? n : 1;
		from += n;
		left -= n;
	}
	*text = '\0';
}
