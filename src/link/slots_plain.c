/*
 * A system of which we do not know how to keep memory from the children of a child: there is none to share. The BSDs and macOS have
 * minherit(2), which nobody has tried here.
 */
#include "link/slots_internal.h"

uint8_t *shared_map(size_t len)
{
	(void)len;
	return NULL;
}

bool shared_hide(uint8_t *p, size_t len)
{
	(void)p;
	(void)len;
	return false;
}

bool shared_empty(uint8_t *p, size_t len)
{
	(void)p;
	(void)len;
	return false;
}
