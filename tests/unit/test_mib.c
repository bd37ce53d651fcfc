/* mib: names to OIDs and back, first without a file and then with some (tests/mibs). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <net-snmp/net-snmp-config.h>
#include <net-snmp/net-snmp-includes.h>

#include "snmp/mib_internal.h"
#include "snmp/pdu.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct mib_branch *const branches[] = {
	&mib_system, &mib_interfaces, &mib_ip,   &mib_icmp,   &mib_tcp, &mib_udp,
	&mib_snmp,   &mib_host,       &mib_if_x, &mib_entity, &mib_ucd, &mib_framework,
};

static const char *oid_of(const char *text)
{
	static char out[OID_TEXT_MAX];
	char error[300];
	struct oid o;

	if (!mib_resolve(text, &o, error, sizeof(error)))
		fail_msg("%s: %s", text, error);
	oid_text(o.id, o.len, out);
	return out;
}

static const char *error_of(const char *text)
{
	static char error[300];
	struct oid o;

	if (mib_resolve(text, &o, error, sizeof(error)))
		fail_msg("%s is taken", text);
	return error;
}

static const struct mib_object *find(const char *text, size_t *used)
{
	struct oid o;

	*used = 0;
	assert_true(oid_parse(text, strlen(text), &o));
	return mib_find(o.id, o.len, used);
}

/* From the RFCs, not from the table. */
static void test_well_known(void **state)
{
	static const char *const pairs[][2] = {
		{"sysDescr.0", "1.3.6.1.2.1.1.1.0"},
		{"SNMPv2-MIB::sysUpTime.0", "1.3.6.1.2.1.1.3.0"},
		{"sysORDescr.7", "1.3.6.1.2.1.1.9.1.3.7"},
		{"ifNumber.0", "1.3.6.1.2.1.2.1.0"},
		{"ifDescr", "1.3.6.1.2.1.2.2.1.2"},
		{"ifOperStatus.3", "1.3.6.1.2.1.2.2.1.8.3"},
		{"ifOutOctets.4294967295", "1.3.6.1.2.1.2.2.1.16.4294967295"},
		{"IF-MIB::ifHCInOctets.3", "1.3.6.1.2.1.31.1.1.1.6.3"},
		{"IF-MIB::ifXTable", "1.3.6.1.2.1.31.1.1"},
		{"ifAlias.1", "1.3.6.1.2.1.31.1.1.1.18.1"},
		{"ifStackStatus.1.2", "1.3.6.1.2.1.31.1.2.1.3.1.2"},
		{"ipForwarding.0", "1.3.6.1.2.1.4.1.0"},
		{"ipAdEntAddr.127.0.0.1", "1.3.6.1.2.1.4.20.1.1.127.0.0.1"},
		{"ipNetToMediaPhysAddress.2.10.0.0.1", "1.3.6.1.2.1.4.22.1.2.2.10.0.0.1"},
		{"ipAddressIfIndex.1.4.10.0.0.1", "1.3.6.1.2.1.4.34.1.3.1.4.10.0.0.1"},
		{"icmpInMsgs.0", "1.3.6.1.2.1.5.1.0"},
		{"tcpCurrEstab.0", "1.3.6.1.2.1.6.9.0"},
		{"udpInDatagrams.0", "1.3.6.1.2.1.7.1.0"},
		{"snmpInPkts.0", "1.3.6.1.2.1.11.1.0"},
		{"snmpOutTraps.0", "1.3.6.1.2.1.11.29.0"},
		{"hrSystemUptime.0", "1.3.6.1.2.1.25.1.1.0"},
		{"hrStorageUsed.1", "1.3.6.1.2.1.25.2.3.1.6.1"},
		{"hrProcessorLoad.1", "1.3.6.1.2.1.25.3.3.1.2.1"},
		{"hrSWRunName.1", "1.3.6.1.2.1.25.4.2.1.2.1"},
		{"hrSWRunPerfMem.1", "1.3.6.1.2.1.25.5.1.1.2.1"},
		{"entPhysicalSerialNum.1", "1.3.6.1.2.1.47.1.1.1.1.11.1"},
		{"memAvailReal.0", "1.3.6.1.4.1.2021.4.6.0"},
		{"laLoad.1", "1.3.6.1.4.1.2021.10.1.3.1"},
		{"dskPercent.1", "1.3.6.1.4.1.2021.9.1.9.1"},
		{"ssCpuRawIdle.0", "1.3.6.1.4.1.2021.11.53.0"},
		{"prErrorFlag.1", "1.3.6.1.4.1.2021.2.1.100.1"},
		{"extOutput.1", "1.3.6.1.4.1.2021.8.1.101.1"},
		{"diskIONReadX.1", "1.3.6.1.4.1.2021.13.15.1.1.12.1"},
		{"snmpEngineTime.0", "1.3.6.1.6.3.10.2.1.3.0"},
		{"enterprises.9.9", "1.3.6.1.4.1.9.9"},
		{"iso.3.6", "1.3.6"},
		{"mib-2.2", "1.3.6.1.2.1.2"},
		{".1.3.6.1.4.1.9", "1.3.6.1.4.1.9"},
		{"1.10", "1.10"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(pairs); i++)
		assert_string_equal(oid_of(pairs[i][0]), pairs[i][1]);
}

static bool above(const struct mib_row *row, const struct mib_row *last)
{
	for (size_t i = 0; i < row->len && i < last->len; i++) {
		if (row->id[i] != last->id[i])
			return row->id[i] > last->id[i];
	}
	return row->len > last->len;
}

/* What both binary searches live by; and that no row has a row with values above it. */
static void test_rows_are_sorted(void **state)
{
	const struct mib_row *last = NULL;

	(void)state;
	for (size_t b = 0; b < COUNT(branches); b++) {
		for (size_t i = 0; i < branches[b]->count; i++) {
			const struct mib_row *row = branches[b]->rows + i;
			bool below = last && row->len > last->len &&
				     !memcmp(row->id, last->id, last->len * sizeof(row->id[0]));

			if (last && (!above(row, last) || (below && last->leaf)))
				fail_msg("%s stands behind %s", row->object.name,
					 last->object.name);
			last = row;
		}
	}
}

/* Each row's name gives its OID, and the OID with an index gives the row. */
static void test_there_and_back(void **state)
{
	size_t rows = 0;

	(void)state;
	for (size_t b = 0; b < COUNT(branches); b++) {
		for (size_t i = 0; i < branches[b]->count; i++, rows++) {
			const struct mib_row *row = branches[b]->rows + i;
			char text[OID_TEXT_MAX];
			size_t used;

			snprintf(text, sizeof(text), "%s", oid_of(row->object.name));
			assert_ptr_equal(find(text, &used), &row->object);
			assert_int_equal(used, row->len + 4);
			strcat(text, ".0.4294967295");
			if (row->leaf)
				assert_ptr_equal(find(text, &used), &row->object);
			if (row->leaf)
				assert_int_equal(used, row->len + 4);
		}
	}
	assert_true(rows > 600);
}

static void test_unknown_oids(void **state)
{
	static const char *const texts[] = {
		"1.3",
		"1.3.6.1",
		"1.3.6.1.1",
		"1.2.6.1.2.1.1.1.0",      /* not, or not only, internet */
		"1.3.6.1.2.1.1.10",       /* below a group */
		"1.3.6.1.2.1.2.2.1.0",    /* before the first column, behind the last, */
		"1.3.6.1.2.1.2.2.1.23.1", /* no index of ifEntry or ifTable */
		"1.3.6.1.2.1.2.2.2.1",
		"1.3.6.1.2.1.3.1.1.1", /* between branches */
		"1.3.6.1.2.1.31.1.1.1.20.1",
		"1.3.6.1.4.1.9.9.23.1",
		"1.3.6.1.4.1.2021.65537.1", /* does not fit a row */
		"1.3.6.1.2.65537.1.1.0",
		"1.3.6.1.7",
		"2.5.4.3",
	};
	size_t used;

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		const struct mib_object *object = find(texts[i], &used);

		if (object)
			fail_msg("%s is %s", texts[i], object->name);
	}
}

