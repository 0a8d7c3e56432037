#include "wsclient/pipeline.h"

#include <stdlib.h>

#include "common/log.h"
#include "common/memory.h"
#include "wsclient/outbox.h"
#include "wsclient/ratebook.h"
#include "wsclient/refusals.h"
#include "wsclient/request.h"
#include "wsclient/response.h"
#include "wsclient/waiting.h"

/* A message in whose handling so many wsclients died is not tried again. */
enum { DEADLY = 2 };

struct pipeline {
    struct ledger *ledger;
    struct metrics *metrics;
    struct pipeline_ports ports;
    struct ratebook *ratebook;
    struct waiting waiting;
    struct outbox outbox;
    struct message *lent;     /* whose answer was given out; or NULL */
    struct refusals refusals; /* answers to what the ledger had no room for */
    int64_t request_timeout_usec;
    int64_t retry_ttl_usec;
    unsigned connection; /* the number of the present one */
    bool date_of_request;
    bool show_messages;
    bool stopping;
    bool alarm_set;
    bool told_expired;
};

static const struct rate_pair of_euro = {{1, 0}, {1, 0}};
static const struct span any_currency = {"", 0};

struct pipeline *pipeline_new(const struct settings *settings,
                              struct ledger *ledger, struct metrics *metrics,
                              const struct pipeline_ports *ports,
                              bool show_messages) {
    struct pipeline *p = memory_new(sizeof *p);
    p->ledger = ledger;
    p->metrics = metrics;
    p->ports = *ports;
    p->ratebook = ratebook_new();
    TAILQ_INIT(&p->waiting);
    outbox_init(&p->outbox);
    refusals_init(&p->refusals);
    p->request_timeout_usec =
        settings_duration(settings, SETTING_REQUEST_TIMEOUT_SECONDS).usec;
    p->retry_ttl_usec =
        settings_duration(settings, SETTING_RETRY_MESSAGE_TTL).usec;
    p->date_of_request =
        settings_is(settings, SETTING_RESPONSE_DATE, "request");
    p->show_messages = show_messages;
    return p;
}

void pipeline_free(struct pipeline **pipeline) {
    struct pipeline *p = *pipeline;
    *pipeline = NULL;
    struct question *question;
    while ((question = TAILQ_FIRST(&p->waiting)) != NULL)
        waiting_close(&p->waiting, question);
    ratebook_free(&p->ratebook);
    refusals_clear(&p->refusals);
    free(p);
}

static void show(const struct pipeline *p, const char *event,
                 struct span text) {
    if (p->show_messages)
        log_show(event, text);
}

/* The answer is written; the message waits to be sent. */
static void queue_answer(struct pipeline *p, struct message *message,
                         size_t len, enum metric result) {
    ledger_answered(message, len);
    metrics_count(p->metrics, result);
    outbox_add(&p->outbox, message);
    p->ports.answers_ready(p->ports.arg);
}

static void answer_error(struct pipeline *p, struct message *message,
                         struct span id, enum refusal refusal,
                         enum metric result) {
    size_t len = response_write_error(id, refusal, ledger_answer_room(message));
    queue_answer(p, message, len, result);
}

static void answer_converted(struct pipeline *p, struct message *message,
                             const struct request *request, struct span text,
                             struct rate_pair rates) {
    euro amount = decimal_convert(request->amount, rates);
    int64_t date_ms = p->date_of_request ? -1 : clock_wall_ms();
    size_t len = response_write(request, text, amount, date_ms,
                                ledger_answer_room(message));
    queue_answer(p, message, len, METRIC_REQUESTS_CONVERTED);
}

static void set_alarm(struct pipeline *p) {
    monotime oldest;
    p->alarm_set = waiting_oldest(&p->waiting, &oldest);
    if (p->alarm_set)
        p->ports.set_alarm(
            p->ports.arg,
            monotime_add(oldest, (duration){p->request_timeout_usec}));
}

static void ask(struct pipeline *p, struct question *question) {
    question->asked =
        p->ports.ask(p->ports.arg, question->when, question_currency(question));
}

/* Joins the message to the question that has to be answered first. */
static void wait_for_rates(struct pipeline *p, struct message *message,
                           day when, struct span currency) {
    struct question *question = waiting_find(&p->waiting, when, currency);
    if (question == NULL) {
        question = waiting_open(&p->waiting, when, currency);
        ask(p, question);
    }
    waiting_join(question, message);
    if (!p->alarm_set)
        set_alarm(p);
}

