/*
 * Built in: IF-MIB (RFC 2863). Of the types of interface (IANAifType-MIB, close to 300) those that one
 * meets; the others are shown as numbers.
 */
#include "snmp/mib_internal.h"

#define IF "IF-MIB"

/* One row an object. */
/* clang-format off */

static const struct mib_label if_type[] = {
	{1, "other"}, {6, "ethernetCsmacd"}, {7, "iso88023Csmacd"}, {8, "iso88024TokenBus"},
	{9, "iso88025TokenRing"}, {15, "fddi"}, {16, "lapb"}, {17, "sdlc"}, {18, "ds1"},
	{19, "e1"}, {20, "basicISDN"}, {21, "primaryISDN"}, {22, "propPointToPointSerial"},
	{23, "ppp"}, {24, "softwareLoopback"}, {28, "slip"}, {30, "ds3"}, {32, "frameRelay"},
	{33, "rs232"}, {37, "atm"}, {39, "sonet"}, {40, "x25ple"}, {44, "frameRelayService"},
	{49, "aal5"}, {53, "propVirtual"}, {54, "propMultiplexor"}, {55, "ieee80212"},
	{56, "fibreChannel"}, {57, "hippiInterface"}, {58, "frameRelayInterconnect"},
	{62, "fastEther"}, {69, "fastEtherFX"}, {71, "ieee80211"}, {85, "cnr"}, {94, "adsl"},
	{96, "sdsl"}, {97, "vdsl"}, {100, "voiceEM"}, {101, "voiceFXO"}, {102, "voiceFXS"},
	{103, "voiceEncap"}, {104, "voiceOverIp"}, {112, "virtualIpAddress"}, {114, "ipOverAtm"},
	{117, "gigabitEthernet"}, {118, "hdlc"}, {127, "docsCableMaclayer"},
	{128, "docsCableDownstream"}, {129, "docsCableUpstream"}, {131, "tunnel"}, {133, "ces"},
	{134, "atmSubInterface"}, {135, "l2vlan"}, {136, "l3ipvlan"}, {138, "digitalPowerline"},
	{142, "ipForward"}, {144, "ieee1394"}, {150, "mplsTunnel"}, {160, "usb"},
	{161, "ieee8023adLag"}, {166, "mpls"}, {167, "mfSigLink"}, {168, "hdsl2"}, {169, "shdsl"},
	{188, "radioMAC"}, {195, "opticalChannel"}, {196, "opticalTransport"},
	{199, "infiniband"}, {209, "bridge"}, {214, "mpegTransport"}, {215, "sixToFour"},
	{243, "wwanPP"}, {244, "wwanPP2"}, {247, "ilan"}, {248, "pip"}, {250, "gpon"},
	{251, "vdsl2"}, {253, "capwapDot11Bss"}, {0, NULL},
};

static const struct mib_label if_admin_status[] = {
	{1, "up"}, {2, "down"}, {3, "testing"}, {0, NULL},
};

static const struct mib_label if_oper_status[] = {
	{1, "up"}, {2, "down"}, {3, "testing"}, {4, "unknown"}, {5, "dormant"}, {6, "notPresent"},
	{7, "lowerLayerDown"}, {0, NULL},
};

static const struct mib_label if_rcv_address_type[] = {
	{1, "other"}, {2, "volatile"}, {3, "nonVolatile"}, {0, NULL},
};

static const struct mib_row interfaces_rows[] = {
	NODE(IF, "interfaces", 2, 1, 2),
	OBJECT(IF, "ifNumber", NULL, 2, 1, 2, 1),
	NODE(IF, "ifTable", 2, 1, 2, 2),
	NODE(IF, "ifEntry", 2, 1, 2, 2, 1),
	OBJECT(IF, "ifIndex", NULL, 2, 1, 2, 2, 1, 1),
	OBJECT(IF, "ifDescr", HINT_TEXT, 2, 1, 2, 2, 1, 2),
	ENUM(IF, "ifType", if_type, 2, 1, 2, 2, 1, 3),
	OBJECT(IF, "ifMtu", NULL, 2, 1, 2, 2, 1, 4),
	OBJECT(IF, "ifSpeed", NULL, 2, 1, 2, 2, 1, 5),
	OBJECT(IF, "ifPhysAddress", HINT_OCTETS, 2, 1, 2, 2, 1, 6),
	ENUM(IF, "ifAdminStatus", if_admin_status, 2, 1, 2, 2, 1, 7),
	ENUM(IF, "ifOperStatus", if_oper_status, 2, 1, 2, 2, 1, 8),
	OBJECT(IF, "ifLastChange", NULL, 2, 1, 2, 2, 1, 9),
	OBJECT(IF, "ifInOctets", NULL, 2, 1, 2, 2, 1, 10),
	OBJECT(IF, "ifInUcastPkts", NULL, 2, 1, 2, 2, 1, 11),
	OBJECT(IF, "ifInNUcastPkts", NULL, 2, 1, 2, 2, 1, 12),
	OBJECT(IF, "ifInDiscards", NULL, 2, 1, 2, 2, 1, 13),
	OBJECT(IF, "ifInErrors", NULL, 2, 1, 2, 2, 1, 14),
	OBJECT(IF, "ifInUnknownProtos", NULL, 2, 1, 2, 2, 1, 15),
	OBJECT(IF, "ifOutOctets", NULL, 2, 1, 2, 2, 1, 16),
	OBJECT(IF, "ifOutUcastPkts", NULL, 2, 1, 2, 2, 1, 17),
	OBJECT(IF, "ifOutNUcastPkts", NULL, 2, 1, 2, 2, 1, 18),
	OBJECT(IF, "ifOutDiscards", NULL, 2, 1, 2, 2, 1, 19),
	OBJECT(IF, "ifOutErrors", NULL, 2, 1, 2, 2, 1, 20),
	OBJECT(IF, "ifOutQLen", NULL, 2, 1, 2, 2, 1, 21),
	OBJECT(IF, "ifSpecific", NULL, 2, 1, 2, 2, 1, 22),
};
const struct mib_branch mib_interfaces = BRANCH(interfaces_rows);

