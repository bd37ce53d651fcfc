/*
 * Cells in which workers say what they are at work on.
 *
 * The problem: a worker's death is charged to the target that its cell names. Who can write into another
 * worker's cell can have that one's targets charged with its death.
 *
 * The design: a page of memory for each cell, and a child takes all pages but its own out of its memory. They
 * have no name and no descriptor, so there is no way back to them.
 */
#include "pool/master_cells.h"

#include <stddef.h>
#include <sys/mman.h>
#include <unistd.h>

static size_t size_of(unsigned workers)
{
	return (size_t)sysconf(_SC_PAGESIZE) * workers;
}

struct cell *cells_new(unsigned workers)
{
	void *p = mmap(NULL, size_of(workers), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		       -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

void cells_free(struct cell *cells, unsigned workers)
{
	if (cells != NULL)
		munmap(cells, size_of(workers));
}

struct cell *cell_of(struct cell *cells, unsigned worker)
{
	return cells + size_of(worker) / sizeof(*cells);
}

void cells_leave(struct cell *cells, unsigned workers, unsigned worker)
{
	unsigned after = worker < workers ? worker + 1 : workers;

	if (worker > 0)
		munmap(cells, size_of(worker));
	if (after < workers)
		munmap(cell_of(cells, after), size_of(workers - after));
}
