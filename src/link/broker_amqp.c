/*
 * Built with a library that speaks to a broker.
 */
#include "link/broker.h"

bool broker_known(void)
{
	return true;
}
