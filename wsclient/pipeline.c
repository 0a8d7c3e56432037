#include "wsclient/pipeline.h"

#include <assert.h>
#include <stdlib.h>

#include "common/json_scan.h"
#include "common/log.h"
#include "common/memory.h"
#include "common/older_table.h"
#include "common/rates/euro_fixed.h"
#include "wsclient/answers.h"
#include "wsclient/day_rates.h"
#include "wsclient/waiting.h"

/* A message in whose handling so many wsclients died is not tried again. */
enum { DEATHS_TO_QUARANTINE = 2 };

struct pipeline {
    struct ledger *ledger;
    struct metrics *metrics;
    struct pipeline_ports ports;
    struct day_rates day_rates;
    struct waiting waiting;
    struct answers answers;
    duration request_timeout;
    bool stopping;
    bool alarm_set;
};

static const struct span any_currency = {"", 0};

struct pipeline *pipeline_new(const struct settings *settings,
                              struct ledger *ledger, struct metrics *metrics,
                              const struct pipeline_ports *ports,
                              bool show_messages) {
    struct pipeline *p = memory_new(sizeof *p);
    p->ledger = ledger;
    p->metrics = metrics;
    p->ports = *ports;
    day_rates_init(&p->day_rates);
    TAILQ_INIT(&p->waiting);
    answers_init(&p->answers, settings, ledger, metrics, &p->ports);
    p->answers.show_messages = show_messages;
    p->request_timeout =
        settings_duration(settings, SETTING_REQUEST_TIMEOUT_SECONDS);
    return p;
}

void pipeline_set_audit(struct pipeline *pipeline, struct audit_trail *audit) {
    pipeline->answers.audit = pipeline->answers.undelivered.audit = audit;
}

void pipeline_free(struct pipeline **pipeline) {
    struct pipeline *p = *pipeline;
    *pipeline = NULL;
    waiting_clear(&p->waiting);
    day_rates_clear(&p->day_rates);
    answers_clear(&p->answers);
    free(p);
}

static void set_alarm(struct pipeline *p) {
    monotime oldest;
    p->alarm_set = waiting_oldest(&p->waiting, &oldest);
    if (p->alarm_set)
        p->ports.set_alarm(p->ports.arg,
                           monotime_add(oldest, p->request_timeout));
}

static void ask(struct pipeline *p, struct question *question) {
    question->asked =
        p->ports.ask(p->ports.arg, question->when, question_currency(question));
}

static void wait_for_rates(struct pipeline *p, struct message *message,
                           day when, struct span currency) {
    struct question *question =
        waiting_join(&p->waiting, when, currency, message);
    if (!question->asked)
        ask(p, question);
    if (!p->alarm_set)
        set_alarm(p);
}

/* Answers with rates that were found here, and tells the audit where. */
static NOINLINE void
convert_audited(struct pipeline *p, struct message *message,
                const struct request *request, struct span text,
                const struct rate_pair *rates, const struct now *now) {
    struct span code = {request->code, RATES_CODE_LEN};
    day today = day_of_ms(now->wall_ms);
    struct audit_source source = {.layer = "wsclient"};
    if (!span_equals(code, "EUR"))
        source.fixed = euro_fixed_find(request->code, request->day, today);
    if (source.fixed == NULL && !span_equals(code, "EUR"))
        source.table =
            day_rates_table(&p->day_rates, request->day, code, now->monotonic);
    answers_convert(&p->answers, message, request, text, rates, &source, now);
}

/* Converts, or waits. `text` is what `request` was read from. */
static inline void convert(struct pipeline *p, struct message *message,
                           const struct request *request, struct span text,
                           struct now now) {
    struct span code = {request->code, RATES_CODE_LEN};
    struct rate_pair rates;
    day_rates_look_at_clock(&p->day_rates, now.wall_ms, now.monotonic);
    switch (day_rates_find(&p->day_rates, request->day, code, now.monotonic,
                           &rates)) {
    case DAY_RATES_FOUND:
        if (p->answers.audit != NULL)
            convert_audited(p, message, request, text, &rates, &now);
        else
            answers_convert(&p->answers, message, request, text, &rates, NULL,
                            &now);
        break;
    case DAY_RATES_NO_TABLE:
        wait_for_rates(p, message, request->day, any_currency);
        break;
    case DAY_RATES_NOT_IN_TABLE:
        wait_for_rates(p, message, request->day, code);
        break;
    case DAY_RATES_UNKNOWN_CURRENCY:
        answers_error(&p->answers, message, request->id, REFUSAL_NO_CURRENCY,
                      METRIC_REQUESTS_NO_RATE);
        break;
    }
}

