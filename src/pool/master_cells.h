/*
 * master_cells - in which workers say what they are at work on, shared with the master; private to it.
 */
#ifndef POOL_MASTER_CELLS_H
#define POOL_MASTER_CELLS_H

#include <stdatomic.h>
#include <stdint.h>

struct cell {
	_Atomic uint64_t at_work; /* number of the target and 1; 0: none */
};

struct cell *cells_new(unsigned workers); /* NULL: no memory */
void cells_free(struct cell *cells, unsigned workers);
struct cell *cell_of(struct cell *cells, unsigned worker);
/* In a child: all cells but this worker's are gone from its memory; worker == workers: all are. */
void cells_leave(struct cell *cells, unsigned workers, unsigned worker);

#endif
