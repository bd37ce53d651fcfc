/*
 * Built without a library that speaks to a broker: words about one are understood, and refused with the reason.
 */
#include "link/broker.h"

bool broker_known(void)
{
	return false;
}
