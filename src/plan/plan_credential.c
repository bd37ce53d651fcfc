/*
 * Who asks, SNMPv3: each user with its level, protocols and passphrases once.
 *
 * The problem: a key takes some milliseconds to be derived from a passphrase (RFC 3414 §A.2: a megabyte
 * of it is hashed), and a thousand hosts with one user must not cost seconds. So what usm makes of
 * the settings is kept and shared by all profiles that say the same, wherever they say it.
 *
 * What is compared are the words, which lie in conf's memory for secrets: conf_forget_secrets() comes after
 * the last plan_credential().
 */
#include <stdlib.h>
#include <string.h>

#include "plan/plan_internal.h"

#define WORDS 6

/* What hash and comparison look at, both. */
static void words_of(const struct usm_words *w, const char *out[WORDS])
{
	const char *words[WORDS] = {w->user, w->auth,      w->auth_pass,
				    w->priv, w->priv_pass, w->level};

	memcpy(out, words, sizeof(words));
}

static bool same_word(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static bool same_credential(const void *array, uint32_t number, const void *wanted)
{
	const struct plan_credential *a = (const struct plan_credential *)array + number;
	const char *in_a[WORDS], *in_b[WORDS];
	bool same = true;

	words_of(&a->words, in_a);
	words_of(wanted, in_b);
	for (size_t i = 0; i < WORDS; i++)
		same = same && same_word(in_a[i], in_b[i]);
	return same;
}

static uint64_t hash_words(const struct usm_words *w)
{
	const char *words[WORDS];
	uint64_t hash = 0;

	words_of(w, words);
	for (size_t i = 0; i < WORDS; i++)
		hash = plan_hash(hash, words[i] ? words[i] : "", words[i] ? strlen(words[i]) : 0);
	return hash;
}

void plan_check_protocol(struct conf *conf, enum setting_key key, const char *word,
			 struct conf_place place)
{
	char error[USM_ERROR_MAX];

	if (word && !usm_knows(key == SET_AUTH ? word : NULL, key == SET_PRIV ? word : NULL, error))
		conf_error(conf, place, "%s", error);
}

static struct usm_credential *make(struct plan_profiles *all, const struct usm_words *w,
				   const struct settings *s)
{
	char error[USM_ERROR_MAX];
	struct usm_credential *made;

	plan_check_protocol(all->conf, SET_AUTH, w->auth, s->place[SET_AUTH]);
	plan_check_protocol(all->conf, SET_PRIV, w->priv, s->place[SET_PRIV]);
	if (conf_error_count(all->conf))
		return NULL; /* nothing will be polled, and what w lacks may be among the errors */
	made = usm_credential_new(w, error);
	if (!made)
		conf_error(all->conf, s->place[w->user ? SET_USER : SET_VERSION], "%s", error);
	return made;
}

static uint32_t find(const struct plan_profiles *all, const struct usm_words *w, uint64_t hash)
{
	return plan_index_get(&all->credentials_by_content, hash, same_credential, all->credentials,
			      w);
}

const struct usm_credential *plan_credential(struct plan_profiles *all, const struct settings *s)
{
	struct usm_words w = {
		.user = s->value[SET_USER].text,
		.auth = s->value[SET_AUTH].text,
		.auth_pass = s->value[SET_AUTH_PASS].text,
		.priv = s->value[SET_PRIV].text,
		.priv_pass = s->value[SET_PRIV_PASS].text,
		.level = s->value[SET_LEVEL].text,
	};
	uint64_t hash = hash_words(&w);
	uint32_t number = find(all, &w, hash);

	if (number != PLAN_INDEX_NONE)
		return all->credentials[number].made;
	number = all->keys ? find(all->keys, &w, hash) : PLAN_INDEX_NONE;
	if (number != PLAN_INDEX_NONE)
		return all->keys->credentials[number].made;
	all->credentials = plan_grow(all->credentials, all->ncredentials, &all->cap_credentials,
				     sizeof(*all->credentials));
	all->credentials[all->ncredentials] = (struct plan_credential){w, make(all, &w, s)};
	plan_index_put(&all->credentials_by_content, hash, (uint32_t)all->ncredentials);
	return all->credentials[all->ncredentials++].made;
}

void plan_credentials_free(struct plan_profiles *all)
{
	for (size_t i = 0; i < all->ncredentials; i++)
		usm_credential_free(all->credentials[i].made);
	free(all->credentials);
	plan_index_free(&all->credentials_by_content);
}