/* What was taken needs no answer. `message` may be NULL. */
static void forget(struct pipeline *p, struct message *message) {
    if (message != NULL)
        ledger_release(p->ledger, message);
}

/* A request: `message` is NULL where the ledger has no room for it. */
static inline enum pipeline_verdict
answer_request(struct pipeline *p, struct message *message,
               const struct request *request, struct span text,
               struct now now) {
    if (request->kind == REQUEST_REFUSED && request->id.len == 0 &&
        !refusals_allow_nameless(&p->answers.refusals, now.monotonic)) {
        metrics_count(p->metrics, METRIC_REQUESTS_UNANSWERED);
        forget(p, message);
        return PIPELINE_TAKEN;
    }
    if (message == NULL) {
        answers_refuse(&p->answers, request->id, text, now.wall_ms);
        return PIPELINE_REFUSED;
    }
    ledger_note_id(message, request->id);
    if (request->kind == REQUEST_REFUSED) {
        answers_error(&p->answers, message, request->id, request->refusal,
                      METRIC_REQUESTS_INVALID);
        return PIPELINE_TAKEN;
    }
    if (p->answers.audit != NULL)
        audit_trail_request(p->answers.audit, message, request, text);
    convert(p, message, request, text, now);
    return PIPELINE_TAKEN;
}

static void ignore(struct pipeline *p, struct message *message,
                   const struct request *request, struct span text) {
    metrics_count(p->metrics, METRIC_REQUESTS_IGNORED);
    if (request->kind == REQUEST_ERROR)
        log_warn(EVENT_UPSTREAM_ERROR, LOG_FIELDS(log_span("text", text)));
    else
        log_warn(EVENT_MESSAGE_IGNORED,
                 LOG_FIELDS(log_text("why", "missing or unknown type")));
    forget(p, message);
}

static inline enum pipeline_verdict handle(struct pipeline *p,
                                           struct message *message,
                                           const struct request *request,
                                           struct span text, struct now now) {
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
    answers_show(&p->answers, EVENT_REQUEST, text);
    if (p->stopping)
        return PIPELINE_LEFT_UNTAKEN;
    return answer_request(p, message, request, text, now);
}

/*
 * It is taken before it is read: should reading it be the end of this process,
 * the next one knows what it was.
 */
static struct message *take(struct pipeline *p, struct span text,
                            struct now now) {
    struct message *message =
        p->stopping ? NULL : ledger_take(p->ledger, text, now.monotonic);
    if (message != NULL) {
        message->connection = p->answers.outbox.connection;
        ledger_work_begins(p->ledger, message);
    }
    return message;
}

/* Reads and answers a message whose text is padded, as the ledger's are. */
static inline enum pipeline_verdict read_message(struct pipeline *p,
                                                 struct message *message,
                                                 struct span text,
                                                 struct now now) {
    static_assert((int)RESPONSE_GROWTH_BYTES >= JSON_PADDING,
                  "room for its answer");
    struct request request;
    request_read(text, now.wall_ms, &request);
    return handle(p, message, &request, text, now);
}

/* The ledger has no room for it, or takes nothing any more. */
static NOINLINE enum pipeline_verdict
read_untaken(struct pipeline *p, struct span text, struct now now) {
    char *copy = json_padded_copy(text);
    text.data = copy;
    enum pipeline_verdict verdict = read_message(p, NULL, text, now);
    free(copy);
    return verdict;
}

