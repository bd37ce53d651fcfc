/*
 * Built in: what every agent says of itself (SNMPv2-MIB, RFC 3418; SNMP-FRAMEWORK-MIB, RFC 3411), and
 * what it is built of (ENTITY-MIB, RFC 6933).
 */
#include "snmp/mib_internal.h"

#define SMI       "SNMPv2-SMI"
#define SNMPV2    "SNMPv2-MIB"
#define FRAMEWORK "SNMP-FRAMEWORK-MIB"
#define ENTITY    "ENTITY-MIB"

/* One row an object. */
/* clang-format off */

static const struct mib_label physical_class[] = {
	{1, "other"}, {2, "unknown"}, {3, "chassis"}, {4, "backplane"}, {5, "container"},
	{6, "powerSupply"}, {7, "fan"}, {8, "sensor"}, {9, "module"}, {10, "port"}, {11, "stack"},
	{12, "cpu"}, {13, "energyObject"}, {14, "battery"}, {15, "storageDrive"}, {0, NULL},
};

static const struct mib_row system_rows[] = {
	NODE(SMI, "mgmt", 2),
	NODE(SMI, "mib-2", 2, 1),
	NODE(SNMPV2, "system", 2, 1, 1),
	OBJECT(SNMPV2, "sysDescr", HINT_TEXT, 2, 1, 1, 1),
	OBJECT(SNMPV2, "sysObjectID", NULL, 2, 1, 1, 2),
	OBJECT(SNMPV2, "sysUpTime", NULL, 2, 1, 1, 3),
	OBJECT(SNMPV2, "sysContact", HINT_TEXT, 2, 1, 1, 4),
	OBJECT(SNMPV2, "sysName", HINT_TEXT, 2, 1, 1, 5),
	OBJECT(SNMPV2, "sysLocation", HINT_TEXT, 2, 1, 1, 6),
	OBJECT(SNMPV2, "sysServices", NULL, 2, 1, 1, 7),
	OBJECT(SNMPV2, "sysORLastChange", NULL, 2, 1, 1, 8),
	NODE(SNMPV2, "sysORTable", 2, 1, 1, 9),
	NODE(SNMPV2, "sysOREntry", 2, 1, 1, 9, 1),
	OBJECT(SNMPV2, "sysORIndex", NULL, 2, 1, 1, 9, 1, 1),
	OBJECT(SNMPV2, "sysORID", NULL, 2, 1, 1, 9, 1, 2),
	OBJECT(SNMPV2, "sysORDescr", HINT_TEXT, 2, 1, 1, 9, 1, 3),
	OBJECT(SNMPV2, "sysORUpTime", NULL, 2, 1, 1, 9, 1, 4),
};
const struct mib_branch mib_system = BRANCH(system_rows);

static const struct mib_row snmp_rows[] = {
	NODE(SMI, "transmission", 2, 1, 10),
	NODE(SNMPV2, "snmp", 2, 1, 11),
	OBJECT(SNMPV2, "snmpInPkts", NULL, 2, 1, 11, 1),
	OBJECT(SNMPV2, "snmpOutPkts", NULL, 2, 1, 11, 2),
	OBJECT(SNMPV2, "snmpInBadVersions", NULL, 2, 1, 11, 3),
	OBJECT(SNMPV2, "snmpInBadCommunityNames", NULL, 2, 1, 11, 4),
	OBJECT(SNMPV2, "snmpInBadCommunityUses", NULL, 2, 1, 11, 5),
	OBJECT(SNMPV2, "snmpInASNParseErrs", NULL, 2, 1, 11, 6),
	OBJECT(SNMPV2, "snmpInTooBigs", NULL, 2, 1, 11, 8),
	OBJECT(SNMPV2, "snmpInNoSuchNames", NULL, 2, 1, 11, 9),
	OBJECT(SNMPV2, "snmpInBadValues", NULL, 2, 1, 11, 10),
	OBJECT(SNMPV2, "snmpInReadOnlys", NULL, 2, 1, 11, 11),
	OBJECT(SNMPV2, "snmpInGenErrs", NULL, 2, 1, 11, 12),
	OBJECT(SNMPV2, "snmpInTotalReqVars", NULL, 2, 1, 11, 13),
	OBJECT(SNMPV2, "snmpInTotalSetVars", NULL, 2, 1, 11, 14),
	OBJECT(SNMPV2, "snmpInGetRequests", NULL, 2, 1, 11, 15),
	OBJECT(SNMPV2, "snmpInGetNexts", NULL, 2, 1, 11, 16),
	OBJECT(SNMPV2, "snmpInSetRequests", NULL, 2, 1, 11, 17),
	OBJECT(SNMPV2, "snmpInGetResponses", NULL, 2, 1, 11, 18),
	OBJECT(SNMPV2, "snmpInTraps", NULL, 2, 1, 11, 19),
	OBJECT(SNMPV2, "snmpOutTooBigs", NULL, 2, 1, 11, 20),
	OBJECT(SNMPV2, "snmpOutNoSuchNames", NULL, 2, 1, 11, 21),
	OBJECT(SNMPV2, "snmpOutBadValues", NULL, 2, 1, 11, 22),
	OBJECT(SNMPV2, "snmpOutGenErrs", NULL, 2, 1, 11, 24),
	OBJECT(SNMPV2, "snmpOutGetRequests", NULL, 2, 1, 11, 25),
	OBJECT(SNMPV2, "snmpOutGetNexts", NULL, 2, 1, 11, 26),
	OBJECT(SNMPV2, "snmpOutSetRequests", NULL, 2, 1, 11, 27),
	OBJECT(SNMPV2, "snmpOutGetResponses", NULL, 2, 1, 11, 28),
	OBJECT(SNMPV2, "snmpOutTraps", NULL, 2, 1, 11, 29),
	ENUM(SNMPV2, "snmpEnableAuthenTraps", mib_enabled, 2, 1, 11, 30),
	OBJECT(SNMPV2, "snmpSilentDrops", NULL, 2, 1, 11, 31),
	OBJECT(SNMPV2, "snmpProxyDrops", NULL, 2, 1, 11, 32),
};
const struct mib_branch mib_snmp = BRANCH(snmp_rows);

