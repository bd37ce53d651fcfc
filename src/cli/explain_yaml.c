/*
 * The entry of a YAML file with which the host would be answered, and the same as words of the command line.
 *
 * The problem: what mends must be ready to paste, and must not show a secret. So the entry has the keys that it had, or
 * those of the command line for a target that stood there, and those that changed; what groups, defaults and
 * credentials say stays with them. In place of a secret that stood in the entry itself stands NAME_env, the name of a
 * variable: what is pasted works as soon as that is set, and who has the secret in a file leaves the key as it was.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "cli/explain_internal.h"

/* As a scalar of YAML's flow style; never anything that a terminal acts on. */
static void put_scalar(struct buf *out, const char *text)
{
	bool plain = *text != '\0' && *text != '-';
	char *shown;

	for (const char *at = text; *at; at++)
		plain = plain && (isalnum((unsigned char)*at) || strchr("._-/+", *at));
	if (plain) {
		buf_puts(out, text);
		return;
	}
	shown = mem_strdup(text);
	utf8_make_shown(shown);
	buf_putc(out, '"');
	for (const char *at = shown; *at; at++) {
		if (*at == '"' || *at == '\\')
			buf_putc(out, '\\');
		buf_putc(out, *at);
	}
	buf_putc(out, '"');
	free(shown);
}

static void put_list(struct buf *out, const struct conf_list *list, size_t from, size_t count)
{
	buf_putc(out, '[');
	for (size_t i = from; i < list->count && i < from + count; i++) {
		buf_puts(out, i > from ? ", " : "");
		put_scalar(out, list->item[i].text);
	}
	buf_putc(out, ']');
}

/* "SNMP_AUTH_PASS" */
static void put_variable(struct buf *out, enum setting_key key)
{
	buf_puts(out, "SNMP_");
	for (const char *at = setting_text(key); *at; at++)
		buf_putc(out, (char)toupper((unsigned char)*at));
}

static bool is_hidden(enum setting_key key, const struct settings *s)
{
	return setting_is_secret(key) &&
	       !(key == SET_COMMUNITY && strcmp(s->value[key].text, "public") == 0);
}

static void put_value(struct buf *out, enum setting_key key, const struct settings *s)
{
	struct buf value = {0};

	setting_put(&value, key, s->value[key]);
	buf_putc(&value, '\0');
	put_scalar(out, (const char *)value.data);
	buf_free(&value);
}

static void put_key(const struct explain *x, struct buf *out, enum setting_key key, size_t from)
{
	const struct settings *s = x->mended & SETTING_BIT(key) ? &x->now : &x->sole.own;

	buf_printf(out, ", %s", setting_text(key));
	if (is_hidden(key, s)) {
		buf_puts(out, "_env: ");
		put_variable(out, key);
		return;
	}
	buf_puts(out, ": ");
	if (setting_is_list(key))
		put_list(out, s->value[key].list, from,
			 x->split_by && key == SET_GET ? x->split_by : SIZE_MAX);
	else
		put_value(out, key, s);
}

/* The target, where it is asked elsewhere than it stood. */
static void put_moved(const struct explain *x, struct buf *out)
{
	static const char *const prefixes[TRANSPORT_COUNT] = {[TRANSPORT_TCP] = "tcp:"};
	const struct plan_target *t = &x->target;
	const struct plan_target *first = &x->sole.target;
	const char *prefix = prefixes[t->transport];
	struct buf host = {0};
	char address[ADDR_TEXT_MAX];
	uint16_t port = t->addr.family ? t->addr.port : t->port;

	buf_puts(&host, prefix ? prefix : "");
	if (first->name) {
		buf_printf(&host, "%s:%u", first->name, port);
	} else {
		addr_text_port(&t->addr, address);
		buf_puts(&host, address);
	}
	buf_putc(&host, '\0');
	put_scalar(out, (const char *)host.data);
	buf_free(&host);
}

static bool is_shown(const struct explain *x, enum setting_key key)
{
	if (x->mended & SETTING_BIT(key))
		return true;
	if (key == SET_PORT && x->moved)
		return false;
	return SETTING_IS_SET(&x->sole.own, key) || (key == SET_GET && x->split_by);
}

static void put_entry(const struct explain *x, struct buf *out, size_t from)
{
	buf_puts(out, "- {host: ");
	if (x->moved)
		put_moved(x, out);
	else
		put_scalar(out, x->sole.text);
	for (unsigned key = 0; key < SETTING_COUNT; key++)
		if (is_shown(x, (enum setting_key)key))
			put_key(x, out, (enum setting_key)key, from);
	buf_puts(out, "}\n");
}

void explain_yaml(const struct explain *x, struct buf *out)
{
	const struct conf_list *get = x->now.value[SET_GET].list;
	size_t from = 0;

	do {
		put_entry(x, out, from);
		from += x->split_by;
	} while (x->split_by && from < get->count);
}

/* Of a shell: what is not plain is quoted. */
static void put_word(struct buf *out, const char *text)
{
	bool plain = *text != '\0';

	for (const char *at = text; *at; at++)
		plain = plain && (isalnum((unsigned char)*at) || strchr("._-/+:@%=,", *at));
	buf_printf(out, plain ? "%s" : "'%s'", text);
}

void explain_options(const struct explain *x, struct buf *out)
{
	for (unsigned i = 0; i < SETTING_COUNT; i++) {
		enum setting_key key = (enum setting_key)i;
		struct buf word = {0};

		if (!(x->mended & SETTING_BIT(key)) || setting_is_list(key) ||
		    is_hidden(key, &x->now))
			continue;
		buf_printf(&word, "%s=", setting_text(key));
		setting_put(&word, key, x->now.value[key]);
		buf_putc(&word, '\0');
		buf_puts(out, " --set ");
		put_word(out, (const char *)word.data);
		buf_free(&word);
	}
	if (x->moved) {
		buf_putc(out, ' ');
		put_moved(x, out);
	}
}
