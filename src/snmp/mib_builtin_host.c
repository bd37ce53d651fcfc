/*
 * Built in: HOST-RESOURCES-MIB (RFC 2790).
 */
#include "snmp/mib_internal.h"

#define HOST "HOST-RESOURCES-MIB"

/* One row an object. */
/* clang-format off */

static const struct mib_label hr_device_status[] = {
	{1, "unknown"}, {2, "running"}, {3, "warning"}, {4, "testing"}, {5, "down"}, {0, NULL},
};

static const struct mib_label hr_printer_status[] = {
	{1, "other"}, {2, "unknown"}, {3, "idle"}, {4, "printing"}, {5, "warmup"}, {0, NULL},
};

static const struct mib_label hr_disk_storage_access[] = {
	{1, "readWrite"}, {2, "readOnly"}, {0, NULL},
};

static const struct mib_label hr_disk_storage_media[] = {
	{1, "other"}, {2, "unknown"}, {3, "hardDisk"}, {4, "floppyDisk"}, {5, "opticalDiskROM"},
	{6, "opticalDiskWORM"}, {7, "opticalDiskRW"}, {8, "ramDisk"}, {0, NULL},
};

static const struct mib_label hr_swrun_type[] = {
	{1, "unknown"}, {2, "operatingSystem"}, {3, "deviceDriver"}, {4, "application"}, {0, NULL},
};

static const struct mib_label hr_swrun_status[] = {
	{1, "running"}, {2, "runnable"}, {3, "notRunnable"}, {4, "invalid"}, {0, NULL},
};

