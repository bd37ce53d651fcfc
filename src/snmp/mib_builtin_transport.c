/*
 * Built in: ICMP (IP-MIB, RFC 4293), TCP-MIB (RFC 4022), UDP-MIB (RFC 4113).
 */
#include "snmp/mib_internal.h"

#define IP  "IP-MIB"
#define TCP "TCP-MIB"
#define UDP "UDP-MIB"

/* One row an object. */
/* clang-format off */

static const struct mib_label tcp_rto_algorithm[] = {
	{1, "other"}, {2, "constant"}, {3, "rsre"}, {4, "vanj"}, {5, "rfc2988"}, {0, NULL},
};

static const struct mib_label tcp_conn_state[] = {
	{1, "closed"}, {2, "listen"}, {3, "synSent"}, {4, "synReceived"}, {5, "established"},
	{6, "finWait1"}, {7, "finWait2"}, {8, "closeWait"}, {9, "lastAck"}, {10, "closing"},
	{11, "timeWait"}, {12, "deleteTCB"}, {0, NULL},
};

static const struct mib_row icmp_rows[] = {
	NODE(IP, "icmp", 2, 1, 5),
	OBJECT(IP, "icmpInMsgs", NULL, 2, 1, 5, 1),
	OBJECT(IP, "icmpInErrors", NULL, 2, 1, 5, 2),
	OBJECT(IP, "icmpInDestUnreachs", NULL, 2, 1, 5, 3),
	OBJECT(IP, "icmpInTimeExcds", NULL, 2, 1, 5, 4),
	OBJECT(IP, "icmpInParmProbs", NULL, 2, 1, 5, 5),
	OBJECT(IP, "icmpInSrcQuenchs", NULL, 2, 1, 5, 6),
	OBJECT(IP, "icmpInRedirects", NULL, 2, 1, 5, 7),
	OBJECT(IP, "icmpInEchos", NULL, 2, 1, 5, 8),
	OBJECT(IP, "icmpInEchoReps", NULL, 2, 1, 5, 9),
	OBJECT(IP, "icmpInTimestamps", NULL, 2, 1, 5, 10),
	OBJECT(IP, "icmpInTimestampReps", NULL, 2, 1, 5, 11),
	OBJECT(IP, "icmpInAddrMasks", NULL, 2, 1, 5, 12),
	OBJECT(IP, "icmpInAddrMaskReps", NULL, 2, 1, 5, 13),
	OBJECT(IP, "icmpOutMsgs", NULL, 2, 1, 5, 14),
	OBJECT(IP, "icmpOutErrors", NULL, 2, 1, 5, 15),
	OBJECT(IP, "icmpOutDestUnreachs", NULL, 2, 1, 5, 16),
	OBJECT(IP, "icmpOutTimeExcds", NULL, 2, 1, 5, 17),
	OBJECT(IP, "icmpOutParmProbs", NULL, 2, 1, 5, 18),
	OBJECT(IP, "icmpOutSrcQuenchs", NULL, 2, 1, 5, 19),
	OBJECT(IP, "icmpOutRedirects", NULL, 2, 1, 5, 20),
	OBJECT(IP, "icmpOutEchos", NULL, 2, 1, 5, 21),
	OBJECT(IP, "icmpOutEchoReps", NULL, 2, 1, 5, 22),
	OBJECT(IP, "icmpOutTimestamps", NULL, 2, 1, 5, 23),
	OBJECT(IP, "icmpOutTimestampReps", NULL, 2, 1, 5, 24),
	OBJECT(IP, "icmpOutAddrMasks", NULL, 2, 1, 5, 25),
	OBJECT(IP, "icmpOutAddrMaskReps", NULL, 2, 1, 5, 26),
	NODE(IP, "icmpStatsTable", 2, 1, 5, 29),
	NODE(IP, "icmpStatsEntry", 2, 1, 5, 29, 1),
	ENUM(IP, "icmpStatsIPVersion", mib_inet_version, 2, 1, 5, 29, 1, 1),
	OBJECT(IP, "icmpStatsInMsgs", NULL, 2, 1, 5, 29, 1, 2),
	OBJECT(IP, "icmpStatsInErrors", NULL, 2, 1, 5, 29, 1, 3),
	OBJECT(IP, "icmpStatsOutMsgs", NULL, 2, 1, 5, 29, 1, 4),
	OBJECT(IP, "icmpStatsOutErrors", NULL, 2, 1, 5, 29, 1, 5),
	NODE(IP, "icmpMsgStatsTable", 2, 1, 5, 30),
	NODE(IP, "icmpMsgStatsEntry", 2, 1, 5, 30, 1),
	ENUM(IP, "icmpMsgStatsIPVersion", mib_inet_version, 2, 1, 5, 30, 1, 1),
	OBJECT(IP, "icmpMsgStatsType", NULL, 2, 1, 5, 30, 1, 2),
	OBJECT(IP, "icmpMsgStatsInPkts", NULL, 2, 1, 5, 30, 1, 3),
	OBJECT(IP, "icmpMsgStatsOutPkts", NULL, 2, 1, 5, 30, 1, 4),
};
const struct mib_branch mib_icmp = BRANCH(icmp_rows);

