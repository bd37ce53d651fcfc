/*
 * Where there is nothing else: the limits that every system has. FreeBSD, NetBSD, and Linux with the portable files.
 *
 * Rejected: Capsicum on FreeBSD. In its capability mode sendto(2) takes no address and connect(2) is refused, so that
 * neither a worker's one socket for all hosts nor a session's could be used; what could be done in it is nothing
 * that we do. A process that sent in the name of the others would bring it, at the price of a copy of each datagram.
 */
#include "pool/sandbox_internal.h"

bool sandbox_platform_probe(struct sandbox *s, const char **lacks)
{
	(void)s;
	*lacks = "";
	return true;
}

/* A worker alone has a limit of descriptors. */
bool sandbox_platform_rehearses(enum sandbox_role role)
{
	(void)role;
	return true;
}

bool sandbox_platform_enter(const struct sandbox *s, enum sandbox_role role)
{
	(void)s;
	return sandbox_limits_enter(role);
}
