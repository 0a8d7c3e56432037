/*
 * The one file that knows the order of the steps: a message is read, taken
 * into the ledger, waits for its day's rates, is converted and answered. It
 * knows no socket and no loop; what it needs of them comes through its ports.
 */
#ifndef FXWIRE_WSCLIENT_PIPELINE_H
#define FXWIRE_WSCLIENT_PIPELINE_H

#include <stdbool.h>

#include "common/attributes.h"
#include "common/events.h"
#include "common/metrics.h"
#include "common/rates/rates.h"
#include "common/settings/settings.h"
#include "wsclient/ledger.h"
#include "wsclient/outbox.h"

struct audit_trail;
struct pipeline;

struct pipeline_ports {
    /* Something is there to be sent, and nothing was before. */
    void (*answers_ready)(void *arg);
    /*
     * Asks ratefetcher for the rates of `when`, with `currency` (empty: any) in
     * them. False: not now; pipeline_ask_again() or _rest() is to be called
     * once it can be.
     */
    bool (*ask)(void *arg, day when, struct span currency);
    /* A person is needed: what happened, in a word, and a detail. */
    void (*alert)(void *arg, enum event_id event, const char *detail);
    /* pipeline_alarm() is to be called at `when`, in the place of earlier. */
    void (*set_alarm)(void *arg, monotime when);
    /* Bytes of message number `sequence` are to be kept for a person. */
    void (*quarantine)(void *arg, struct span bytes, uint64_t sequence);
    void *arg;
};

/* `ledger` and `metrics` are lent. */
MUST_CHECK struct pipeline *pipeline_new(const struct settings *settings,
                                         struct ledger *ledger,
                                         struct metrics *metrics,
                                         const struct pipeline_ports *ports,
                                         bool show_messages) NONNULL_ALL;
void pipeline_free(struct pipeline **pipeline) NONNULL_ALL;

/* Tells the trail (lent) of all answers. To be called before all else. */
void pipeline_set_audit(struct pipeline *pipeline,
                        struct audit_trail *audit) NONNULL_ALL;

/*
 * Goes on with what an earlier wsclient left in the ledger. To be called once,
 * before anything is received.
 */
void pipeline_recover(struct pipeline *pipeline, struct now now);

/* A connection stands: answers may be sent. Gives it a number, from 1. */
unsigned pipeline_connected(struct pipeline *pipeline);

/* How a connection came to its end. */
struct pipeline_break {
    enum outbox_break why;
    unsigned code;      /* of its close frame; 0: it gave none */
    const char *detail; /* for people, lent */
};

/*
 * It is over: what was sent on it and is not confirmed is to be sent again, but
 * for an answer that is found to be refused, which is put into quarantine.
 * Gives whether there is such a one.
 */
bool pipeline_disconnected(struct pipeline *pipeline,
                           const struct pipeline_break *end,
                           monotime now) NONNULL_ALL;

/* What has become of a message that was received. */
enum pipeline_verdict {
    PIPELINE_TAKEN, /* it is in hand, or was answered or ignored */
    PIPELINE_HEARTBEAT,
    PIPELINE_REFUSED,     /* there was no room for it: see pipeline_next() */
    PIPELINE_LEFT_UNTAKEN /* a request that came after pipeline_stop() */
};

/* Handles one whole text message (valid UTF-8, lent). */
enum pipeline_verdict pipeline_receive(struct pipeline *pipeline,
                                       struct span text, struct now now);

/* A message came that was too long to be kept. */
enum pipeline_verdict pipeline_receive_too_long(struct pipeline *pipeline,
                                                struct now now);

/*
 * A table came for the question (when, currency), out of that layer of
 * ratefetcher's; it holds until `expires`.
 */
void pipeline_rates(struct pipeline *pipeline, day when, struct span currency,
                    struct rates *rates, const char *layer,
                    monotime expires) NONNULL_ALL;

/* No rates for that question: of the day, or of this currency alone. */
void pipeline_no_rates(struct pipeline *pipeline, day when,
                       struct span currency, bool unknown_currency);

/* ratefetcher was reached anew: asks all that is open again. */
void pipeline_ask_again(struct pipeline *pipeline);

/* ratefetcher takes questions again: asks those that could not be asked. */
void pipeline_ask_rest(struct pipeline *pipeline);

/* The time that was set has come. */
void pipeline_alarm(struct pipeline *pipeline, monotime now);

/* Something to be sent. */
struct pipeline_item {
    struct span text;        /* lent until pipeline_sent() or a disconnect */
    struct message *message; /* the pipeline's own; NULL: a refusal */
    uint64_t position;       /* see pipeline_confirmed(); 0: a refusal */
};

/*
 * Gives what may be sent now; false: nothing. Refusals go first: they are
 * not kept, so each has to be out before a Pong claims that its request was
 * taken. Answers of an earlier connection that are too old are dropped on the
 * way.
 */
MUST_CHECK bool pipeline_next(struct pipeline *pipeline, monotime now,
                              struct pipeline_item *item) NONNULL_ALL;

/* The item that pipeline_next() gave last has been sent. */
void pipeline_sent(struct pipeline *pipeline, const struct pipeline_item *item,
                   monotime now) NONNULL_ALL;

/*
 * The peer has confirmed all answers up to this position in the order of
 * sending on this connection, from 1: they are done with.
 */
void pipeline_confirmed(struct pipeline *pipeline, uint64_t position);

/*
 * They were let pass, by a peer that can not say more: they stay unconfirmed,
 * but the next window of answers that are sent again may go out.
 */
void pipeline_settled(struct pipeline *pipeline, uint64_t position);

/* Whether the next answers wait for the receipt of what is on the line. */
bool pipeline_is_resending(const struct pipeline *pipeline);

/*
 * Whether the next answer will stand alone on the line, as one is refused; and
 * whether the last one does.
 */
bool pipeline_goes_alone(const struct pipeline *pipeline);
bool pipeline_stands_alone(const struct pipeline *pipeline);

/*
 * Whether more refusals wait to be sent than are kept, so that the connection
 * is to be dropped. To be asked after PIPELINE_REFUSED.
 */
bool pipeline_overloaded(const struct pipeline *pipeline);

/* From now on takes no new request. */
void pipeline_stop(struct pipeline *pipeline);

/* Whether the ledger fills: answers should be confirmed soon. */
bool pipeline_is_filling(const struct pipeline *pipeline);

/* How many messages are in hand, refusals too. */
size_t pipeline_pending(const struct pipeline *pipeline);

#endif
