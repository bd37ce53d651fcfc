/*
 * master_signals - SIGINT, SIGTERM and SIGHUP as something that the loop can read; private to master.
 */
#ifndef POOL_MASTER_SIGNALS_H
#define POOL_MASTER_SIGNALS_H

struct signals;

/* NULL: no descriptors. What was held back by the signal mask is heard from now on. Also ignores SIGPIPE */
struct signals *signals_open(void);
int signals_fd(const struct signals *s);
int signals_take(struct signals *s);   /* the next one that came; 0: none */
void signals_close(struct signals *s); /* all is as it was before */

#endif
