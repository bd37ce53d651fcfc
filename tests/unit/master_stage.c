/*
 * master_stage: see the header.
 */
#include "master_stage.h"

#include <poll.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/log.h"

#define PATIENCE_S 100

void *stage_begin(size_t page_len)
{
	void *page = mmap(NULL, page_len, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
			  0);

	assert_ptr_not_equal(page, MAP_FAILED);
	log_set_level(LOG_LEVEL_ERROR);
	alarm(PATIENCE_S);
	return page;
}

void stage_flush(struct queue *q, int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLOUT};

	while (queue_backlog(q) > 0) {
		if (!queue_flush(q))
			_exit(0);
		if (queue_backlog(q) > 0)
			poll(&p, 1, -1);
	}
}

void stage_format(struct buf *out, const struct record *r, const struct format_options *o)
{
	(void)o;
	buf_printf(out, "%s %s %s\n", r->host, record_status_name(r->status), r->message);
}

void stage_one_each(const unsigned *records, uint64_t targets, const struct master_result *r)
{
	uint64_t sum = 0;

	for (uint64_t seq = 0; seq < targets; seq++)
		if (records[seq] != 1)
			fail_msg("target %u has %u records", (unsigned)seq, records[seq]);
	for (int i = 0; i < RECORD_STATUS_COUNT; i++)
		sum += r->status[i];
	assert_int_equal(sum, targets);
	assert_int_equal(r->targets, targets);
}
