/*
 * How many repetitions the next GETBULK asks for.
 *
 * The problem: no fixed number is good (cacti#4105). Ten waste a device that answers a hundred; fifty
 * make others answer with fragments that a firewall drops, or with nothing, and a lost answer costs a
 * whole timeout, a thousand times the exchange. And a lost answer looks the same whether the device
 * does not send such large ones, ever, or the network dropped this one.
 *
 * The design: two bounds. `grown` counts varbinds: it doubles with each answer and falls to half of what
 * was lost, so that half of whatever is asked was answered before. `ceiling` counts octets, since that is
 * what devices and networks limit: it divides into varbinds by what a varbind was seen to need, taken
 * at once when rows become larger, by half when they become smaller.
 *
 *	       large answers lost more than small ones
 *	    OPEN  ───────────────────────────▶  LOWERED: 3/4 of what was lost
 *	(1,400 octets) ◀─┐                        │    ▲
 *	                 │ as large an answer     │    │ lost, or tooBig: back,
 *	                 │ came: at once again    │    │ and be patient twice as long
 *	                 │     `patience` answers ▼    │
 *	                 └───────────────────── TRIAL: 4/3 of the ceiling
 *
 * A wall stops large answers only; chance takes small ones as well. Each try after a lost one asks
 * for half: as often as these small tries were lost of late, large ones may be lost without a wall, and
 * one in five more. Each large loss brings a doubt of 1,000 less what is allowed of 1,000, each answer
 * as large takes the allowed away, and 2,400 are a wall: three losses in a row where nothing small is lost,
 * five where three small tries in ten are; losses that come often, though not in a row, add up to one.
 * The loss of a small try clears the suspicion. Below 484 octets, which everybody can carry, a wall needs
 * twice the doubt: there a small try is for one varbind, and whoever loses that is not heard of again.
 * A wall may be chance nevertheless, so it is tried again: soon where it turns out to have been
 * chance, ever more rarely where it stands. A device that never answers 1,024 octets thus loses
 * fourteen tries in a walk of a million rows; where three tries in ten are lost by chance, answers
 * keep seven tenths of their size. tooBig is no chance: one is enough.
 *
 * Rejected: a wall in varbinds, which the next table with longer rows runs into anew; a mean of all
 * rows, which is late when a column of counters is followed by one of descriptions; one number of
 * losses that is a wall wherever: at three lost in ten chance makes any such number soon, at size after
 * size, down to two varbinds.
 *
 * The trap: answers may be short, because the device limits itself or the subtree ended. What was asked
 * for counts as answered nevertheless, or a device that gives ten repetitions whatever one asks would
 * never disprove a wall.
 */
#include "snmp/pace.h"

#define PACE_HEAD      40     /* octets of a message around its varbinds, at least */
#define PACE_GUESS     100    /* octets of a varbind before one was seen */
#define PACE_MOST      0xffff /* varbinds; so much does no UDP datagram hold */
#define CHANCE_ALL     1000   /* doubt that a loss brings, where none is by chance */
#define CHANCE_SPAN    128    /* small tries looked back on, at most */
#define CHANCE_NONE    4      /* small tries answered before the first one, as it were */
#define DOUBT_SLACK    200    /* so much more often than small ones may large ones be lost */
#define DOUBT_WALL     2400   /* three in a row, where none is lost by chance */
#define DOUBT_TRIAL    700    /* of a size on trial: one, two where small ones are lost */
#define LEAST_OCTETS   484 /* that everybody can carry, RFC 3417 §3.2: below it twice the doubt */
#define PATIENCE_FIRST 16  /* answers */
#define PATIENCE_MOST  (64 * 1024)

void pace_start(struct pace *p, unsigned max_repetitions)
{
	*p = (struct pace){
		.max_repetitions = max_repetitions,
		.grown = PACE_FIRST,
		.ceiling = PACE_OCTETS,
		.patience = PATIENCE_FIRST,
	};
}

static uint32_t each(const struct pace *p)
{
	return p->each ? p->each : PACE_GUESS;
}

/* Octets of an answer with so many varbinds. */
static uint32_t size_of(const struct pace *p, size_t varbinds)
{
	return PACE_HEAD + (uint32_t)(varbinds < PACE_MOST ? varbinds : PACE_MOST) * each(p);
}

/* Varbinds of an answer with so many octets. */
static size_t fitting(const struct pace *p, uint32_t octets)
{
	size_t fit = octets > PACE_HEAD ? (octets - PACE_HEAD) / each(p) : 0;

	return fit ? fit : 1;
}

/* About as large: a question's columns and repetitions cannot meet every number. */
static bool as_large(uint32_t octets, uint32_t as)
{
	return octets >= as - as / 8;
}

size_t pace_columns(const struct pace *p, size_t most, unsigned tries)
{
	size_t fit = tries < 16 ? fitting(p, p->ceiling) >> tries : 1;

	if (fit > most)
		fit = most;
	return fit ? fit : 1;
}

unsigned pace_repetitions(const struct pace *p, size_t columns, unsigned tries)
{
	size_t n = fitting(p, p->ceiling);

	if (n > p->grown)
		n = p->grown;
	n /= columns ? columns : 1;
	if (p->max_repetitions && n > p->max_repetitions)
		n = p->max_repetitions;
	n = tries < 16 ? n >> tries : 1;
	return n ? (unsigned)n : 1;
}

static void forget_loss(struct pace *p)
{
	p->lost_at = 0;
	p->lost_ago = 0;
	p->doubt = 0;
}

