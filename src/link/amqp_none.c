/*
 * Built without librabbitmq: --broker and --agent are an error before anything is read or polled.
 */
#include "link/link.h"

#include <stdio.h>

static void *start(const struct courier_config *config, char why[LINK_WHY_MAX])
{
	(void)config;
	snprintf(why, LINK_WHY_MAX,
		 "this multisnmp was built without RabbitMQ (configure: --with-rabbitmq)");
	return NULL;
}

/* Nothing else is called where start() gave nothing. */
const struct link_calls link_amqp = {.start = start};
