/*
 * The library's values to ours. The traps: its `oid` is an unsigned long, its Counter64 two of them, and what an Opaque
 * wraps has types of its own.
 */
#include "snmp/pdu_internal.h"

/* Narrows the library's sub-identifiers in place of a copy of ours. */
static size_t narrow(const oid *from, size_t n, uint32_t to[OID_MAX])
{
	if (n > OID_MAX)
		n = OID_MAX; /* the parser allows no more */
	for (size_t i = 0; i < n; i++)
		to[i] = (uint32_t)from[i];
	return n;
}

static uint64_t join64(const struct counter64 *v)
{
	return (uint64_t)v->high << 32 | (uint32_t)v->low;
}

static void set_octets(struct varbind *v, enum var_type type, const netsnmp_variable_list *from)
{
	v->type = (uint8_t)type;
	v->value.octets.p = from->val.string;
	v->value.octets.len = from->val_len;
}

static void set_unsigned(struct varbind *v, enum var_type type, uint64_t value)
{
	v->type = (uint8_t)type;
	v->value.u = value;
}

/* Sets type and value; id is room for an OID. One row a type: that is why it is long. */
static bool set_value(struct varbind *v, const netsnmp_variable_list *from, uint32_t id[OID_MAX])
{
	switch (from->type) {
	case ASN_INTEGER:
		v->type = VAR_INTEGER;
		v->value.i = *from->val.integer;
		return true;
	case ASN_OCTET_STR:
		set_octets(v, VAR_OCTETS, from);
		return true;
	case ASN_OBJECT_ID:
		v->type = VAR_OID;
		v->value.oid.id = id;
		v->value.oid.len = narrow(from->val.objid, from->val_len / sizeof(oid), id);
		return true;
	case ASN_IPADDRESS:
		set_octets(v, VAR_IPADDRESS, from);
		return true;
	case ASN_COUNTER:
		set_unsigned(v, VAR_COUNTER32, (uint32_t)*from->val.integer);
		return true;
	case ASN_GAUGE:
	case ASN_UINTEGER:
		set_unsigned(v, VAR_GAUGE32, (uint32_t)*from->val.integer);
		return true;
	case ASN_TIMETICKS:
		set_unsigned(v, VAR_TIMETICKS, (uint32_t)*from->val.integer);
		return true;
	case ASN_COUNTER64:
	case ASN_OPAQUE_COUNTER64:
	case ASN_OPAQUE_U64:
		set_unsigned(v, VAR_COUNTER64, join64(from->val.counter64));
		return true;
	case ASN_OPAQUE_I64:
		v->type = VAR_INTEGER;
		v->value.i = (int64_t)join64(from->val.counter64);
		return true;
	case ASN_OPAQUE:
		set_octets(v, VAR_OPAQUE, from);
		return true;
	case ASN_OPAQUE_FLOAT:
		v->type = VAR_FLOAT;
		v->value.d = (double)*from->val.floatVal;
		return true;
	case ASN_OPAQUE_DOUBLE:
		v->type = VAR_DOUBLE;
		v->value.d = *from->val.doubleVal;
		return true;
	case ASN_NULL:
		v->type = VAR_NULL;
		return true;
	case SNMP_NOSUCHOBJECT:
		v->type = VAR_NO_SUCH_OBJECT;
		return true;
	case SNMP_NOSUCHINSTANCE:
		v->type = VAR_NO_SUCH_INSTANCE;
		return true;
	case SNMP_ENDOFMIBVIEW:
		v->type = VAR_END_OF_MIB_VIEW;
		return true;
	default:
		return false;
	}
}

bool pdu_copy_vars(const netsnmp_variable_list *from, struct vars *vars)
{
	uint32_t name[OID_MAX], id[OID_MAX];
	struct varbind v = {.oid = name};

	for (; from; from = from->next_variable) {
		v.noid = (uint8_t)narrow(from->name, from->name_length, name);
		if (!set_value(&v, from, id))
			return false;
		vars_add(vars, &v);
	}
	return true;
}
