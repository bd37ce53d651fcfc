/*
 * Who asks and who may answer over DTLS and TLS: files named in the settings become what a profile needs.
 *
 * The problem: an agent that is not verified may be anybody, and a mistake in a file is to be told before the first
 * packet. And a thousand agents, each with a fingerprint of its own, must not cost a thousand
 * contexts of OpenSSL.
 *
 * The design: an identity is made once of each set of files and shared; the fingerprint stands in the profile.
 * Without `peer_identity` or `peer_ca` there is no profile: there is no key that says "anybody".
 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "plan/plan_internal.h"

static const char *path_of(struct plan_profiles *all, const struct settings *s,
			   enum setting_key key)
{
	const char *text = s->value[key].text;

	return text ? conf_path(all->conf, s->place[key].file, text) : NULL;
}

static bool same_path(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static void warn_if_everyone_reads(struct conf *c, const char *path)
{
	struct stat st;

	if (stat(path, &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & S_IROTH))
		conf_warning(c, "%s: holds a private key and is readable by everyone: chmod o-r it",
			     path);
}

static const struct tls_identity *identity(struct plan_profiles *all, const struct settings *s)
{
	struct tls_words w = {
		.cert = path_of(all, s, SET_IDENTITY),
		.key = path_of(all, s, SET_IDENTITY_KEY),
		.ca = path_of(all, s, SET_PEER_CA),
	};
	char error[TLS_ERROR_MAX];
	struct plan_tls *made;

	for (size_t i = 0; i < all->ntls; i++) {
		made = &all->tls[i];
		if (same_path(made->words.cert, w.cert) && same_path(made->words.key, w.key) &&
		    same_path(made->words.ca, w.ca))
			return made->made;
	}
	all->tls = plan_grow(all->tls, all->ntls, &all->cap_tls, sizeof(*all->tls));
	made = &all->tls[all->ntls++];
	*made = (struct plan_tls){w, tls_identity_new(&w, error)};
	if (made->made)
		warn_if_everyone_reads(all->conf, w.key ? w.key : w.cert);
	else
		conf_error(all->conf, s->place[SET_IDENTITY], "identity: %s", error);
	return made->made;
}

static void put_peer(struct plan_profiles *all, const struct settings *s, struct profile *p)
{
	const char *text = s->value[SET_PEER_IDENTITY].text;
	char error[TLS_ERROR_MAX];

	if (text) {
		p->peer_pinned = true;
		if (!tls_read_pin(text, p->peer_pin) &&
		    !tls_file_pin(path_of(all, s, SET_PEER_IDENTITY), p->peer_pin, error))
			conf_error(all->conf, s->place[SET_PEER_IDENTITY],
				   "peer_identity: neither 64 hexadecimal digits (SHA-256) nor a "
				   "certificate: %s",
				   error);
	} else {
		p->peer_name = (char *)(uintptr_t)s->value[SET_PEER_NAME].text;
	}
}

/* What is not there, or does not go with it. */
static bool is_whole(struct plan_profiles *all, const struct settings *s, struct conf_place place)
{
	char error[USM_ERROR_MAX];

	if (SETTING_IS_SET(s, SET_VERSION) && s->value[SET_VERSION].number != SNMP_V3)
		conf_error(all->conf, s->place[SET_VERSION],
			   "version: over dtlsudp: and tlstcp: it is 3");
	else if (!s->value[SET_IDENTITY].text)
		conf_error(all->conf, place, "dtlsudp: and tlstcp: need 'identity', a certificate");
	else if (!s->value[SET_PEER_IDENTITY].text && !s->value[SET_PEER_CA].text)
		conf_error(all->conf, place,
			   "dtlsudp: and tlstcp: need 'peer_identity' or 'peer_ca': an agent that "
			   "is not verified may be anybody");
	else if (!usm_knows_tsm(error))
		conf_error(all->conf, place, "%s", error);
	else
		return true;
	return false;
}

void plan_tls(struct plan_profiles *all, const struct settings *s, struct conf_place place,
	      struct profile *p)
{
	p->version = SNMP_V3;
	if (!is_whole(all, s, place))
		return;
	p->tls = identity(all, s);
	put_peer(all, s, p);
}

void plan_tls_free(struct plan_profiles *all)
{
	for (size_t i = 0; i < all->ntls; i++)
		tls_identity_free(all->tls[i].made);
	free(all->tls);
}
