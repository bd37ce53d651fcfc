/*
 * How a fingerprint is written: by people, by openssl x509 -fingerprint, by Net-SNMP's tools. It is read the same
 * way whether the build has OpenSSL or not, so that the errors of a file do not depend on it.
 */
#include "snmp/tls.h"

#include <ctype.h>
#include <string.h>

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)tolower((unsigned char)c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool tls_read_pin(const char *text, uint8_t pin[PROFILE_PIN])
{
	size_t n = 0;

	if (strncmp(text, "SHA256:", 7) == 0)
		text += 7;
	for (; n < PROFILE_PIN; n++) {
		int high = digit(text[0]), low = high < 0 ? -1 : digit(text[1]);

		if (low < 0)
			break;
		pin[n] = (uint8_t)(high * 16 + low);
		text += 2;
		if (*text == ':' && n + 1 < PROFILE_PIN)
			text++;
	}
	return n == PROFILE_PIN && !*text;
}