enum pipeline_verdict pipeline_receive(struct pipeline *pipeline,
                                       struct span text, struct now now) {
    struct message *message = take(pipeline, text, now);
    if (message == NULL)
        return read_untaken(pipeline, text, now);
    enum pipeline_verdict verdict =
        read_message(pipeline, message, message->request, now);
    ledger_work_ends(pipeline->ledger);
    return verdict;
}

enum pipeline_verdict pipeline_receive_too_long(struct pipeline *pipeline,
                                                struct now now) {
    static const struct request request = {.kind = REQUEST_REFUSED,
                                           .refusal = REFUSAL_TOO_LONG};
    static const struct span nothing = {"", 0};
    struct message *message = take(pipeline, nothing, now);
    enum pipeline_verdict verdict =
        handle(pipeline, message, &request, nothing, now);
    ledger_work_ends(pipeline->ledger);
    return verdict;
}

/* By its bytes, white space aside, as reading it may be what is deadly. */
static bool is_heartbeat(struct span text) {
    const char *rest = "{\"type\":\"heartbeat\"}";
    for (size_t i = 0; i < text.len; i++)
        if (text.data[i] == *rest && *rest != '\0')
            rest++;
        else if (memchr(" \t\r\n", text.data[i], 4) == NULL)
            return false;
    return *rest == '\0';
}

/* It is not read again, not even for its id. */
static void quarantine(struct pipeline *p, struct message *message) {
    p->ports.quarantine(p->ports.arg, message->request, message->sequence);
    p->ports.alert(p->ports.arg, EVENT_MESSAGE_QUARANTINED,
                   "a message ended the process twice and was set aside");
    if (is_heartbeat(message->request)) {
        metrics_count(p->metrics, METRIC_REQUESTS_QUARANTINED);
        forget(p, message);
    } else {
        answers_error(&p->answers, message, message->id, REFUSAL_QUARANTINED,
                      METRIC_REQUESTS_QUARANTINED);
    }
}

static void recover(struct pipeline *p, struct message *message,
                    struct now now) {
    if (audit_trail_has(p->answers.audit, message)) {
        forget(p, message); /* all was done but this */
    } else if (message->answer.len > 0) {
        outbox_add_found(&p->answers.outbox, message);
    } else if (message->deaths >= DEATHS_TO_QUARANTINE) {
        quarantine(p, message);
    } else {
        ledger_work_begins(p->ledger, message);
        read_message(p, message, message->request, now);
        ledger_work_ends(p->ledger);
    }
}

void pipeline_recover(struct pipeline *pipeline, struct now now) {
    struct message_queue found = TAILQ_HEAD_INITIALIZER(found);
    ledger_found(pipeline->ledger, now.monotonic, &found);
    if (!TAILQ_EMPTY(&found))
        log_info(EVENT_MESSAGES_FOUND,
                 LOG_FIELDS(log_int("count",
                                    (int64_t)ledger_count(pipeline->ledger))));
    struct message *message;
    while ((message = TAILQ_FIRST(&found)) != NULL) {
        TAILQ_REMOVE(&found, message, entry);
        recover(pipeline, message, now);
    }
    audit_trail_all_seen(pipeline->answers.audit);
}

unsigned pipeline_connected(struct pipeline *pipeline) {
    pipeline->answers.undelivered.alerted = false;
    return outbox_connected(&pipeline->answers.outbox);
}

bool pipeline_disconnected(struct pipeline *pipeline,
                           const struct pipeline_break *end, monotime now) {
    return answers_disconnected(&pipeline->answers, end, now);
}

/* What an open question was answered with. */
struct outcome {
    day when;
    const struct rates *rates; /* NULL: none */
    const char *layer;         /* that they came from */
    bool unknown_currency;
    struct now now;
};

/*
 * The message is read again. Its day may have been today's then and be
 * yesterday's now, but the rates that it waited for serve it.
 */
