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
	for (; n < PROFILE_PIN && digit(text[0]) >= 0 && digit(text[1]) >= 0; n++) {
		pin[n] = (uint8_t)(digit(text[0]) << 4 | digit(text[1]));
		text += 2;
		if (*text == ':' && n + 1 < PROFILE_PIN)
			text++;
	}
	return n == PROFILE_PIN && !*text;
}