static const struct mib_row entity_rows[] = {
	NODE(ENTITY, "entityMIB", 2, 1, 47),
	NODE(ENTITY, "entityMIBObjects", 2, 1, 47, 1),
	NODE(ENTITY, "entityPhysical", 2, 1, 47, 1, 1),
	NODE(ENTITY, "entPhysicalTable", 2, 1, 47, 1, 1, 1),
	NODE(ENTITY, "entPhysicalEntry", 2, 1, 47, 1, 1, 1, 1),
	OBJECT(ENTITY, "entPhysicalIndex", NULL, 2, 1, 47, 1, 1, 1, 1, 1),
	OBJECT(ENTITY, "entPhysicalDescr", HINT_UTF8, 2, 1, 47, 1, 1, 1, 1, 2),
	OBJECT(ENTITY, "entPhysicalVendorType", NULL, 2, 1, 47, 1, 1, 1, 1, 3),
	OBJECT(ENTITY, "entPhysicalContainedIn", NULL, 2, 1, 47, 1, 1, 1, 1, 4),
	ENUM(ENTITY, "entPhysicalClass", physical_class, 2, 1, 47, 1, 1, 1, 1, 5),
	OBJECT(ENTITY, "entPhysicalParentRelPos", NULL, 2, 1, 47, 1, 1, 1, 1, 6),
	OBJECT(ENTITY, "entPhysicalName", HINT_UTF8, 2, 1, 47, 1, 1, 1, 1, 7),
	OBJECT(ENTITY, "entPhysicalHardwareRev", HINT_UTF8, 2, 1, 47, 1, 1, 1, 1, 8),
	OBJECT(ENTITY, "entPhysicalFirmwareRev", HINT_UTF8, 2, 1, 47, 1, 1, 1, 1, 9),
	OBJECT(ENTITY, "entPhysicalSoftwareRev", HINT_UTF8, 2, 1, 47, 1, 1, 1, 1, 10),
	OBJECT(ENTITY, "entPhysicalSerialNum", HINT_UTF8, 2, 1, 47, 1, 1, 1, 1, 11),
	OBJECT(ENTITY, "entPhysicalMfgName", HINT_UTF8, 2, 1, 47, 1, 1, 1, 1, 12),
	OBJECT(ENTITY, "entPhysicalModelName", HINT_UTF8, 2, 1, 47, 1, 1, 1, 1, 13),
	OBJECT(ENTITY, "entPhysicalAlias", HINT_UTF8, 2, 1, 47, 1, 1, 1, 1, 14),
	OBJECT(ENTITY, "entPhysicalAssetID", HINT_UTF8, 2, 1, 47, 1, 1, 1, 1, 15),
	ENUM(ENTITY, "entPhysicalIsFRU", mib_truth_value, 2, 1, 47, 1, 1, 1, 1, 16),
	OBJECT(ENTITY, "entPhysicalMfgDate", HINT_DATE, 2, 1, 47, 1, 1, 1, 1, 17),
	OBJECT(ENTITY, "entPhysicalUris", NULL, 2, 1, 47, 1, 1, 1, 1, 18),
	OBJECT(ENTITY, "entPhysicalUUID", "4x-2x-2x-1x1x-6x", 2, 1, 47, 1, 1, 1, 1, 19),
};
const struct mib_branch mib_entity = BRANCH(entity_rows);

static const struct mib_row framework_rows[] = {
	NODE(SMI, "snmpV2", 6),
	NODE(SMI, "snmpModules", 6, 3),
	NODE(FRAMEWORK, "snmpFrameworkMIB", 6, 3, 10),
	NODE(FRAMEWORK, "snmpFrameworkMIBObjects", 6, 3, 10, 2),
	NODE(FRAMEWORK, "snmpEngine", 6, 3, 10, 2, 1),
	OBJECT(FRAMEWORK, "snmpEngineID", NULL, 6, 3, 10, 2, 1, 1),
	OBJECT(FRAMEWORK, "snmpEngineBoots", NULL, 6, 3, 10, 2, 1, 2),
	OBJECT(FRAMEWORK, "snmpEngineTime", NULL, 6, 3, 10, 2, 1, 3),
	OBJECT(FRAMEWORK, "snmpEngineMaxMessageSize", NULL, 6, 3, 10, 2, 1, 4),
};
const struct mib_branch mib_framework = BRANCH(framework_rows);
