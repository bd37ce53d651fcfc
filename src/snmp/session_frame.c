/*
 * Where a message ends in a stream (RFC 3430 §2.1): at the length that its BER encoding begins with.
 *
 * A message is a SEQUENCE of definite length. What begins otherwise, or claims more than we hold, leaves no
 * way to find the next message; the stream is of no use from there on.
 */
#include "snmp/session_internal.h"

#define SEQUENCE   0x30
#define LONG_FORM  0x80
#define LENGTH_MAX 4 /* octets of a length; more would be leading zeros only */

ptrdiff_t session_frame(const uint8_t *data, size_t len)
{
	size_t octets, length = 0;

	if (len >= 1 && data[0] != SEQUENCE)
		return -1;
	if (len < 2)
		return 0;
	if (data[1] < LONG_FORM)
		return 2 + data[1];
	octets = data[1] & ~(unsigned)LONG_FORM;
	if (octets < 1 || octets > LENGTH_MAX)
		return -1;
	if (len < 2 + octets)
		return 0;
	for (size_t i = 0; i < octets; i++)
		length = length << 8 | data[2 + i];
	if (length > SESSION_MESSAGE_MAX - 2 - octets)
		return -1;
	return (ptrdiff_t)(2 + octets + length);
}
