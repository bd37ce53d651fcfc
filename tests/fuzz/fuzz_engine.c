/*
 * Datagrams into the engine: v1, v2c, v3; GETs, walks and tables; before, during and after discovery, resynchronising,
 * narrowing down a tooBig; lost, late, from elsewhere, refused by the network. script.c has the form of an input.
 */
#include "fuzz.h"
#include "script.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_library();
	script_play(data, size, false);
	return 0;
}
