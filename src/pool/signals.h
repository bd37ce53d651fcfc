/*
 * signals - SIGINT, SIGTERM and SIGHUP as something that a loop can read: the master's, or the agent's.
 */
#ifndef POOL_SIGNALS_H
#define POOL_SIGNALS_H

#include <stdbool.h>

struct signals;

/* NULL: no descriptors. What was held back by the signal mask is heard from now on. Also ignores SIGPIPE */
struct signals *signals_open(void);
int signals_fd(const struct signals *s);
int signals_take(struct signals *s); /* the next one that came; 0: none */
bool signals_asks(int signal);       /* ends nothing: a person wants to know how far it is */
/* All is as it was before. hand_on: somebody opens them again; what was not taken is raised for them. */
void signals_close(struct signals *s, bool hand_on);

#endif