/* Converts, or waits. `text` is what `request` was read from. */
static void convert(struct pipeline *p, struct message *message,
                    const struct request *request, struct span text,
                    monotime now) {
    struct span code = {request->code, RATES_CODE_LEN};
    struct rate_pair rates = of_euro;
    enum ratebook_result found =
        span_equals(code, "EUR")
            ? RATEBOOK_FOUND
            : ratebook_find(p->ratebook, request->day, code, now, &rates);
    switch (found) {
    case RATEBOOK_FOUND:
        answer_converted(p, message, request, text, rates);
        break;
    case RATEBOOK_NO_TABLE:
        wait_for_rates(p, message, request->day, any_currency);
        break;
    case RATEBOOK_NOT_IN_TABLE:
        wait_for_rates(p, message, request->day, code);
        break;
    case RATEBOOK_UNKNOWN_CURRENCY:
        answer_error(p, message, request->id, REFUSAL_NO_CURRENCY,
                     METRIC_REQUESTS_NO_RATE);
        break;
    }
}

/* The ledger has no room: answered at once, and not kept. */
static void refuse(struct pipeline *p, struct span id, struct span text) {
    bool full = ledger_could_take(p->ledger, text.len);
    metrics_count(p->metrics,
                  full ? METRIC_REQUESTS_FULL : METRIC_REQUESTS_INVALID);
    refusals_add(&p->refusals, id, full ? REFUSAL_FULL : REFUSAL_TOO_LARGE);
    p->ports.answers_ready(p->ports.arg);
}

/* What was taken needs no answer. `message` may be NULL. */
static void forget(struct pipeline *p, struct message *message) {
    if (message != NULL)
        ledger_release(p->ledger, message);
}

/* A request: `message` is NULL where the ledger has no room for it. */
static void answer_request(struct pipeline *p, struct message *message,
                           const struct request *request, struct span text,
                           monotime now) {
    if (request->kind == REQUEST_REFUSED && request->id.len == 0 &&
        !refusals_allow_nameless(&p->refusals, now)) {
        metrics_count(p->metrics, METRIC_REQUESTS_UNANSWERED);
        forget(p, message);
        return;
    }
    if (message == NULL) {
        refuse(p, request->id, text);
        return;
    }
    ledger_note_id(message, request->id);
    if (request->kind == REQUEST_REFUSED)
        answer_error(p, message, request->id, request->refusal,
                     METRIC_REQUESTS_INVALID);
    else
        convert(p, message, request, text, now);
}

static void ignore(struct pipeline *p, struct message *message,
                   const struct request *request, struct span text) {
    metrics_count(p->metrics, METRIC_REQUESTS_IGNORED);
    if (request->kind == REQUEST_ERROR)
        log_warn("upstream_error", LOG_FIELDS(log_span("text", text)));
    else
        log_warn("message_ignored",
                 LOG_FIELDS(log_text("why", "missing or unknown type")));
    forget(p, message);
}

static enum pipeline_verdict handle(struct pipeline *p, struct message *message,
                                    const struct request *request,
                                    struct span text, monotime now) {
    switch (request->kind) {
    case REQUEST_HEARTBEAT:
        forget(p, message);
        return PIPELINE_HEARTBEAT;
    case REQUEST_ERROR:
    case REQUEST_UNKNOWN:
        ignore(p, message, request, text);
        return PIPELINE_TAKEN;
    case REQUEST_CONVERT:
    case REQUEST_REFUSED:
        break;
    }
    show(p, "request", text);
    if (p->stopping)
        return PIPELINE_LEFT_UNTAKEN;
    answer_request(p, message, request, text, now);
    return PIPELINE_TAKEN;
}

/*
 * It is taken before it is read: should reading it be the end of this process,
 * the next one knows what it was.
 */
static struct message *take(struct pipeline *p, struct span text,
                            monotime now) {
    struct message *message =
        p->stopping ? NULL : ledger_take(p->ledger, text, now);
    if (message != NULL) {
        message->connection = p->connection;
        ledger_work_begins(p->ledger, message);
    }
    return message;
}

enum pipeline_verdict pipeline_receive(struct pipeline *pipeline,
                                       struct span text, monotime now) {
    struct message *message = take(pipeline, text, now);
    if (message != NULL)
        text = message->request;
    struct request request;
    request_read(text, clock_wall_ms(), &request);
    enum pipeline_verdict verdict =
        handle(pipeline, message, &request, text, now);
    ledger_work_ends(pipeline->ledger);
    return verdict;
}