static const struct mib_row host_rows[] = {
	NODE(HOST, "host", 2, 1, 25),
	NODE(HOST, "hrSystem", 2, 1, 25, 1),
	OBJECT(HOST, "hrSystemUptime", NULL, 2, 1, 25, 1, 1),
	OBJECT(HOST, "hrSystemDate", HINT_DATE, 2, 1, 25, 1, 2),
	OBJECT(HOST, "hrSystemInitialLoadDevice", NULL, 2, 1, 25, 1, 3),
	OBJECT(HOST, "hrSystemInitialLoadParameters", NULL, 2, 1, 25, 1, 4),
	OBJECT(HOST, "hrSystemNumUsers", NULL, 2, 1, 25, 1, 5),
	OBJECT(HOST, "hrSystemProcesses", NULL, 2, 1, 25, 1, 6),
	OBJECT(HOST, "hrSystemMaxProcesses", NULL, 2, 1, 25, 1, 7),
	NODE(HOST, "hrStorage", 2, 1, 25, 2),
	NODE(HOST, "hrStorageTypes", 2, 1, 25, 2, 1),
	OBJECT(HOST, "hrMemorySize", NULL, 2, 1, 25, 2, 2),
	NODE(HOST, "hrStorageTable", 2, 1, 25, 2, 3),
	NODE(HOST, "hrStorageEntry", 2, 1, 25, 2, 3, 1),
	OBJECT(HOST, "hrStorageIndex", NULL, 2, 1, 25, 2, 3, 1, 1),
	OBJECT(HOST, "hrStorageType", NULL, 2, 1, 25, 2, 3, 1, 2),
	OBJECT(HOST, "hrStorageDescr", HINT_TEXT, 2, 1, 25, 2, 3, 1, 3),
	OBJECT(HOST, "hrStorageAllocationUnits", NULL, 2, 1, 25, 2, 3, 1, 4),
	OBJECT(HOST, "hrStorageSize", NULL, 2, 1, 25, 2, 3, 1, 5),
	OBJECT(HOST, "hrStorageUsed", NULL, 2, 1, 25, 2, 3, 1, 6),
	OBJECT(HOST, "hrStorageAllocationFailures", NULL, 2, 1, 25, 2, 3, 1, 7),
	NODE(HOST, "hrDevice", 2, 1, 25, 3),
	NODE(HOST, "hrDeviceTypes", 2, 1, 25, 3, 1),
	NODE(HOST, "hrDeviceTable", 2, 1, 25, 3, 2),
	NODE(HOST, "hrDeviceEntry", 2, 1, 25, 3, 2, 1),
	OBJECT(HOST, "hrDeviceIndex", NULL, 2, 1, 25, 3, 2, 1, 1),
	OBJECT(HOST, "hrDeviceType", NULL, 2, 1, 25, 3, 2, 1, 2),
	OBJECT(HOST, "hrDeviceDescr", HINT_TEXT, 2, 1, 25, 3, 2, 1, 3),
	OBJECT(HOST, "hrDeviceID", NULL, 2, 1, 25, 3, 2, 1, 4),
	ENUM(HOST, "hrDeviceStatus", hr_device_status, 2, 1, 25, 3, 2, 1, 5),
	OBJECT(HOST, "hrDeviceErrors", NULL, 2, 1, 25, 3, 2, 1, 6),
	NODE(HOST, "hrProcessorTable", 2, 1, 25, 3, 3),
	NODE(HOST, "hrProcessorEntry", 2, 1, 25, 3, 3, 1),
	OBJECT(HOST, "hrProcessorFrwID", NULL, 2, 1, 25, 3, 3, 1, 1),
	OBJECT(HOST, "hrProcessorLoad", NULL, 2, 1, 25, 3, 3, 1, 2),
	NODE(HOST, "hrNetworkTable", 2, 1, 25, 3, 4),
	NODE(HOST, "hrNetworkEntry", 2, 1, 25, 3, 4, 1),
	OBJECT(HOST, "hrNetworkIfIndex", NULL, 2, 1, 25, 3, 4, 1, 1),
	NODE(HOST, "hrPrinterTable", 2, 1, 25, 3, 5),
	NODE(HOST, "hrPrinterEntry", 2, 1, 25, 3, 5, 1),
	ENUM(HOST, "hrPrinterStatus", hr_printer_status, 2, 1, 25, 3, 5, 1, 1),
	OBJECT(HOST, "hrPrinterDetectedErrorState", NULL, 2, 1, 25, 3, 5, 1, 2),
	NODE(HOST, "hrDiskStorageTable", 2, 1, 25, 3, 6),
	NODE(HOST, "hrDiskStorageEntry", 2, 1, 25, 3, 6, 1),
	ENUM(HOST, "hrDiskStorageAccess", hr_disk_storage_access, 2, 1, 25, 3, 6, 1, 1),
	ENUM(HOST, "hrDiskStorageMedia", hr_disk_storage_media, 2, 1, 25, 3, 6, 1, 2),
	ENUM(HOST, "hrDiskStorageRemoveble", mib_truth_value, 2, 1, 25, 3, 6, 1, 3),
	OBJECT(HOST, "hrDiskStorageCapacity", NULL, 2, 1, 25, 3, 6, 1, 4),
	NODE(HOST, "hrPartitionTable", 2, 1, 25, 3, 7),
	NODE(HOST, "hrPartitionEntry", 2, 1, 25, 3, 7, 1),
	OBJECT(HOST, "hrPartitionIndex", NULL, 2, 1, 25, 3, 7, 1, 1),
	OBJECT(HOST, "hrPartitionLabel", NULL, 2, 1, 25, 3, 7, 1, 2),
	OBJECT(HOST, "hrPartitionID", NULL, 2, 1, 25, 3, 7, 1, 3),
	OBJECT(HOST, "hrPartitionSize", NULL, 2, 1, 25, 3, 7, 1, 4),
	OBJECT(HOST, "hrPartitionFSIndex", NULL, 2, 1, 25, 3, 7, 1, 5),
	NODE(HOST, "hrFSTable", 2, 1, 25, 3, 8),
	NODE(HOST, "hrFSEntry", 2, 1, 25, 3, 8, 1),
	OBJECT(HOST, "hrFSIndex", NULL, 2, 1, 25, 3, 8, 1, 1),
	OBJECT(HOST, "hrFSMountPoint", NULL, 2, 1, 25, 3, 8, 1, 2),
	OBJECT(HOST, "hrFSRemoteMountPoint", NULL, 2, 1, 25, 3, 8, 1, 3),
	OBJECT(HOST, "hrFSType", NULL, 2, 1, 25, 3, 8, 1, 4),
	ENUM(HOST, "hrFSAccess", hr_disk_storage_access, 2, 1, 25, 3, 8, 1, 5),
	ENUM(HOST, "hrFSBootable", mib_truth_value, 2, 1, 25, 3, 8, 1, 6),
	OBJECT(HOST, "hrFSStorageIndex", NULL, 2, 1, 25, 3, 8, 1, 7),
	OBJECT(HOST, "hrFSLastFullBackupDate", HINT_DATE, 2, 1, 25, 3, 8, 1, 8),
	OBJECT(HOST, "hrFSLastPartialBackupDate", HINT_DATE, 2, 1, 25, 3, 8, 1, 9),
	NODE(HOST, "hrFSTypes", 2, 1, 25, 3, 9),
	NODE(HOST, "hrSWRun", 2, 1, 25, 4),
	OBJECT(HOST, "hrSWOSIndex", NULL, 2, 1, 25, 4, 1),
	NODE(HOST, "hrSWRunTable", 2, 1, 25, 4, 2),
	NODE(HOST, "hrSWRunEntry", 2, 1, 25, 4, 2, 1),
	OBJECT(HOST, "hrSWRunIndex", NULL, 2, 1, 25, 4, 2, 1, 1),
	OBJECT(HOST, "hrSWRunName", NULL, 2, 1, 25, 4, 2, 1, 2),
	OBJECT(HOST, "hrSWRunID", NULL, 2, 1, 25, 4, 2, 1, 3),
	OBJECT(HOST, "hrSWRunPath", NULL, 2, 1, 25, 4, 2, 1, 4),
	OBJECT(HOST, "hrSWRunParameters", NULL, 2, 1, 25, 4, 2, 1, 5),
	ENUM(HOST, "hrSWRunType", hr_swrun_type, 2, 1, 25, 4, 2, 1, 6),
	ENUM(HOST, "hrSWRunStatus", hr_swrun_status, 2, 1, 25, 4, 2, 1, 7),
	NODE(HOST, "hrSWRunPerf", 2, 1, 25, 5),
	NODE(HOST, "hrSWRunPerfTable", 2, 1, 25, 5, 1),
	NODE(HOST, "hrSWRunPerfEntry", 2, 1, 25, 5, 1, 1),
	OBJECT(HOST, "hrSWRunPerfCPU", NULL, 2, 1, 25, 5, 1, 1, 1),
	OBJECT(HOST, "hrSWRunPerfMem", NULL, 2, 1, 25, 5, 1, 1, 2),
	NODE(HOST, "hrSWInstalled", 2, 1, 25, 6),
	OBJECT(HOST, "hrSWInstalledLastChange", NULL, 2, 1, 25, 6, 1),
	OBJECT(HOST, "hrSWInstalledLastUpdateTime", NULL, 2, 1, 25, 6, 2),
	NODE(HOST, "hrSWInstalledTable", 2, 1, 25, 6, 3),
	NODE(HOST, "hrSWInstalledEntry", 2, 1, 25, 6, 3, 1),
	OBJECT(HOST, "hrSWInstalledIndex", NULL, 2, 1, 25, 6, 3, 1, 1),
	OBJECT(HOST, "hrSWInstalledName", NULL, 2, 1, 25, 6, 3, 1, 2),
	OBJECT(HOST, "hrSWInstalledID", NULL, 2, 1, 25, 6, 3, 1, 3),
	ENUM(HOST, "hrSWInstalledType", hr_swrun_type, 2, 1, 25, 6, 3, 1, 4),
	OBJECT(HOST, "hrSWInstalledDate", HINT_DATE, 2, 1, 25, 6, 3, 1, 5),
};
const struct mib_branch mib_host = BRANCH(host_rows);
