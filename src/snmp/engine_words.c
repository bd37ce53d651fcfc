/*
 * What is said of a target that was not `ok`: for the person who reads the record in the morning.
 *
 * A message names what happened, the object where it happened, and what the person can do; in a record that has
 * rows the status comes first, since `partial` does not tell it. Words are gathered in one buffer of the
 * engine's: only one job ends at a time.
 */
#include "snmp/engine_internal.h"
#include "snmp/tls.h"

#include <errno.h>
#include <string.h>

struct buf *job_say(struct engine *e)
{
	e->text.len = 0;
	return &e->text;
}

void say_walk(struct buf *text, const struct strand *s)
{
	char root[OID_TEXT_MAX];

	oid_text(s->root->id, s->root->len, root);
	buf_printf(text, " (walk of %s)", root);
}

void say_where(struct buf *text, const struct asked *asked)
{
	char name[OID_TEXT_MAX];

	if (asked->walk) {
		const struct walk_question *q = &asked->walk->q;

		oid_text(q->name[0]->id, q->name[0]->len, name);
		buf_printf(text, ", asked for %s%s", q->kind == WALK_NEXT ? "what follows " : "",
			   name);
		say_walk(text, asked->strand);
	} else if (asked->strand && asked->strand->span.count) {
		const struct span *span = &asked->strand->span;
		const struct oid *first = &span->profile->get[span->first];

		oid_text(first->id, first->len, name);
		buf_printf(text, ", asked for %s%s", name, span->count > 1 ? " and others" : "");
	}
}

static const char *version_name(int64_t version)
{
	switch (version) {
	case SNMP_V1:
		return "SNMPv1";
	case SNMP_V2C:
		return "SNMPv2c";
	case SNMP_V3:
		return "SNMPv3";
	default:
		return "another version";
	}
}

/* Nothing at all came. */
static void say_silence(struct buf *text, const struct job *job)
{
	const char *right = job->profile->version == SNMP_V3 ? "does it speak SNMPv3"
							     : "is the community right";

	if (job->spoke)
		return; /* all that was right */
	if (job->profile->version == SNMP_V3 && v3_say_silence(text, job))
		return;
	if (job->task.transport == TRANSPORT_UDP)
		buf_printf(text, " (is UDP %u open, %s?)", job->addrs[job->address].port, right);
	else
		buf_printf(text, " (%s?)", right);
}

void say_notice(struct buf *text, const struct job *job)
{
	char from[ADDR_TEXT_MAX];

	switch (job->notice) {
	case NOTICE_NONE:
		say_silence(text, job);
		break;
	case NOTICE_ADDRESS:
		addr_text_port(&job->notice_from, from);
		buf_printf(text, "; %s answered instead; any_source: true accepts it", from);
		break;
	case NOTICE_COMMUNITY:
		buf_puts(text, "; an answer came with another community");
		break;
	case NOTICE_VERSION:
		buf_printf(text, "; an answer came in %s", version_name(job->notice_number));
		break;
	case NOTICE_TYPE:
		buf_printf(text, "; a PDU of type 0x%02x came instead of a RESPONSE",
			   (unsigned)job->notice_number);
		break;
	case NOTICE_REFUSED:
		buf_printf(text, "; an answer came that is not to be believed: %s",
			   job->notice_words);
		if (job->profile->version == SNMP_V3 && !job->spoke)
			buf_puts(text, " (are passphrase and protocol of authentication right?)");
		break;
	case NOTICE_UNREADABLE:
		buf_printf(text, ", but %s: %s",
			   job->task.transport == TRANSPORT_UDP ? "an unreadable datagram"
								: "octets that are no message",
			   job->notice_words);
		break;
	}
}

static const char *datagram_refusal(int error)
{
	switch (error) {
	case ENETUNREACH:
		return "no way to its network, from here or from a router on the way";
	case EHOSTUNREACH:
		return "no way to the host: it is down, or a router or filter before it says so "
		       "(ICMP host unreachable)";
	case ENOPROTOOPT:
		return "the host takes no UDP (ICMP protocol unreachable)";
	case EPERM:
		return "a packet filter of this system forbids sending there";
	case EACCES:
		return "a filter forbids it (ICMP administratively prohibited), or it is a "
		       "broadcast address";
	case EAFNOSUPPORT:
		return "this system has no sockets of the address's family";
	default:
		return strerror(error);
	}
}

/* The errors of a carrier over streams (session.h). */
static const char *stream_refusal(int error, bool path)
{
	switch (error) {
	case ECONNREFUSED:
		return path ? "nobody listens on the socket"
			    : "nothing listens on the port (connection refused)";
	case ENOENT:
		return "there is no such socket";
	case EACCES:
		return "connecting there is not allowed";
	case EPIPE:
		return "the agent closed the connection without an answer";
	case EBADMSG:
		return "the agent closed the connection within an answer";
	case ECONNRESET:
		return "the agent reset the connection";
	case ETIMEDOUT:
		return path ? "nobody accepted the connection in time"
			    : "no connection was made in time (is the TCP port open?)";
	default:
		return strerror(error);
	}
}

/* What a connection with certificates adds to that; NULL: nothing. */
static const char *tls_refusal(int error, bool datagrams)
{
	switch (error) {
	case TLS_WRONG_PEER:
		return "the agent's certificate is not the one of peer_identity, nor good by "
		       "peer_ca and peer_name";
	case TLS_REFUSED_US:
		return "the agent refuses the certificate of identity";
	case TLS_FAILED:
		return datagrams ? "no DTLS handshake (the agent must speak DTLS 1.2)"
				 : "no TLS handshake (the agent must speak TLS 1.2 or later)";
	case ETIMEDOUT:
		return datagrams ? "the DTLS handshake was not answered in time (is the UDP port "
				   "open, and our certificate known there?)"
				 : "no TLS connection was made in time (is the TCP port open?)";
	default:
		return NULL;
	}
}

void say_refusal(struct buf *text, const struct job *job, int error)
{
	uint8_t transport = job->task.transport;
	const char *words = job->profile->tls ? tls_refusal(error, transport == TRANSPORT_DTLSUDP)
					      : NULL;

	if (words) {
		buf_puts(text, words);
		return;
	}
	if (transport == TRANSPORT_UDP && error == ECONNREFUSED)
		buf_printf(text,
			   "nothing listens on UDP port %u there (ICMP port unreachable): is the "
			   "agent running?",
			   job->addrs[job->address].port);
	else
		buf_puts(text, transport == TRANSPORT_UDP
				       ? datagram_refusal(error)
				       : stream_refusal(error, transport == TRANSPORT_UNIX));
}

static void say_earlier_verdicts(struct buf *text, const struct job *job)
{
	char address[ADDR_TEXT_MAX];

	for (unsigned i = 0; i < job->address; i++) {
		addr_text_port(&job->addrs[i], address);
		buf_printf(text, "%s%s %s", i ? ", " : " (before: ", address,
			   record_status_name((enum record_status)job->verdicts[i]));
	}
	if (job->address)
		buf_puts(text, ")");
}

const char *job_message(struct engine *e, const struct job *job, enum record_status status)
{
	struct buf *m = &e->message;

	m->len = 0;
	if (job_has_rows(job))
		buf_printf(m, "%s: ", record_status_name(status));
	buf_put(m, e->text.data, e->text.len);
	say_earlier_verdicts(m, job);
	if (job->fault)
		buf_printf(m, "; before that, %s: %s",
			   record_status_name((enum record_status)job->fault_status), job->fault);
	buf_putc(m, '\0');
	return (const char *)m->data;
}
