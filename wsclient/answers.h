/*
 * Answers from when they are written into the ledger until they are done with:
 * queued, sent, confirmed or given up, counted, and told to the audit. The
 * pipeline says when.
 */
#ifndef FXWIRE_WSCLIENT_ANSWERS_H
#define FXWIRE_WSCLIENT_ANSWERS_H

#include "wsclient/audit_trail.h"
#include "wsclient/outbox.h"
#include "wsclient/pipeline.h"
#include "wsclient/refusals.h"
#include "wsclient/response.h"
#include "wsclient/undelivered.h"

struct answers {
    struct ledger *ledger;
    struct metrics *metrics;
    const struct pipeline_ports *ports;
    struct audit_trail *audit; /* NULL: none */
    struct outbox outbox;
    struct undelivered undelivered;
    struct refusals refusals; /* of what the ledger had no room for */
    duration retry_ttl;
    bool date_of_request;
    bool show_messages;
};

/* What the pointers lead to is lent. */
void answers_init(struct answers *answers, const struct settings *settings,
                  struct ledger *ledger, struct metrics *metrics,
                  const struct pipeline_ports *ports) NONNULL_ALL;
void answers_clear(struct answers *answers) NONNULL_ALL;

/* Logs a message, where they are to be shown. */
void answers_show(const struct answers *answers, enum event_id event,
                  struct span text) NONNULL(1);

/* Answers by an error; `id` is a part of the request, or empty. */
void answers_error(struct answers *answers, struct message *message,
                   struct span id, enum refusal refusal, enum metric result)
    NONNULL(1, 2);

/* Whether something waits to be sent. */
static inline bool answers_has_any(const struct answers *answers) {
    return outbox_has_any(&answers->outbox) ||
           refusals_count(&answers->refusals) > 0;
}

/* The answer is written; the message waits to be sent. */
static inline void answers_queue(struct answers *answers,
                                 struct message *message, size_t len,
                                 enum metric result) {
    bool is_first = !answers_has_any(answers);
    ledger_answered(message, len);
    metrics_count(answers->metrics, result);
    outbox_add(&answers->outbox, message);
    if (is_first)
        answers->ports->answers_ready(answers->ports->arg);
}

/*
 * Answers by a response; `text` is what `request` was read from, `source` (NULL
 * if there is no audit) where the rates are from.
 */
static inline void
answers_convert(struct answers *answers, struct message *message,
                const struct request *request, struct span text,
                const struct rate_pair *rates,
                const struct audit_source *source, const struct now *now) {
    euro amount = decimal_convert(request->amount, *rates);
    int64_t date_ms = answers->date_of_request ? -1 : now->wall_ms;
    size_t len = response_write(request, text, amount, date_ms,
                                ledger_answer_room(message));
    if (source != NULL)
        audit_trail_converted(answers->audit, message, request, amount, source,
                              now);
    answers_queue(answers, message, len, METRIC_REQUESTS_CONVERTED);
}

/* The ledger has no room for the request `text`: answered, and not kept. */
void answers_refuse(struct answers *answers, struct span id, struct span text,
                    int64_t now_ms) NONNULL(1);

/* See pipeline_next() and the others. */
MUST_CHECK bool answers_next(struct answers *answers, monotime now,
                             struct pipeline_item *item) NONNULL_ALL;
void answers_sent(struct answers *answers, const struct pipeline_item *item,
                  monotime now) NONNULL_ALL;
void answers_confirmed(struct answers *answers, uint64_t position) NONNULL_ALL;
bool answers_disconnected(struct answers *answers,
                          const struct pipeline_break *end,
                          monotime now) NONNULL_ALL;

#endif
