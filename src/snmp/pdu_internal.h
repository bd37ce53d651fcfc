/*
 * pdu_internal - between the files of pdu.
 */
#ifndef SNMP_PDU_INTERNAL_H
#define SNMP_PDU_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "snmp/pdu.h"

/* Walks a whole v1 or v2c message. False: words say what breaks the rules, and where. */
bool pdu_check(const uint8_t *data, size_t len, char words[PDU_WORDS_MAX]);

#endif
