/*
 * Memory to share on Linux.
 *
 * MADV_DONTFORK holds until the process ends, also when it becomes another user. MADV_REMOVE takes the pages out of the memory itself, for all who have
 * it mapped; MADV_DONTNEED would only unmap them here.
 */
#include <sys/mman.h>

#include "link/slots_internal.h"

uint8_t *shared_map(size_t len)
{
	void *p = mmap(NULL, len, PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return p != MAP_FAILED ? p : NULL;
}

bool shared_hide(uint8_t *p, size_t len)
{
	return madvise(p, len, MADV_DONTFORK) == 0;
}

bool shared_empty(uint8_t *p, size_t len)
{
	return madvise(p, len, MADV_REMOVE) == 0;
}