static void test_syntax(void **state)
{
	size_t used;
	const struct mib_object *status = find("1.3.6.1.2.1.2.2.1.8.3", &used);

	(void)state;
	assert_string_equal(status->name, "ifOperStatus");
	assert_string_equal(status->module, "IF-MIB");
	assert_null(status->hint);
	assert_int_equal(status->labels[6].value, 7);
	assert_string_equal(status->labels[6].label, "lowerLayerDown");
	assert_null(status->labels[7].label);
	assert_string_equal(find("1.3.6.1.2.1.2.2.1.6.3", &used)->hint, "1x:");
	assert_string_equal(find("1.3.6.1.2.1.1.1.0", &used)->hint, "255a");
	assert_string_equal(find("1.3.6.1.2.1.25.1.2.0", &used)->hint,
			    "2d-1d-1d,1d:1d:1d.1d,1a1d:1d");
	assert_null(find("1.3.6.1.2.1.2.2.1.10.3", &used)->labels);
}

static void test_errors(void **state)
{
	static const char *const pairs[][2] = {
		{"sysDecsr.0", "unknown object 'sysDecsr.0' (did you mean 'sysDescr.0'?)"},
		{"frobnicate.0", "unknown object 'frobnicate.0': if it stands in a MIB file, write "
				 "MODULE::frobnicate.0"},
		{"ifDescr.eth0",
		 "'.eth0' is not an index of 'ifDescr': write numbers, such as .0 or .3.1"},
		{"ifDescr.", "'.' is not an index of 'ifDescr': write numbers, such as .0 or .3.1"},
		{"ifDescr.4294967296",
		 "'.4294967296' is not an index of 'ifDescr': write numbers, such as .0 or .3.1"},
		{"iso", "'iso' is too short: an OID has two numbers at least"},
		{"1.50", "'1.50' is not an OID: numbers below 2^32 with dots, 2 to 128 of them"},
		{"1.3.x", "'1.3.x' is not an OID: numbers below 2^32 with dots, 2 to 128 of them"},
		{"", "'' is not an OID: numbers below 2^32 with dots, 2 to 128 of them"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(pairs); i++)
		assert_string_equal(error_of(pairs[i][0]), pairs[i][1]);
}

/* 128 sub-identifiers and no more, with names too. */
static void test_length(void **state)
{
	char text[600] = "sysDescr";

	(void)state;
	for (int i = 8; i < OID_MAX; i++)
		strcat(text, ".1");
	oid_of(text);
	strcat(text, ".1");
	assert_non_null(strstr(error_of(text), "is not an index"));
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	error_of(text);
}

static enum mib_kind kind(const char *text)
{
	struct oid o;
	char error[300];

	if (!mib_resolve(text, &o, error, sizeof(error)))
		fail_msg("%s: %s", text, error);
	return mib_kind(&o);
}

static void test_kinds(void **state)
{
	static const struct {
		const char *text;
		enum mib_kind kind;
	} rows[] = {
		{"ifTable", MIB_TABLE},
		{"1.3.6.1.2.1.31.1.1", MIB_TABLE},
		{"ipAddrTable", MIB_TABLE},
		{"hrDeviceTable", MIB_TABLE},
		{"laTable", MIB_TABLE},
		{"ifEntry", MIB_ENTRY},
		{"ifXEntry", MIB_ENTRY},
		{"ifDescr", MIB_COLUMN},
		{"ipAdEntAddr", MIB_COLUMN},
		{"1.3.6.1.2.1.2.2.1.22", MIB_COLUMN},
		{"1.3.6.1.2.1.2.2.1.23", MIB_COLUMN}, /* of ifEntry, though nobody knows its name */
		{"1.3.6.1.2.1.2.2.1.0", MIB_COLUMN},
		{"ifDescr.1", MIB_INSTANCE},
		{"ipAdEntAddr.127.0.0.1", MIB_INSTANCE},
		{"1.3.6.1.2.1.2.2.1.23.1", MIB_INSTANCE},
		{"sysDescr", MIB_SCALAR},
		{"sysDescr.0", MIB_INSTANCE},
		{"ifNumber", MIB_SCALAR},
		{"ifTableLastChange", MIB_SCALAR}, /* a name that only looks like a table's */
		{"system", MIB_GROUP},
		{"interfaces", MIB_GROUP},
		{"mib-2", MIB_GROUP},
		{"ifMIBObjects", MIB_GROUP},
		{"1.3.6.1.2.1.2.2.2", MIB_UNKNOWN}, /* ifTable.2: a table has one entry, .1 */
		{"1.3.6.1.2.1.2.3", MIB_UNKNOWN},
		{"enterprises.9.9", MIB_UNKNOWN},
		{"1.3.6.1.2.1.17", MIB_UNKNOWN},
		{"1.3.6.1.4.1.32473.2", MIB_UNKNOWN},
		{"1.3.6.1", MIB_UNKNOWN},
		{"1.10", MIB_UNKNOWN},
		{"2.3.6.1.2.1.2.2", MIB_UNKNOWN},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		if (kind(rows[i].text) != rows[i].kind)
			fail_msg("%s is a %d", rows[i].text, kind(rows[i].text));
	}
}

/* Whatever stands below an entry is a column, and no column stands anywhere else. */
static void test_kinds_of_all_rows(void **state)
{
	const struct mib_row *entry = NULL;

	(void)state;
	for (size_t b = 0; b < COUNT(branches); b++) {
		for (size_t i = 0; i < branches[b]->count; i++) {
			const struct mib_row *row = branches[b]->rows + i;
			enum mib_kind is = kind(row->object.name);
			bool below = entry && row->len == entry->len + 1 &&
				     !memcmp(row->id, entry->id, entry->len * sizeof(row->id[0]));

			if (row->leaf)
				assert_int_equal(is, below ? MIB_COLUMN : MIB_SCALAR);
			else if (is == MIB_ENTRY)
				entry = row;
			else
				assert_true(is == MIB_TABLE || is == MIB_GROUP);
			if (is == MIB_TABLE) /* whose entry comes next */
				assert_int_equal(kind(row[1].object.name), MIB_ENTRY);
		}
	}
}

static void test_names_one_by_one(void **state)
{
	enum mib_kind is = MIB_UNKNOWN;
	size_t count = 0;
	const char *name;

	(void)state;
	while ((name = mib_name_at(count, &is))) {
		assert_int_equal(is, kind(name));
		count++;
	}
	for (size_t b = 0; b < COUNT(branches); b++)
		count -= branches[b]->count;
	assert_int_equal(count, 0);
}

static void test_no_file_was_read(void **state)
{
	(void)state;
	assert_null(get_tree_head());
}

/* ---- from here on with files */

static char folder[1024];

static int set_up_files(void **state)
{
	const char *top = getenv("ABS_SRCDIR");
	char file[sizeof(folder) + 32];

	(void)state;
	snprintf(folder, sizeof(folder), "%s/tests/mibs", top ? top : ".");
	snprintf(file, sizeof(file), "%s/EXAMPLE-UNWANTED-MIB.txt", folder);
	setenv("MIBS", file, 1);
	mib_setup(folder, "EXAMPLE-MIB");
	return 0;
}

static void test_no_such_module(void **state)
{
	char expected[2048];
	char longer[400] = "";

	(void)state;
	snprintf(expected, sizeof(expected),
		 "unknown object 'RFC1213-MIB::sysDescr.0': no MIB module RFC1213-MIB in %.120s "
		 "(did you mean 'SNMPv2-MIB::sysDescr.0'?)",
		 folder);
	assert_string_equal(error_of("RFC1213-MIB::sysDescr.0"), expected);
	snprintf(expected, sizeof(expected),
		 "unknown object 'IFMIB::ifDescrs.3': no MIB module IFMIB in %.120s (did you mean "
		 "'IF-MIB::ifDescr.3'?)",
		 folder);
	assert_string_equal(error_of("IFMIB::ifDescrs.3"), expected);
	snprintf(expected, sizeof(expected),
		 "unknown object 'NO-MIB::x': no MIB module NO-MIB in %.120s", folder);
	assert_string_equal(error_of("NO-MIB::x"), expected);
	memset(longer, 'x', 200); /* longer than a module's name can be */
	strcat(longer, "::sysDescr.0");
	error_of(longer);
}

static void test_module_named(void **state)
{
	size_t used;
	const struct mib_object *object;

	(void)state;
	assert_string_equal(oid_of("EXAMPLE-MIB::exampleState.0"), "1.3.6.1.4.1.32473.1.0");
	object = find("1.3.6.1.4.1.32473.1.0", &used);
	assert_non_null(object);
	assert_int_equal(used, 8);
	assert_string_equal(object->name, "exampleState");
	assert_string_equal(object->module, "EXAMPLE-MIB");
	assert_null(object->hint);
	assert_int_equal(object->labels[1].value, 2);
	assert_string_equal(object->labels[1].label, "awake");
	assert_int_equal(object->labels[2].value, -1);
	assert_null(object->labels[3].label);
}

/* Octets on the wire, as OCTET STRING; only the syntax says what they are. */
static void test_bits(void **state)
{
	size_t used;
	const struct mib_object *object;

	(void)state;
	assert_string_equal(oid_of("EXAMPLE-MIB::exampleFlags.0"), "1.3.6.1.4.1.32473.3.0");
	object = find("1.3.6.1.4.1.32473.3.0", &used);
	assert_non_null(object);
	assert_null(object->labels);
	assert_int_equal(object->bits[0].value, 0);
	assert_string_equal(object->bits[1].label, "third");
	assert_int_equal(object->bits[2].value, 9);
	assert_null(object->bits[3].label);
	oid_of("EXAMPLE-MIB::exampleState.0");
	assert_null(find("1.3.6.1.4.1.32473.1.0", &used)->bits);
	assert_null(find("1.3.6.1.2.1.2.2.1.8.1", &used)->bits); /* ifOperStatus */
}

/* A bare name, of the modules set up; what lies below is known afterwards, its neighbours are not. */
static void test_table(void **state)
{
	size_t used;
	const struct mib_object *object;

	(void)state;
	assert_null(find("1.3.6.1.4.1.32473.2.1.2.5", &used));
	assert_string_equal(oid_of("exampleTable"), "1.3.6.1.4.1.32473.2");
	object = find("1.3.6.1.4.1.32473.2.1.2.5", &used);
	assert_non_null(object);
	assert_string_equal(object->name, "exampleAddress");
	assert_string_equal(object->hint, "1x-");
	assert_int_equal(used, 10);
	assert_null(find("1.3.6.1.4.1.32473.2.1.1.5", &used)->hint); /* "d" says nothing */
	assert_null(find("1.3.6.1.4.1.32473.2.1.3.5", &used));
	assert_null(find("1.3.6.1.4.1.32473.2.1", &used));
	assert_null(find("1.3.6.1.4.1.32473.0", &used));
}

static void test_again_is_the_same(void **state)
{
	size_t used;
	const struct mib_object *before = find("1.3.6.1.4.1.32473.1.0", &used);

	(void)state;
	assert_string_equal(oid_of("exampleState.0"), "1.3.6.1.4.1.32473.1.0");
	assert_ptr_equal(find("1.3.6.1.4.1.32473.1.0", &used)->name, before->name);
}

static void test_kinds_from_files(void **state)
{
	(void)state;
	assert_int_equal(kind("EXAMPLE-MIB::exampleTable"), MIB_TABLE);
	assert_int_equal(kind("exampleEntry"), MIB_ENTRY);
	assert_int_equal(kind("exampleAddress"), MIB_COLUMN);
	assert_int_equal(kind("exampleIndex"), MIB_COLUMN);
	assert_int_equal(kind("exampleAddress.5"), MIB_INSTANCE);
	assert_int_equal(kind("1.3.6.1.4.1.32473.2.1.9"), MIB_COLUMN);
	assert_int_equal(kind("1.3.6.1.4.1.32473.2.1.9.1"), MIB_INSTANCE);
	assert_int_equal(kind("exampleState"), MIB_SCALAR);
	assert_int_equal(kind("exampleState.0"), MIB_INSTANCE);
	assert_int_equal(kind("EXAMPLE-MIB::example"), MIB_GROUP);
	assert_int_equal(kind("1.3.6.1.4.1.32473.2.2"), MIB_UNKNOWN);
	assert_int_equal(kind("1.3.6.1.4.1.32473.7"), MIB_UNKNOWN);
	assert_int_equal(kind("1.3.6.1.4.1.9"), MIB_UNKNOWN);
	assert_int_equal(kind("ifTable"), MIB_TABLE);
}

/* The reason in our error, and not a word of the parser on stderr; also where the library is set up when files have been
 * read already, as by a service that reads its own again. */
static void test_broken_module(void **state)
{
	int saved = dup(STDERR_FILENO);
	FILE *heard = tmpfile();
	const char *error;

	(void)state;
	assert_non_null(heard);
	fflush(stderr);
	dup2(fileno(heard), STDERR_FILENO);
	pdu_init();
	pdu_init();
	error = error_of("EXAMPLE-BROKEN-MIB::exampleBroken.0");
	fflush(stderr);
	dup2(saved, STDERR_FILENO);
	close(saved);
	assert_non_null(strstr(error,
			       "unknown object 'EXAMPLE-BROKEN-MIB::exampleBroken.0': Cannot "
			       "find module (EXAMPLE-MISSING-MIB): At line"));
	assert_int_equal(lseek(fileno(heard), 0, SEEK_END), 0);
	fclose(heard);
	assert_string_equal(error_of("EXAMPLE-MIB::exampleStat.0"),
			    "unknown object 'EXAMPLE-MIB::exampleStat.0': not in the MIB module "
			    "EXAMPLE-MIB");
	assert_string_equal(error_of("exampleStat.0"),
			    "unknown object 'exampleStat.0': not in the MIB modules EXAMPLE-MIB");
}

static void test_environment_reads_nothing(void **state)
{
	(void)state;
	assert_null(find_tree_node("exampleUnwanted", -1));
	assert_string_equal(oid_of("EXAMPLE-UNWANTED-MIB::exampleUnwanted.1"),
			    "1.3.6.1.4.1.32473.9.1");
}

/* init_snmp(), later, finds its work done and opens nothing; and what was found needs no tree. */
static void test_tree_is_not_needed(void **state)
{
	size_t used;

	(void)state;
	netsnmp_init_mib();
	shutdown_mib();
	assert_string_equal(find("1.3.6.1.4.1.32473.1.0", &used)->name, "exampleState");
	assert_string_equal(find("1.3.6.1.4.1.32473.1.0", &used)->labels[0].label, "asleep");
	assert_string_equal(find("1.3.6.1.4.1.32473.2.1.2.5", &used)->hint, "1x-");
}

int main(void)
{
	const struct CMUnitTest without[] = {
		cmocka_unit_test(test_well_known),
		cmocka_unit_test(test_rows_are_sorted),
		cmocka_unit_test(test_there_and_back),
		cmocka_unit_test(test_unknown_oids),
		cmocka_unit_test(test_syntax),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_length),
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_kinds_of_all_rows),
		cmocka_unit_test(test_names_one_by_one),
		cmocka_unit_test(test_no_file_was_read),
	};
	const struct CMUnitTest with[] = {
		cmocka_unit_test(test_no_such_module),
		cmocka_unit_test(test_module_named),
		cmocka_unit_test(test_bits),
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_again_is_the_same),
		cmocka_unit_test(test_kinds_from_files),
		cmocka_unit_test(test_broken_module),
		cmocka_unit_test(test_environment_reads_nothing),
		cmocka_unit_test(test_tree_is_not_needed),
	};
	int failed;

	failed = cmocka_run_group_tests_name("without files", without, NULL, NULL);
	return failed + cmocka_run_group_tests_name("with files", with, set_up_files, NULL);
}
