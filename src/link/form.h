/*
 * form - the version of what masters and agents say to each other, and where those of one version meet.
 */
#ifndef LINK_FORM_H
#define LINK_FORM_H

#include <stdint.h>

#include "link/broker.h"

#define FORM_KEY_MAX (BROKER_NAME_MAX + 5)

extern const uint8_t form_version; /* from 1: the second octet of each body (link/batch.h) */

/* The routing key of a site's tasks, and the end of its queue's name: what one version puts, no other one takes. */
const char *form_key(char key[FORM_KEY_MAX], const char *site);

#endif
