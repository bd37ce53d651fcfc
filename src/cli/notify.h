/*
 * notify - a service manager is told when we serve, how far we are, that we live: sd_notify(3), from the master alone.
 *
 * Nothing here blocks or fails: a manager that does not listen is not talked to.
 */
#ifndef CLI_NOTIFY_H
#define CLI_NOTIFY_H

#include <stdint.h>

#include "pool/watcher.h"

struct notify;

/* Takes NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID out of the environment: before the first fork. Without a manager
 * all below do nothing. Never NULL. */
struct notify *notify_open(void);
void notify_free(struct notify *n);

/* The watcher by which the run is told: READY=1 in its first turn, STATUS=, WATCHDOG=1, STOPPING=1. Lends n. */
struct watcher notify_watcher(struct notify *n);

/* A reload begins; it is over, well or not: status is what is shown until the next. */
void notify_reloading(struct notify *n);
void notify_reloaded(struct notify *n, const char *status);

#endif
