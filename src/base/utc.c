/*
 * The calendar, by arithmetic.
 *
 * The problem: records and lines of the log bear the time, and are made in children that may open no file;
 * gmtime_r(3) and strftime(3) look for a time zone's. So the calendar is arithmetic on days, in years that begin
 * with March: the leap day is then the last of its year and no month's length depends on the year.
 *
 * The trap: milliseconds before 1970 are negative, and C rounds towards zero. All is counted from year 0.
 */
#include "base/utc.h"

#define DAY_MS     86400000
#define TIME_LEAST (-62167219200000) /* 0000-01-01T00:00:00.000Z */
#define TIME_MOST  253402300799999   /* 9999-12-31T23:59:59.999Z */

static char *two(char *at, uint32_t v)
{
	*at++ = (char)('0' + v / 10);
	*at++ = (char)('0' + v % 10);
	return at;
}

static char *three(char *at, uint32_t v)
{
	*at++ = (char)('0' + v / 100);
	return two(at, v % 100);
}

/* The date of a day counted from 1 March of year -400, so that January and February of year 0 are not
 * negative. An era is 400 years of the Gregorian calendar, 146,097 days. */
static char *put_date(char *at, uint32_t day)
{
	uint32_t era = day / 146097;
	uint32_t of_era = day % 146097;
	uint32_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	uint32_t of_year = of_era - (365 * year + year / 4 - year / 100);
	uint32_t month = (5 * of_year + 2) / 153; /* from March */
	uint32_t of_month = of_year - (153 * month + 2) / 5 + 1;

	year += (era - 1) * 400 + (month >= 10);
	at = two(at, year / 100);
	at = two(at, year % 100);
	*at++ = '-';
	at = two(at, month < 10 ? month + 3 : month - 9);
	*at++ = '-';
	return two(at, of_month);
}

char *utc_put(char *at, int64_t ms)
{
	uint64_t from_start, day;
	uint32_t of_day;

	if (ms < TIME_LEAST)
		ms = TIME_LEAST;
	if (ms > TIME_MOST)
		ms = TIME_MOST;
	from_start = (uint64_t)(ms - TIME_LEAST);
	day = from_start / DAY_MS;
	of_day = (uint32_t)(from_start % DAY_MS);

	at = put_date(at, (uint32_t)day + 146097 - 60); /* 60 days from 1 January to 1 March */
	*at++ = 'T';
	at = two(at, of_day / 3600000);
	*at++ = ':';
	at = two(at, of_day / 60000 % 60);
	*at++ = ':';
	at = two(at, of_day / 1000 % 60);
	*at++ = '.';
	at = three(at, of_day % 1000);
	*at++ = 'Z';
	return at;
}