static void set_ceiling(struct pace *p, uint32_t octets)
{
	p->ceiling = octets < PACE_OCTETS ? octets : PACE_OCTETS;
	p->answers = 0;
	p->held = 0;
	forget_loss(p);
}

static void be_patient(struct pace *p)
{
	if (p->patience < PATIENCE_MOST)
		p->patience *= 2;
}

/* What was tried higher does not hold: back to where it did. */
static void end_trial(struct pace *p)
{
	set_ceiling(p, p->held);
	be_patient(p);
}

/* Answers so large do not come: three quarters of what was lost. */
static void believe(struct pace *p)
{
	set_ceiling(p, p->lost_at - p->lost_at / 4);
	/* Where chance is at work it may have made this one, whatever the walls before it were. */
	p->patience = p->unlucky ? PATIENCE_FIRST : p->patience / 4;
	if (p->patience < PATIENCE_FIRST)
		p->patience = PATIENCE_FIRST;
}

/* By a third, and by one varbind at least. */
static void try_higher(struct pace *p)
{
	uint32_t held = p->ceiling, higher = held + held / 3,
		 more = size_of(p, fitting(p, held) + 1);

	set_ceiling(p, higher > more ? higher : more);
	p->held = held;
}

/* An answer of the size that is on trial came, or as many as would have found the wall: questions of
 * few columns and repetitions do not reach every size. Then the next trial follows at once. */
static void judge_trial(struct pace *p, size_t asked)
{
	if (asked > fitting(p, p->held) && as_large(size_of(p, asked), p->ceiling))
		p->patience = p->patience > 2 * PATIENCE_FIRST ? p->patience / 2 : PATIENCE_FIRST;
	else if (p->answers < p->patience)
		return;
	p->held = 0;
	p->answers = p->patience;
}

/* Losses that no wall explains, so many of 1,000 large questions. */
static uint32_t allowed(const struct pace *p)
{
	uint32_t n = p->unlucky * CHANCE_ALL / (p->small + CHANCE_NONE) + DOUBT_SLACK;

	return n < CHANCE_ALL - DOUBT_SLACK ? n : CHANCE_ALL - DOUBT_SLACK;
}

/* A small try was answered, or lost: half of one lost before it, or of what a question asks for. */
static void see_chance(struct pace *p, bool lost)
{
	if (++p->small > CHANCE_SPAN) {
		p->small /= 2;
		p->unlucky /= 2;
	}
	if (lost)
		p->unlucky++;
}

/* What an answer so large says about losses of late. */
static void judge_loss(struct pace *p, uint32_t size)
{
	if (as_large(size, p->lost_at))
		p->doubt -= p->doubt < allowed(p) ? p->doubt : allowed(p);
	if (!p->doubt || ++p->lost_ago >= PATIENCE_FIRST)
		forget_loss(p);
}

static void see_size(struct pace *p, size_t varbinds, size_t octets)
{
	uint32_t now;

	if (varbinds == 0)
		return;
	now = (uint32_t)((octets > PACE_HEAD ? octets - PACE_HEAD : 0) / varbinds);
	if (now < p->each)
		now = (p->each + now) / 2;
	p->each = now ? now : 1;
}

void pace_answered(struct pace *p, size_t asked, size_t varbinds, size_t octets)
{
	uint32_t size;

	see_size(p, varbinds, octets);
	size = size_of(p, asked);
	if (asked > 1 && asked * 2 <= p->lost)
		see_chance(p, false);
	p->answers++;
	if (asked * 2 > p->grown)
		p->grown = (uint32_t)(asked * 2 < PACE_MOST ? asked * 2 : PACE_MOST);
	p->usual = p->lost ? p->grown : (uint32_t)(asked < PACE_MOST ? asked : PACE_MOST);
	p->lost = 0;
	if (p->lost_at)
		judge_loss(p, size);
	if (p->held)
		judge_trial(p, asked);
	if (!p->held && p->answers >= p->patience && p->ceiling < PACE_OCTETS)
		try_higher(p);
}

/* Of one size is the suspicion: a loss of half of it, or of twice, begins another. */
static void doubt_size(struct pace *p, uint32_t size)
{
	if (size * 2 <= p->lost_at || size / 2 >= p->lost_at)
		forget_loss(p);
	if (!p->lost_at || size < p->lost_at)
		p->lost_at = size;
	p->lost_ago = 0;
	p->doubt += CHANCE_ALL - allowed(p);
}

void pace_lost(struct pace *p, size_t asked)
{
	bool trial = p->held && asked > fitting(p, p->held);

	if (asked * 2 <= (p->lost ? p->lost : p->usual)) {
		see_chance(p, true);
		forget_loss(p);
	} else if (!p->lost) {
		doubt_size(p, size_of(p, asked));
	}
	p->lost = (uint32_t)(asked < PACE_MOST ? asked : PACE_MOST);
	if (p->grown > asked / 2)
		p->grown = asked > 1 ? (uint32_t)(asked / 2) : 1;
	if (trial && p->doubt >= DOUBT_TRIAL)
		end_trial(p);
	else if (p->doubt >= (p->lost_at < LEAST_OCTETS ? 2 * DOUBT_WALL : DOUBT_WALL))
		believe(p);
}

bool pace_too_big(struct pace *p, size_t asked)
{
	if (asked < 2)
		return false;
	p->grown = (uint32_t)(asked / 2);
	if (p->held)
		end_trial(p);
	else
		set_ceiling(p, size_of(p, asked / 2));
	return true;
}
