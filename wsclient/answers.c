#include "wsclient/answers.h"

#include "common/log.h"

void answers_init(struct answers *answers, const struct settings *settings,
                  struct ledger *ledger, struct metrics *metrics,
                  const struct pipeline_ports *ports) {
    *answers = (struct answers){
        .ledger = ledger,
        .metrics = metrics,
        .ports = ports,
        .undelivered = {.ledger = ledger, .metrics = metrics, .ports = ports},
        .retry_ttl = settings_duration(settings, SETTING_RETRY_MESSAGE_TTL),
        .date_of_request =
            settings_is(settings, SETTING_RESPONSE_DATE, "request"),
    };
    outbox_init(&answers->outbox);
    refusals_init(&answers->refusals);
}

void answers_clear(struct answers *answers) {
    refusals_clear(&answers->refusals);
}

void answers_show(const struct answers *answers, enum event_id event,
                  struct span text) {
    if (answers->show_messages)
        log_show(event, text);
}

void answers_error(struct answers *answers, struct message *message,
                   struct span id, enum refusal refusal, enum metric result) {
    size_t len = response_write_error(id, refusal, ledger_answer_room(message));
    audit_trail_error(answers->audit, message, refusal);
    refusals_note(answers->metrics, refusal);
    answers_queue(answers, message, len, result);
}

void answers_refuse(struct answers *answers, struct span id, struct span text,
                    int64_t now_ms) {
    bool full = ledger_could_take(answers->ledger, text.len);
    enum refusal refusal = full ? REFUSAL_FULL : REFUSAL_TOO_LARGE;
    bool is_first = !answers_has_any(answers);
    metrics_count(answers->metrics,
                  full ? METRIC_REQUESTS_FULL : METRIC_REQUESTS_INVALID);
    refusals_add(&answers->refusals, id, refusal);
    refusals_note(answers->metrics, refusal);
    audit_trail_unkept(answers->audit, id, refusal, now_ms);
    if (is_first)
        answers->ports->answers_ready(answers->ports->arg);
}

/* All that are old, of which `expired` is the first. */
static NOINLINE void give_up_old(struct answers *a, struct message *expired,
                                 monotime old) {
    for (; expired != NULL; expired = outbox_take_old(&a->outbox, old))
        undelivered_expired(&a->undelivered, expired);
}

bool answers_next(struct answers *answers, monotime now,
                  struct pipeline_item *item) {
    struct answers *a = answers;
    if (refusals_count(&a->refusals) > 0) {
        *item = (struct pipeline_item){.position = 0};
        return refusals_next(&a->refusals, &item->text);
    }
    monotime old = {now.usec - a->retry_ttl.usec};
    struct message *expired = outbox_take_old(&a->outbox, old);
    if (expired != NULL)
        give_up_old(a, expired, old);
    struct message *message = outbox_next(&a->outbox);
    if (message == NULL)
        return false;
    *item = (struct pipeline_item){.text = message->answer,
                                   .message = message,
                                   .position = a->outbox.position + 1};
    return true;
}

void answers_sent(struct answers *answers, const struct pipeline_item *item,
                  monotime now) {
    struct message *message = item->message;
    metrics_count(answers->metrics, METRIC_RESPONSES);
    if (message == NULL) {
        refusals_sent(&answers->refusals);
        outbox_accompanied(&answers->outbox);
        return;
    }
    answers_show(answers, EVENT_RESPONSE, message->answer);
    if (message->sends == 0)
        metrics_observe_request(answers->metrics,
                                monotime_between(message->arrived, now));
    if (message->connection != answers->outbox.connection)
        metrics_count(answers->metrics, METRIC_RETRIED);
    audit_trail_sent(answers->audit, message, now);
    outbox_sent(&answers->outbox, message);
}

void answers_confirmed(struct answers *answers, uint64_t position) {
    struct answers *a = answers;
    struct message *message = outbox_take_confirmed(&a->outbox, position);
    if (message == NULL)
        return;
    const struct now now = a->audit != NULL ? clock_now() : (struct now){0};
    do {
        audit_trail_confirmed(a->audit, message, &now);
        ledger_release(a->ledger, message);
        message = outbox_take_confirmed(&a->outbox, position);
    } while (message != NULL);
}

bool answers_disconnected(struct answers *answers,
                          const struct pipeline_break *end, monotime now) {
    struct answers *a = answers;
    struct message *refused = outbox_disconnected(&a->outbox, end->why, now);
    refusals_clear(&a->refusals); /* they were for this one */
    if (refused == NULL)
        return false;
    struct message *replaced =
        undelivered_refused(&a->undelivered, refused, end);
    if (replaced != NULL)
        outbox_add(&a->outbox, replaced);
    return true;
}