enum pipeline_verdict pipeline_receive_too_long(struct pipeline *pipeline,
                                                monotime now) {
    static const struct request request = {.kind = REQUEST_REFUSED,
                                           .refusal = REFUSAL_TOO_LONG};
    static const struct span nothing = {"", 0};
    struct message *message = take(pipeline, nothing, now);
    enum pipeline_verdict verdict =
        handle(pipeline, message, &request, nothing, now);
    ledger_work_ends(pipeline->ledger);
    return verdict;
}

/* It is not read again, not even for its id. */
static void quarantine(struct pipeline *p, struct message *message) {
    answer_error(p, message, message->id, REFUSAL_QUARANTINED,
                 METRIC_REQUESTS_QUARANTINED);
    p->ports.quarantine(p->ports.arg, message);
}

static void recover(struct pipeline *p, struct message *message, monotime now) {
    if (message->answer.len > 0) {
        outbox_add(&p->outbox, message);
    } else if (message->deaths >= DEADLY) {
        quarantine(p, message);
    } else {
        struct request request;
        ledger_work_begins(p->ledger, message);
        request_read(message->request, clock_wall_ms(), &request);
        handle(p, message, &request, message->request, now);
        ledger_work_ends(p->ledger);
    }
}

void pipeline_recover(struct pipeline *pipeline, monotime now) {
    struct message_queue found = TAILQ_HEAD_INITIALIZER(found);
    ledger_found(pipeline->ledger, now, &found);
    if (!TAILQ_EMPTY(&found))
        log_info("messages_found",
                 LOG_FIELDS(log_int("count",
                                    (int64_t)ledger_count(pipeline->ledger))));
    struct message *message;
    while ((message = TAILQ_FIRST(&found)) != NULL) {
        TAILQ_REMOVE(&found, message, entry);
        recover(pipeline, message, now);
    }
}

unsigned pipeline_connected(struct pipeline *pipeline) {
    pipeline->told_expired = false;
    return ++pipeline->connection;
}

void pipeline_disconnected(struct pipeline *pipeline) {
    outbox_return_sent(&pipeline->outbox);
    refusals_clear(&pipeline->refusals); /* they were for this one */
}

/*
 * A message that waited is read again: its day may have been today's then and
 * yesterday's now, but the rates that it waited for serve it.
 */
static void read_again(const struct message *message, day when,
                       struct request *request) {
    request_read(message->request, clock_wall_ms(), request);
    request->day = when;
}

/* What an open question was answered with. */
struct outcome {
    day when;
    const struct rates *rates; /* NULL: none */
    bool unknown_currency;
    monotime now;
};

static void settle(struct pipeline *p, struct message *message,
                   const struct outcome *outcome) {
    struct request request;
    ledger_work_begins(p->ledger, message);
    read_again(message, outcome->when, &request);
    struct span code = {request.code, RATES_CODE_LEN};
    struct rate_pair rates;
    if (outcome->rates != NULL && rates_find_pair(outcome->rates, code, &rates))
        answer_converted(p, message, &request, message->request, rates);
    else if (outcome->rates != NULL)
        convert(p, message, &request, message->request, outcome->now);
    else
        answer_error(p, message, request.id,
                     outcome->unknown_currency ? REFUSAL_NO_CURRENCY
                                               : REFUSAL_NO_RATES,
                     METRIC_REQUESTS_NO_RATE);
    ledger_work_ends(p->ledger);
}

/* Closes the question first: a message that has to wait on asks anew. */
static void settle_question(struct pipeline *p, struct span currency,
                            const struct outcome *outcome) {
    struct question *question =
        waiting_find(&p->waiting, outcome->when, currency);
    if (question == NULL)
        return;
    struct message_queue messages = TAILQ_HEAD_INITIALIZER(messages);
    TAILQ_CONCAT(&messages, &question->messages, entry);
    waiting_close(&p->waiting, question);
    struct message *message;
    while ((message = TAILQ_FIRST(&messages)) != NULL) {
        TAILQ_REMOVE(&messages, message, entry);
        settle(p, message, outcome);
    }
    set_alarm(p);
}

void pipeline_rates(struct pipeline *pipeline, day when, struct span currency,
                    struct rates *rates, monotime expires) {
    ratebook_enter(pipeline->ratebook, when, rates, expires);
    settle_question(pipeline, currency,
                    &(struct outcome){.when = when,
                                      .rates = rates,
                                      .now = clock_monotonic()});
}

void pipeline_no_rates(struct pipeline *pipeline, day when,
                       struct span currency, bool unknown_currency) {
    if (unknown_currency && currency.len > 0)
        ratebook_enter_unknown(pipeline->ratebook, when, currency);
    settle_question(
        pipeline, currency,
        &(struct outcome){.when = when, .unknown_currency = unknown_currency});
}