static const struct mib_row tcp_rows[] = {
	NODE(TCP, "tcp", 2, 1, 6),
	ENUM(TCP, "tcpRtoAlgorithm", tcp_rto_algorithm, 2, 1, 6, 1),
	OBJECT(TCP, "tcpRtoMin", NULL, 2, 1, 6, 2),
	OBJECT(TCP, "tcpRtoMax", NULL, 2, 1, 6, 3),
	OBJECT(TCP, "tcpMaxConn", NULL, 2, 1, 6, 4),
	OBJECT(TCP, "tcpActiveOpens", NULL, 2, 1, 6, 5),
	OBJECT(TCP, "tcpPassiveOpens", NULL, 2, 1, 6, 6),
	OBJECT(TCP, "tcpAttemptFails", NULL, 2, 1, 6, 7),
	OBJECT(TCP, "tcpEstabResets", NULL, 2, 1, 6, 8),
	OBJECT(TCP, "tcpCurrEstab", NULL, 2, 1, 6, 9),
	OBJECT(TCP, "tcpInSegs", NULL, 2, 1, 6, 10),
	OBJECT(TCP, "tcpOutSegs", NULL, 2, 1, 6, 11),
	OBJECT(TCP, "tcpRetransSegs", NULL, 2, 1, 6, 12),
	NODE(TCP, "tcpConnTable", 2, 1, 6, 13),
	NODE(TCP, "tcpConnEntry", 2, 1, 6, 13, 1),
	ENUM(TCP, "tcpConnState", tcp_conn_state, 2, 1, 6, 13, 1, 1),
	OBJECT(TCP, "tcpConnLocalAddress", NULL, 2, 1, 6, 13, 1, 2),
	OBJECT(TCP, "tcpConnLocalPort", NULL, 2, 1, 6, 13, 1, 3),
	OBJECT(TCP, "tcpConnRemAddress", NULL, 2, 1, 6, 13, 1, 4),
	OBJECT(TCP, "tcpConnRemPort", NULL, 2, 1, 6, 13, 1, 5),
	OBJECT(TCP, "tcpInErrs", NULL, 2, 1, 6, 14),
	OBJECT(TCP, "tcpOutRsts", NULL, 2, 1, 6, 15),
	OBJECT(TCP, "tcpHCInSegs", NULL, 2, 1, 6, 17),
	OBJECT(TCP, "tcpHCOutSegs", NULL, 2, 1, 6, 18),
	NODE(TCP, "tcpConnectionTable", 2, 1, 6, 19),
	NODE(TCP, "tcpConnectionEntry", 2, 1, 6, 19, 1),
	ENUM(TCP, "tcpConnectionLocalAddressType", mib_inet_address_type, 2, 1, 6, 19, 1, 1),
	OBJECT(TCP, "tcpConnectionLocalAddress", NULL, 2, 1, 6, 19, 1, 2),
	ENUM(TCP, "tcpConnectionRemAddressType", mib_inet_address_type, 2, 1, 6, 19, 1, 4),
	OBJECT(TCP, "tcpConnectionRemAddress", NULL, 2, 1, 6, 19, 1, 5),
	ENUM(TCP, "tcpConnectionState", tcp_conn_state, 2, 1, 6, 19, 1, 7),
	NODE(TCP, "tcpListenerTable", 2, 1, 6, 20),
	NODE(TCP, "tcpListenerEntry", 2, 1, 6, 20, 1),
	ENUM(TCP, "tcpListenerLocalAddressType", mib_inet_address_type, 2, 1, 6, 20, 1, 1),
	OBJECT(TCP, "tcpListenerLocalAddress", NULL, 2, 1, 6, 20, 1, 2),
};
const struct mib_branch mib_tcp = BRANCH(tcp_rows);

static const struct mib_row udp_rows[] = {
	NODE(UDP, "udp", 2, 1, 7),
	OBJECT(UDP, "udpInDatagrams", NULL, 2, 1, 7, 1),
	OBJECT(UDP, "udpNoPorts", NULL, 2, 1, 7, 2),
	OBJECT(UDP, "udpInErrors", NULL, 2, 1, 7, 3),
	OBJECT(UDP, "udpOutDatagrams", NULL, 2, 1, 7, 4),
	NODE(UDP, "udpTable", 2, 1, 7, 5),
	NODE(UDP, "udpEntry", 2, 1, 7, 5, 1),
	OBJECT(UDP, "udpLocalAddress", NULL, 2, 1, 7, 5, 1, 1),
	OBJECT(UDP, "udpLocalPort", NULL, 2, 1, 7, 5, 1, 2),
	NODE(UDP, "udpEndpointTable", 2, 1, 7, 7),
	NODE(UDP, "udpEndpointEntry", 2, 1, 7, 7, 1),
	ENUM(UDP, "udpEndpointLocalAddressType", mib_inet_address_type, 2, 1, 7, 7, 1, 1),
	OBJECT(UDP, "udpEndpointLocalAddress", NULL, 2, 1, 7, 7, 1, 2),
	ENUM(UDP, "udpEndpointRemoteAddressType", mib_inet_address_type, 2, 1, 7, 7, 1, 4),
	OBJECT(UDP, "udpEndpointRemoteAddress", NULL, 2, 1, 7, 7, 1, 5),
	OBJECT(UDP, "udpHCOutDatagrams", NULL, 2, 1, 7, 9),
};
const struct mib_branch mib_udp = BRANCH(udp_rows);
