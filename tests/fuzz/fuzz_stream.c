/*
 * The same engine over a stream: messages cut anywhere, several in one read, garbage between them, connections that
 * fail or end.
 */
#include "fuzz.h"
#include "script.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_library();
	script_play(data, size, true);
	return 0;
}
