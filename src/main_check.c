/*
 * --check: what would be done, on standard output; nothing is resolved or sent.
 *
 * With a broker nothing is connected either: what is shown of it is what the words and files say. Whether it is there, and
 * lets us in, shows when the run begins.
 */
#include "main_check.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "link/batch.h"
#include "plan/fed.h"
#include "snmp/usm.h"

int main_show(struct buf *text)
{
	bool shown = text->len == 0 || fwrite(text->data, 1, text->len, stdout) == text->len;

	shown = fflush(stdout) == 0 && shown;
	buf_free(text);
	if (shown)
		return EXIT_ALL_OK;
	log_error("cannot write standard output: %s", strerror(errno));
	return EXIT_NOT_WRITTEN;
}

static void put_broker(const struct options *o, struct buf *out)
{
	char text[1024];

	broker_text(o->broker, text, sizeof(text));
	buf_printf(out, "broker: %s\n", text);
}

/* "published: 5 messages of at most 512 targets, 1234 octets of profiles" */
static void put_published(const struct plan *plan, struct buf *out)
{
	struct buf profiles = {0};
	uint64_t messages = 0;
	unsigned most = 1;

	for (size_t i = 0; i < plan_sites(plan); i++) {
		unsigned share = batch_share(plan_site_count(plan, i));

		messages += (plan_site_count(plan, i) + share - 1) / share;
		most = share > most ? share : most;
	}
	plan_pack_profiles(plan, &profiles);
	buf_printf(out, "published: %" PRIu64 " %s of at most %u targets, %zu octets of profiles\n",
		   messages, messages == 1 ? "message" : "messages", most, profiles.len);
	buf_free(&profiles);
}

int main_check(const struct options *o, const struct plan *plan)
{
	struct buf text = {0};

	plan_describe(plan, &text);
	if (o->broker) {
		put_broker(o, &text);
		put_published(plan, &text);
	}
	return main_show(&text);
}

int main_check_agent(const struct options *o)
{
	struct plan_keys *keys = plan_keys_new(o->conf);
	struct buf text = {0};
	const char *name;

	main_tell_conf(o);
	if (keys == NULL)
		return EXIT_WRONG;
	plan_keys_free(keys);
	buf_printf(&text, "agent %s of site %s\n", o->name, o->site);
	put_broker(o, &text);
	for (size_t i = 0; (name = conf_credential_at(o->conf, i)) != NULL; i++)
		buf_printf(&text, "credential: %s\n", name);
	return main_show(&text);
}
