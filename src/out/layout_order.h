/*
 * layout_order - whole records by a key, when all are there; private to the layout.
 */
#ifndef OUT_LAYOUT_ORDER_H
#define OUT_LAYOUT_ORDER_H

#include "out/layout.h"

struct order;

struct order *order_new(enum layout_order by);
void order_free(struct order *o);

/* A record begins, which is r's; its octets follow, then its end. */
void order_begin(struct order *o, uint64_t seq, const struct record *r);
void order_put(struct order *o, const void *p, size_t len);
void order_end(struct order *o);
bool order_failed(const struct order *o); /* some octets found no room; sets errno */

/* As layout_finish(). */
enum layout_state order_finish(struct order *o, struct writer *w);

#endif
