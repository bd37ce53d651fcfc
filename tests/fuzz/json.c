/*
 * A strict reader that keeps nothing.
 */
#include "json.h"

#include <string.h>

#include "base/utf8.h"

#define DEPTH_MAX 8 /* of what a record is made of */

struct text {
	const uint8_t *at, *end;
};

static bool value(struct text *t, int depth);

static bool take(struct text *t, uint8_t c)
{
	if (t->at == t->end || *t->at != c)
		return false;
	t->at++;
	return true;
}

static bool word(struct text *t, const char *w)
{
	size_t len = strlen(w);

	if ((size_t)(t->end - t->at) < len || memcmp(t->at, w, len) != 0)
		return false;
	t->at += len;
	return true;
}

static bool is_hex(uint8_t c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool escape(struct text *t)
{
	if (take(t, 'u')) {
		for (int i = 0; i < 4; i++, t->at++)
			if (t->at == t->end || !is_hex(*t->at))
				return false;
		return true;
	}
	if (t->at == t->end || !memchr("\"\\/bfnrt", *t->at, 8))
		return false;
	t->at++;
	return true;
}

static bool string(struct text *t)
{
	if (!take(t, '"'))
		return false;
	while (!take(t, '"')) {
		uint32_t code;
		size_t n;

		if (take(t, '\\')) {
			if (!escape(t))
				return false;
			continue;
		}
		n = utf8_decode(t->at, (size_t)(t->end - t->at), &code);
		if (!n || code < 0x20)
			return false;
		t->at += n;
	}
	return true;
}

static bool digits(struct text *t)
{
	const uint8_t *start = t->at;

	while (t->at < t->end && *t->at >= '0' && *t->at <= '9')
		t->at++;
	return t->at > start;
}

static bool number(struct text *t)
{
	take(t, '-');
	if (!take(t, '0') && !digits(t))
		return false;
	if (take(t, '.') && !digits(t))
		return false;
	if (!take(t, 'e') && !take(t, 'E'))
		return true;
	if (!take(t, '+'))
		take(t, '-');
	return digits(t);
}

/* What stands between brackets: values, or names and values. */
static bool members(struct text *t, uint8_t close, int depth)
{
	if (take(t, close))
		return true;
	do {
		if (close == '}' && (!string(t) || !take(t, ':')))
			return false;
		if (!value(t, depth + 1))
			return false;
	} while (take(t, ','));
	return take(t, close);
}

static bool value(struct text *t, int depth)
{
	if (depth > DEPTH_MAX || t->at == t->end)
		return false;
	switch (*t->at) {
	case '{':
		return take(t, '{') && members(t, '}', depth);
	case '[':
		return take(t, '[') && members(t, ']', depth);
	case '"':
		return string(t);
	case 't':
		return word(t, "true");
	case 'f':
		return word(t, "false");
	case 'n':
		return word(t, "null");
	default:
		return number(t);
	}
}

bool json_is_line(const uint8_t *p, size_t len)
{
	struct text t = {p, p + len};

	return len > 0 && *p == '{' && value(&t, 0) && take(&t, '\n') && t.at == t.end;
}
