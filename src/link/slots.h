/*
 * slots - memory that an agent shares with its cells and with its process to the broker: the messages of results lie in it, from
 * the cell that makes one until the broker has it.
 *
 * A slot is room for one message. Each cell has a part of its own with SLOTS_EACH of them, numbered from 0. Whose a slot is, only the
 * agent knows: free, lent to the cell of its part, or full, that is a message's that the broker has not confirmed.
 */
#ifndef LINK_SLOTS_H
#define LINK_SLOTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SLOT_OCTETS 196608u /* whole pages of any usual size, up to 64 KiB */
#define SLOTS_EACH  8u

struct slots;

/* Where there is no memory to share, no slot is ever free. parts: at least 1. */
struct slots *slots_new(unsigned parts);
void slots_free(struct slots *s); /* NULL is nothing */

/* --- the agent's */

bool slot_lend(struct slots *s, unsigned part, uint8_t *slot); /* false: none of it is free */
unsigned slots_lent(const struct slots *s, unsigned part);     /* how many of it are */
bool slot_is_lent(const struct slots *s, unsigned part, uint8_t slot); /* any number */
uint8_t *slot_octets(const struct slots *s, unsigned part, uint8_t slot);
size_t slot_place(unsigned part, uint8_t slot); /* where it begins, for who reads them all */
/* It was lent, and is full: message `id`, not 0, is in it. */
void slot_fill(struct slots *s, unsigned part, uint8_t slot, uint64_t id);
/* That message has left: its slot is free. False: it had none. */
bool slot_settle(struct slots *s, uint64_t id, unsigned *part);
void slots_lost(struct slots *s, unsigned part); /* who was lent some is dead: they are free */

/* --- its children's, after the fork */

/* A cell: its part; the others go, and no child of this process has any of it. NULL: there is no memory. */
uint8_t *slots_of_cell(const struct slots *s, unsigned part);
/* The process to the broker: all of them, to be read only. *len: 0 where there are none. */
const uint8_t *slots_of_courier(const struct slots *s, size_t *len);

#endif