void pipeline_ask_again(struct pipeline *pipeline) {
    struct question *question;
    TAILQ_FOREACH (question, &pipeline->waiting, entry)
        question->asked = false;
    pipeline_ask_rest(pipeline);
}

void pipeline_ask_rest(struct pipeline *pipeline) {
    struct question *question;
    TAILQ_FOREACH (question, &pipeline->waiting, entry)
        if (!question->asked)
            ask(pipeline, question);
}

static void time_out(struct pipeline *p, struct question *question,
                     monotime now) {
    struct message *message;
    while ((message = TAILQ_FIRST(&question->messages)) != NULL &&
           monotime_reached(
               now, monotime_add(message->waits_from,
                                 (duration){p->request_timeout_usec}))) {
        TAILQ_REMOVE(&question->messages, message, entry);
        answer_error(p, message, message->id, REFUSAL_TIMEOUT,
                     METRIC_REQUESTS_TIMEOUT);
    }
}

void pipeline_alarm(struct pipeline *pipeline, monotime now) {
    struct question *next;
    for (struct question *question = TAILQ_FIRST(&pipeline->waiting);
         question != NULL; question = next) {
        next = TAILQ_NEXT(question, entry);
        time_out(pipeline, question, now);
        if (TAILQ_EMPTY(&question->messages))
            waiting_close(&pipeline->waiting, question);
    }
    set_alarm(pipeline);
}

static bool is_expired(const struct pipeline *p, const struct message *message,
                       monotime now) {
    return message->connection != p->connection &&
           monotime_between(message->arrived, now).usec >= p->retry_ttl_usec;
}

/* Gives the next answer up. */
static void expire(struct pipeline *p, struct message *message) {
    metrics_count(p->metrics, METRIC_EXPIRED);
    log_warn("answer_expired", LOG_FIELDS(log_span("id", message->id)));
    if (!p->told_expired) /* once for each time without a connection */
        p->ports.alert(p->ports.arg, "answers_dropped",
                       "answers were too old when the upstream was back");
    p->told_expired = true;
    outbox_drop_next(&p->outbox);
    ledger_release(p->ledger, message);
}

bool pipeline_next_answer(struct pipeline *pipeline, monotime now,
                          struct span *answer) {
    struct message *message;
    while ((message = outbox_next(&pipeline->outbox)) != NULL &&
           is_expired(pipeline, message, now))
        expire(pipeline, message);
    pipeline->lent = message;
    if (message == NULL)
        return refusals_next(&pipeline->refusals, answer);
    *answer = message->answer;
    return true;
}

bool pipeline_next_refusal(struct pipeline *pipeline, struct span *refusal) {
    pipeline->lent = NULL;
    return refusals_next(&pipeline->refusals, refusal);
}

uint64_t pipeline_sent(struct pipeline *pipeline, monotime now) {
    struct message *message = pipeline->lent;
    pipeline->lent = NULL;
    metrics_count(pipeline->metrics, METRIC_RESPONSES);
    if (message == NULL) {
        refusals_sent(&pipeline->refusals);
        return 0;
    }
    show(pipeline, "response", message->answer);
    if (message->position == 0) /* it goes out for the first time */
        metrics_observe_request(pipeline->metrics,
                                monotime_between(message->arrived, now).usec);
    if (message->connection != pipeline->connection)
        metrics_count(pipeline->metrics, METRIC_RETRIED);
    outbox_sent(&pipeline->outbox);
    return message->position;
}

void pipeline_confirmed(struct pipeline *pipeline, uint64_t position) {
    struct message *message;
    while ((message = outbox_take_confirmed(&pipeline->outbox, position)) !=
           NULL)
        ledger_release(pipeline->ledger, message);
}

bool pipeline_has_several(const struct pipeline *pipeline) {
    return outbox_has_several(&pipeline->outbox) ||
           refusals_count(&pipeline->refusals) > 1;
}

bool pipeline_overloaded(const struct pipeline *pipeline) {
    return refusals_overflowed(&pipeline->refusals);
}

void pipeline_stop(struct pipeline *pipeline) {
    pipeline->stopping = true;
}

bool pipeline_is_filling(const struct pipeline *pipeline) {
    return ledger_is_filling(pipeline->ledger);
}

size_t pipeline_pending(const struct pipeline *pipeline) {
    return ledger_count(pipeline->ledger) + refusals_count(&pipeline->refusals);
}
