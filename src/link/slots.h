/*
 * slots - memory that an agent shares with its cells and with its process to the broker: the messages of results lie in it, from
 * the cell that makes one until the broker has it.
 *
 * A slot is room for one message. Each place of a cell has a part of its own with SLOTS_EACH of them, numbered from 0. Whose a slot is, only
 * the agent knows: free, lent to the cell in that place, or full, that is a message's that the broker has not confirmed. A cell can write into
 * its part whenever it likes, also into what is full: no more than into its own results.
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

bool slots_are_free(const struct slots *s, unsigned part); /* all of a part */
/* A cell is about to be forked into that place. It has no slots for its whole life where one of its predecessor's is full still. */
void slots_begin(struct slots *s, unsigned part);
bool slot_lend(struct slots *s, unsigned part, uint8_t *slot); /* false: none of it is free */
unsigned slots_lent(const struct slots *s, unsigned part);     /* how many of it are */
bool slot_is_lent(const struct slots *s, unsigned part, uint8_t slot); /* any number */
uint8_t *slot_octets(const struct slots *s, unsigned part, uint8_t slot);
size_t slot_place(unsigned part, uint8_t slot); /* where it begins, for who reads them all */
/* It was lent, and is full: message `id`, not 0, is in it. */
void slot_fill(struct slots *s, unsigned part, uint8_t slot, uint64_t id);
/* That message has left: its slot is free. False: it had none. */
bool slot_settle(struct slots *s, uint64_t id, unsigned *part);
void slots_end(struct slots *s,
	       unsigned part); /* the cell in that place is dead: what it was lent is free */

/* --- its children's, after the fork */

/* The cell: its part; the others go, and no child of this process has any of it. NULL: it has none. */
uint8_t *slots_of_cell(const struct slots *s, unsigned part);
/* The process to the broker: all of them, to be read only. False: that cannot be had; *len is 0 where there are none. */
bool slots_of_courier(const struct slots *s, const uint8_t **all, size_t *len);

#endif