static void answer_waiting(struct pipeline *p, struct message *message,
                           const struct outcome *outcome) {
    struct request request;
    ledger_work_begins(p->ledger, message);
    request_read(message->request, outcome->now.wall_ms, &request);
    request.day = outcome->when;
    struct span code = {request.code, RATES_CODE_LEN};
    struct rate_pair rates;
    const struct audit_source source = {.table = outcome->rates,
                                        .layer = outcome->layer};
    if (outcome->rates != NULL && rates_find_pair(outcome->rates, code, &rates))
        answers_convert(&p->answers, message, &request, message->request,
                        &rates, &source, &outcome->now);
    else if (outcome->rates != NULL)
        convert(p, message, &request, message->request, outcome->now);
    else
        answers_error(&p->answers, message, request.id,
                      outcome->unknown_currency ? REFUSAL_NO_CURRENCY
                                                : REFUSAL_NO_RATES,
                      METRIC_REQUESTS_NO_RATE);
    ledger_work_ends(p->ledger);
}

/* The question is closed first: a message that has to wait on asks anew. */
static void answer_question(struct pipeline *p, struct span currency,
                            const struct outcome *outcome) {
    struct message_queue messages;
    struct message *message;
    waiting_take(&p->waiting, outcome->when, currency, &messages);
    while ((message = TAILQ_FIRST(&messages)) != NULL) {
        TAILQ_REMOVE(&messages, message, entry);
        answer_waiting(p, message, outcome);
    }
    set_alarm(p);
}

void pipeline_rates(struct pipeline *pipeline, day when, struct span currency,
                    struct rates *rates, const char *layer, monotime expires) {
    const struct now now = clock_now();
    struct rates *best =
        day_rates_enter(&pipeline->day_rates, when, rates, expires, &now);
    if (best != rates)
        older_table_log(rates, "ratefetcher", best);
    if (currency.len > 0 && rates_find(best, currency) == NULL)
        best = rates; /* who asks anew would be told the same */
    answer_question(
        pipeline, currency,
        &(struct outcome){.when = when,
                          .rates = best,
                          .layer = best == rates ? layer : "wsclient",
                          .now = now});
}

void pipeline_no_rates(struct pipeline *pipeline, day when,
                       struct span currency, bool unknown_currency) {
    if (unknown_currency && currency.len > 0)
        day_rates_enter_unknown(&pipeline->day_rates, when, currency);
    answer_question(pipeline, currency,
                    &(struct outcome){.when = when,
                                      .unknown_currency = unknown_currency,
                                      .now = clock_now()});
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

void pipeline_alarm(struct pipeline *pipeline, monotime now) {
    struct message *message;
    monotime late = {now.usec - pipeline->request_timeout.usec};
    while ((message = waiting_take_late(&pipeline->waiting, late)) != NULL)
        answers_error(&pipeline->answers, message, message->id, REFUSAL_TIMEOUT,
                      METRIC_REQUESTS_TIMEOUT);
    set_alarm(pipeline);
}

bool pipeline_next(struct pipeline *pipeline, monotime now,
                   struct pipeline_item *item) {
    return answers_next(&pipeline->answers, now, item);
}

void pipeline_sent(struct pipeline *pipeline, const struct pipeline_item *item,
                   monotime now) {
    answers_sent(&pipeline->answers, item, now);
}

void pipeline_confirmed(struct pipeline *pipeline, uint64_t position) {
    answers_confirmed(&pipeline->answers, position);
}

void pipeline_settled(struct pipeline *pipeline, uint64_t position) {
    outbox_settled(&pipeline->answers.outbox, position);
}

bool pipeline_is_resending(const struct pipeline *pipeline) {
    return outbox_is_resending(&pipeline->answers.outbox);
}

bool pipeline_goes_alone(const struct pipeline *pipeline) {
    return outbox_goes_alone(&pipeline->answers.outbox);
}

bool pipeline_stands_alone(const struct pipeline *pipeline) {
    return outbox_stands_alone(&pipeline->answers.outbox);
}

bool pipeline_overloaded(const struct pipeline *pipeline) {
    return refusals_overflowed(&pipeline->answers.refusals);
}

void pipeline_stop(struct pipeline *pipeline) {
    pipeline->stopping = true;
}

bool pipeline_is_filling(const struct pipeline *pipeline) {
    return ledger_is_filling(pipeline->ledger);
}

size_t pipeline_pending(const struct pipeline *pipeline) {
    return ledger_count(pipeline->ledger) +
           refusals_count(&pipeline->answers.refusals);
}
