#include "report.h"

#include <string.h>

const char *const report_names[REPORTS] = {
	"",
	"unsupportedSecLevels",
	"notInTimeWindows",
	"unknownUserNames",
	"unknownEngineIDs",
	"wrongDigests",
	"decryptionErrors",
	"unknownSecurityModels",
	"invalidMsgs",
	"unknownPDUHandlers",
	"unavailableContexts",
	"unknownContexts",
	"other",
};

/* Below 1.3.6.1.6.3; 0 ends it. */
static const uint8_t tails[REPORTS][5] = {
	{0},           {15, 1, 1, 1}, {15, 1, 1, 2},  {15, 1, 1, 3}, {15, 1, 1, 4},
	{15, 1, 1, 5}, {15, 1, 1, 6}, {11, 2, 1, 1},  {11, 2, 1, 2}, {11, 2, 1, 3},
	{12, 1, 4},    {12, 1, 5},    {15, 1, 1, 99},
};

void report_oid(enum report report, struct oid *oid)
{
	static const uint32_t snmp_modules[] = {1, 3, 6, 1, 6, 3};

	memcpy(oid->sub, snmp_modules, sizeof snmp_modules);
	oid->len = 6;
	for (size_t i = 0; tails[report][i]; i++)
		oid->sub[oid->len++] = tails[report][i];
	oid->sub[oid->len++] = 0;
}
