#include "options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

enum {
	INTERFACES_MAX = 10000,
	SIZE_MIN = 484,
	SIZE_MAX_UDP = 65507,
	RECEIVE_BUFFER = 256 << 20 /* hundreds of thousands of requests: the park is to lose none */
};

enum kind {
	TEXT,
	NUMBER,
	DURATION,
	FLAG,
	RULE,
	USER,
	CONTEXT,
	HELP
};

/* Which field an option sets. */
struct setting {
	enum kind kind;
	size_t offset;
	uint32_t low, high; /* NUMBER */
};

#define SETTING(kind, field, low, high)                          \
	{                                                        \
		kind, offsetof(struct options, field), low, high \
	}

static const struct option names[] = {
	{"bind", required_argument, NULL, 0},
	{"port", required_argument, NULL, 0},
	{"community", required_argument, NULL, 0},
	{"interfaces", required_argument, NULL, 0},
	{"max-size", required_argument, NULL, 0},
	{"seed", required_argument, NULL, 0},
	{"receive-buffer", required_argument, NULL, 0},
	{"latency", required_argument, NULL, 0},
	{"jitter", required_argument, NULL, 0},
	{"stop-after", required_argument, NULL, 0},
	{"with-parent", no_argument, NULL, 0},
	{"log", required_argument, NULL, 0},
	{"rule", required_argument, NULL, 0},
	{"user", required_argument, NULL, 0},
	{"context", required_argument, NULL, 0},
	{"help", no_argument, NULL, 0},
	{NULL, 0, NULL, 0},
};

/* In the order of names. */
static const struct setting settings[] = {
	SETTING(TEXT, bind, 0, 0),
	SETTING(NUMBER, port, 0, 65535),
	SETTING(TEXT, community, 0, 0),
	SETTING(NUMBER, interfaces, 0, INTERFACES_MAX),
	SETTING(NUMBER, max_size, SIZE_MIN, SIZE_MAX_UDP),
	SETTING(NUMBER, seed, 1, UINT32_MAX),
	SETTING(NUMBER, receive_buffer, 0, 1 << 30),
	SETTING(DURATION, latency_us, 0, 0),
	SETTING(DURATION, jitter_us, 0, 0),
	SETTING(DURATION, stop_after_us, 0, 0),
	SETTING(FLAG, with_parent, 0, 0),
	SETTING(TEXT, log, 0, 0),
	SETTING(RULE, rules, 0, 0),
	SETTING(USER, usm, 0, 0),
	SETTING(CONTEXT, contexts, 0, 0),
	SETTING(HELP, rules, 0, 0),
};

_Static_assert(sizeof names / sizeof names[0] == sizeof settings / sizeof settings[0] + 1,
	       "one setting a name");

static void print_help(void)
{
	printf("usage: snmp-agents [option ...]\n"
	       "Answers SNMPv1, v2c and, for the users named, v3 for an agent on every loopback "
	       "address,\nfrom one UDP port.\n\n"
	       "  --port N            0: any free port; `port N' is printed when ready (default "
	       "0)\n"
	       "  --bind ADDR         only this address (default: 0.0.0.0 and ::)\n"
	       "  --community TEXT    others are ignored (default public)\n"
	       "  --user NAME[:AUTH:PASSPHRASE[:PRIV:PASSPHRASE]]   repeatable, SNMPv3; AUTH: MD5, "
	       "SHA-1,\n"
	       "                      SHA-224, SHA-256, SHA-384, SHA-512; PRIV: DES, AES-128, "
	       "AES-192,\n"
	       "                      AES-256, AES-192-C, AES-256-C\n"
	       "  --context NAME      repeatable: SNMPv3 contexts besides the empty one\n"
	       "  --interfaces N      rows of ifTable and ifXTable (default 2)\n"
	       "  --max-size N        octets of the largest answer (default 65507)\n"
	       "  --receive-buffer N  octets, as far as allowed (default 256 MiB)\n"
	       "  --latency DURATION  answer so much later; 50ms, 1.5s, 2m, seconds\n"
	       "  --jitter DURATION   and up to this much more\n"
	       "  --rule MATCH:BEHAVIOUR[,BEHAVIOUR...]   repeatable, the first match decides\n"
	       "  --seed N            of what is random\n"
	       "  --log FILE          a line per request: ms address port pdu request-id varbinds\n"
	       "  --stop-after DURATION   end by itself (default 600s)\n"
	       "  --with-parent       end within a second of the process that started it\n\n"
	       "MATCH: ADDRESS, ADDRESS/BITS, 127.0.0.10-20, every:N, percent:P, *\nBEHAVIOUR:\n");
	rules_print_names();
	printf("SIGUSR1 prints the counters as a line of JSON; SIGTERM and SIGINT do so and "
	       "end.\n");
}

static bool set_number(const struct setting *setting, const char *text, uint32_t *field)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);

	if (end == text || *end || *text == '-' || value < setting->low || value > setting->high)
		return false;
	*field = (uint32_t)value;
	return true;
}

static bool add_user(struct options *options, const char *text, char *message, size_t size)
{
	if (!options->usm)
		options->usm = usm_new();
	if (options->usm)
		return usm_add(options->usm, text, message, size);
	snprintf(message, size, "out of memory");
	return false;
}

static bool add_context(struct options *options, const char *text, char *message, size_t size)
{
	size_t n = 0;

	while (options->contexts[n])
		n++;
	snprintf(message, size, "at most %d", CONTEXTS_MAX);
	if (n == CONTEXTS_MAX)
		return false;
	options->contexts[n] = text;
	return true;
}

static bool set_duration(const char *text, uint32_t *field, char *message, size_t size)
{
	snprintf(message, size, "'%s' is no duration", text);
	return rules_duration(text, field);
}

static bool set(struct options *options, size_t index, const char *text)
{
	const struct setting *setting = &settings[index];
	void *field = (char *)options + setting->offset;
	char message[512] = "a number in its range is wanted";
	bool good = true;

	if (setting->kind == TEXT)
		*(const char **)field = text;
	else if (setting->kind == FLAG)
		*(bool *)field = true;
	else if (setting->kind == NUMBER)
		good = set_number(setting, text, field);
	else if (setting->kind == RULE)
		good = rules_add(&options->rules, text, message, sizeof message);
	else if (setting->kind == USER)
		good = add_user(options, text, message, sizeof message);
	else if (setting->kind == CONTEXT)
		good = add_context(options, text, message, sizeof message);
	else
		good = set_duration(text, field, message, sizeof message);
	if (!good)
		fprintf(stderr, "snmp-agents: --%s: %s\n", names[index].name, message);
	return good;
}

enum options_result options_read(struct options *options, int argc, char **argv)
{
	int index = 0, found;

	*options = (struct options){
		.community = "public", .interfaces = 2, .max_size = SIZE_MAX_UDP};
	options->seed = 1;
	options->receive_buffer = RECEIVE_BUFFER;
	options->stop_after_us = 600000000;
	while ((found = getopt_long(argc, argv, "", names, &index)) != -1) {
		if (found == '?')
			return OPTIONS_WRONG;
		if (settings[index].kind == HELP) {
			print_help();
			return OPTIONS_HELP;
		}
		if (!set(options, (size_t)index, optarg))
			return OPTIONS_WRONG;
	}
	if (optind < argc) {
		fprintf(stderr, "snmp-agents: '%s' is not understood\n", argv[optind]);
		return OPTIONS_WRONG;
	}
	return OPTIONS_RUN;
}

void options_free(struct options *options)
{
	rules_free(&options->rules);
	usm_free(options->usm);
}
