/*
 * A run over a broker that writes a file: what it leaves behind if it dies, and what is made of that.
 *
 * The problem: a master of a million hosts dies in the middle. The records that it has written are in no message any more;
 * those that it has not are still with the broker, or with agents, in messages that name the run and the master. So who
 * takes the run up must have the same number and name, the same numbers of targets, and know whose records stand in
 * the file. All of that is in the journal beside the temporary file (link/journal.h).
 *
 * Only a run that was asked to resume does so: a timer that starts the next poll wants the values of now. It tells that there
 * were remains, and begins anew. What is sorted waits elsewhere until all is there, so it leaves nothing to be taken
 * up; a file that is added to, a stream, rounds and a name that holds the time neither.
 *
 * What stays: the remains of a run that was killed; of one that could not write, for who makes room; and of one that was
 * to be taken up and could not begin (the broker is away). A signal that ends a run at once takes them away, as without
 * a broker.
 */
#include "main_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

bool main_resumable(const struct options *o)
{
	return o->broker != NULL && !o->agent && o->output != NULL && !o->append &&
	       strchr(o->output, '%') == NULL && o->interval_us == 0 && o->layout.sorted == NULL &&
	       o->layout.order == LAYOUT_AS_THEY_COME;
}

static uint64_t hash_octets(uint64_t hash, const void *p, size_t len)
{
	const uint8_t *octets = p;

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ octets[i]) * UINT64_C(0x100000001b3); /* FNV-1a */
	return hash;
}

/* What is asked of whom, and how it is written. */
static uint64_t what_of(const struct options *o, const struct plan *plan)
{
	const char *fields = o->fields != NULL ? o->fields : "";
	uint64_t hash = plan_what(plan, &o->plan);

	hash = hash_octets(hash, o->format->name, strlen(o->format->name) + 1);
	hash = hash_octets(hash, fields, strlen(fields) + 1);
	hash = hash_octets(hash, &o->format_options.null, sizeof(o->format_options.null));
	return hash_octets(hash, &o->unwanted, sizeof(o->unwanted));
}

/* A number and a name that no other run has. */
static bool name_run(struct journal_head *h)
{
	uint64_t name;

	if (getentropy(&h->run, sizeof(h->run)) != 0 || getentropy(&name, sizeof(name)) != 0) {
		log_error("the system has no random numbers");
		return false;
	}
	snprintf(h->master, sizeof(h->master), "m%016" PRIx64, name);
	return true;
}

static void take(void *arg, uint64_t seq)
{
	ledger_take(arg, seq);
}

static int refuse(const char *error)
{
	log_error("%s", error);
	return EXIT_WRONG;
}

static int take_up(struct job *job)
{
	struct remains *r = &job->remains;
	struct journal_reader reader = {.taken = take};
	char error[JOURNAL_ERROR_MAX];
	enum writer_result kept;

	if (writer_journal(job->writer) == NULL)
		return refuse("--resume: the output is no file");
	r->taken = ledger_new(r->head.tasks);
	reader.arg = r->taken;
	r->journal = journal_resume(writer_journal(job->writer), &r->head, &r->sums, &reader,
				    error);
	if (r->journal == NULL)
		return refuse(error);
	kept = writer_keep(job->writer, r->sums.length);
	if (kept != WRITER_OK)
		return main_writer_status(job->writer, kept);
	return EXIT_ALL_OK;
}

static int begin(struct job *job)
{
	struct remains *r = &job->remains;
	const char *path = writer_journal(job->writer);
	char error[JOURNAL_ERROR_MAX];

	if (!name_run(&r->head))
		return EXIT_SYSTEM;
	if (path == NULL)
		return EXIT_ALL_OK;
	r->journal = journal_new(path, &r->head, error);
	if (r->journal != NULL)
		return EXIT_ALL_OK;
	log_error("%s", error);
	return EXIT_NOT_WRITTEN;
}

void main_remains_told(const struct job *job)
{
	if (writer_found_remains(job->writer))
		log_warning("a run over a broker died while it wrote '%s'; --resume would have "
			    "taken it up, "
			    "now all is polled anew",
			    job->o->output);
}

int main_remains_open(struct job *job)
{
	const struct options *o = job->o;

	if (o->broker == NULL)
		return EXIT_ALL_OK;
	job->remains.head.tasks = plan_total(job->plan);
	if (main_resumable(o))
		job->remains.head.what = what_of(o, job->plan);
	return o->resume ? take_up(job) : begin(job);
}

void main_remains_close(struct job *job, const struct master_result *r)
{
	struct remains *left = &job->remains;
	bool begun = r != NULL && !r->aborted;
	bool stays = begun ? r->written != WRITER_OK
			   : job->o->resume && (r == NULL || r->signal == 0);

	if (left->journal != NULL && stays) {
		writer_leave(job->writer);
		journal_free(left->journal);
		if (begun)
			log_warning("what was written of '%s' is kept; the same command with "
				    "--resume takes it "
				    "up",
				    job->o->output);
	} else if (left->journal != NULL) {
		journal_end(left->journal);
	}
	ledger_free(left->taken);
	left->journal = NULL;
	left->taken = NULL;
}
