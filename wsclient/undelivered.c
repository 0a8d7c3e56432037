#include "wsclient/undelivered.h"

#include <stdio.h>

#include "common/log.h"
#include "wsclient/link/peer_close.h"
#include "wsclient/refusals.h"
#include "wsclient/response.h"

/* Of an id, in an alert. */
enum { MAX_SHOWN_ID = 64 };

void undelivered_expired(struct undelivered *undelivered,
                         struct message *message) {
    struct undelivered *u = undelivered;
    char done[80];
    if (message->sends > 0)
        snprintf(done, sizeof done, "sent %u times, never confirmed",
                 message->sends);
    else
        snprintf(done, sizeof done, "%s",
                 message->connection == 0
                     ? "of an earlier process, and not sent again in time"
                     : "never sent: its turn did not come in time");
    metrics_count(u->metrics, METRIC_EXPIRED);
    log_warn(EVENT_ANSWER_EXPIRED,
             LOG_FIELDS(log_span("id", message->id), log_text("detail", done)));
    if (!u->alerted)
        u->ports->alert(u->ports->arg, EVENT_ANSWERS_DROPPED, done);
    u->alerted = true;
    audit_trail_ended(u->audit, message, "expired");
    ledger_release(u->ledger, message);
}

static void report_refused(struct undelivered *u, const struct message *message,
                           const char *why) {
    char detail[400];
    size_t shown = message->id.len;
    if (shown > MAX_SHOWN_ID) /* no character is cut in two */
        for (shown = MAX_SHOWN_ID; (message->id.data[shown] & 0xC0) == 0x80;)
            shown--;
    snprintf(detail, sizeof detail,
             "the answer with id %.*s, %zu bytes, sent %u times: %s",
             (int)shown, message->id.data, message->answer.len, message->sends,
             why);
    metrics_count(u->metrics, METRIC_ANSWERS_REFUSED);
    log_error(EVENT_ANSWER_REFUSED,
              LOG_FIELDS(log_span("id", message->id),
                         log_int("bytes", (int64_t)message->answer.len),
                         log_int("sent", message->sends),
                         log_text("detail", why)));
    u->ports->quarantine(u->ports->arg, message->answer, message->sequence);
    u->ports->alert(u->ports->arg, EVENT_ANSWER_REFUSED, detail);
}

/* A kill in between leaves the message unanswered: it is converted again. */
static void replace(struct undelivered *u, struct message *message) {
    audit_trail_replaced(u->audit, message);
    ledger_unanswer(message);
    audit_trail_error(u->audit, message, REFUSAL_BY_UPSTREAM);
    ledger_answered(message,
                    response_write_error(message->id, REFUSAL_BY_UPSTREAM,
                                         ledger_answer_room(message)));
    message->sends = message->breaks = message->lone_breaks = 0;
    message->replaced = true;
}

struct message *undelivered_refused(struct undelivered *undelivered,
                                    struct message *message,
                                    const struct pipeline_break *end) {
    report_refused(undelivered, message, end->detail);
    if (end->code == CLOSE_TOO_BIG && !message->replaced) {
        replace(undelivered, message);
        refusals_note(undelivered->metrics, REFUSAL_BY_UPSTREAM);
        return message;
    }
    audit_trail_ended(undelivered->audit, message, "refused");
    ledger_release(undelivered->ledger, message);
    return NULL;
}
