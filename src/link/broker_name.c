/*
 * The rule for names of sites, agents and masters: what may stand in a queue's name and in a permission's pattern
 * without being quoted there. No '.' or '-' in front, so that none is a hidden file or an option somewhere.
 */
#include "link/broker.h"

#include <string.h>

#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

bool broker_name_ok(const char *name)
{
	size_t len = strnlen(name, BROKER_NAME_MAX + 1);

	return len >= 1 && len <= BROKER_NAME_MAX && name[0] != '.' && name[0] != '-' &&
	       strspn(name, LETTERS "._-") == len;
}