static const struct mib_row if_x_rows[] = {
	NODE(IF, "ifMIB", 2, 1, 31),
	NODE(IF, "ifMIBObjects", 2, 1, 31, 1),
	NODE(IF, "ifXTable", 2, 1, 31, 1, 1),
	NODE(IF, "ifXEntry", 2, 1, 31, 1, 1, 1),
	OBJECT(IF, "ifName", HINT_TEXT, 2, 1, 31, 1, 1, 1, 1),
	OBJECT(IF, "ifInMulticastPkts", NULL, 2, 1, 31, 1, 1, 1, 2),
	OBJECT(IF, "ifInBroadcastPkts", NULL, 2, 1, 31, 1, 1, 1, 3),
	OBJECT(IF, "ifOutMulticastPkts", NULL, 2, 1, 31, 1, 1, 1, 4),
	OBJECT(IF, "ifOutBroadcastPkts", NULL, 2, 1, 31, 1, 1, 1, 5),
	OBJECT(IF, "ifHCInOctets", NULL, 2, 1, 31, 1, 1, 1, 6),
	OBJECT(IF, "ifHCInUcastPkts", NULL, 2, 1, 31, 1, 1, 1, 7),
	OBJECT(IF, "ifHCInMulticastPkts", NULL, 2, 1, 31, 1, 1, 1, 8),
	OBJECT(IF, "ifHCInBroadcastPkts", NULL, 2, 1, 31, 1, 1, 1, 9),
	OBJECT(IF, "ifHCOutOctets", NULL, 2, 1, 31, 1, 1, 1, 10),
	OBJECT(IF, "ifHCOutUcastPkts", NULL, 2, 1, 31, 1, 1, 1, 11),
	OBJECT(IF, "ifHCOutMulticastPkts", NULL, 2, 1, 31, 1, 1, 1, 12),
	OBJECT(IF, "ifHCOutBroadcastPkts", NULL, 2, 1, 31, 1, 1, 1, 13),
	ENUM(IF, "ifLinkUpDownTrapEnable", mib_enabled, 2, 1, 31, 1, 1, 1, 14),
	OBJECT(IF, "ifHighSpeed", NULL, 2, 1, 31, 1, 1, 1, 15),
	ENUM(IF, "ifPromiscuousMode", mib_truth_value, 2, 1, 31, 1, 1, 1, 16),
	ENUM(IF, "ifConnectorPresent", mib_truth_value, 2, 1, 31, 1, 1, 1, 17),
	OBJECT(IF, "ifAlias", HINT_TEXT, 2, 1, 31, 1, 1, 1, 18),
	OBJECT(IF, "ifCounterDiscontinuityTime", NULL, 2, 1, 31, 1, 1, 1, 19),
	NODE(IF, "ifStackTable", 2, 1, 31, 1, 2),
	NODE(IF, "ifStackEntry", 2, 1, 31, 1, 2, 1),
	OBJECT(IF, "ifStackHigherLayer", NULL, 2, 1, 31, 1, 2, 1, 1),
	OBJECT(IF, "ifStackLowerLayer", NULL, 2, 1, 31, 1, 2, 1, 2),
	ENUM(IF, "ifStackStatus", mib_row_status, 2, 1, 31, 1, 2, 1, 3),
	NODE(IF, "ifRcvAddressTable", 2, 1, 31, 1, 4),
	NODE(IF, "ifRcvAddressEntry", 2, 1, 31, 1, 4, 1),
	OBJECT(IF, "ifRcvAddressAddress", HINT_OCTETS, 2, 1, 31, 1, 4, 1, 1),
	ENUM(IF, "ifRcvAddressStatus", mib_row_status, 2, 1, 31, 1, 4, 1, 2),
	ENUM(IF, "ifRcvAddressType", if_rcv_address_type, 2, 1, 31, 1, 4, 1, 3),
	OBJECT(IF, "ifTableLastChange", NULL, 2, 1, 31, 1, 5),
	OBJECT(IF, "ifStackLastChange", NULL, 2, 1, 31, 1, 6),
};
const struct mib_branch mib_if_x = BRANCH(if_x_rows);
