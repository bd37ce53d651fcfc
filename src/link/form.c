/*
 * The version of the messages between masters and agents.
 *
 * The problem: programs of two releases may be at one broker, and at one site, while machines are upgraded one after the other. An agent
 * that takes a batch whose form it does not know can but give it up, though the one beside it could have polled it.
 *
 * The design: each version has queues of its own for tasks. The first one has the site's plain name; a later one has its number
 * behind it, with a ':', which stands in no name of a site, so that no two queues can be the same. All else is shared: a control message says of
 * which version it is in its second octet, and a master's queue gets only what agents found in its tasks.
 *
 * Rejected: to put back what is of another version, for somebody who knows it. Each time is a delivery, of which there are 20; and it
 * comes back to who has most room, which is the one who keeps nothing.
 *
 * The trap: a later version's queues need the permission of a site's user, and a shovel of their own; the recipe of the
 * manual has room for them.
 */
#include "link/form.h"

#include <stdio.h>

#ifndef FORM_VERSION /* a test builds a program of the next one */
#define FORM_VERSION 1
#endif

const uint8_t form_version = FORM_VERSION;

const char *form_key(char key[FORM_KEY_MAX], const char *site)
{
	if (form_version == 1)
		snprintf(key, FORM_KEY_MAX, "%s", site);
	else
		snprintf(key, FORM_KEY_MAX, "%s:%u", site, form_version);
	return key;
}
