#include "wsclient/ratelink.h"

#include <errno.h>
#include <stdlib.h>

#include "common/backoff.h"
#include "common/lines/channel.h"
#include "common/lines/message.h"
#include "common/lines/unix_socket.h"
#include "common/log.h"
#include "common/memory.h"
#include "common/runtime_dir.h"
#include "wsclient/fd_watch.h"

#define FIRST_RETRY MILLISECONDS(20)
#define LAST_RETRY  MILLISECONDS(500)

/* No table holds longer: the largest CACHE_TTL_SECONDS there is. */
#define LONGEST_LEFT_SECONDS 31536000.0

struct ratelink {
    struct lws_context *context;
    struct pipeline *pipeline;
    char *path;
    struct channel channel; /* fd -1: not connected */
    struct fd_watch watch;
    lws_sorted_usec_list_t retry;
    struct backoff backoff;
    bool full;    /* a question was not taken */
    bool failing; /* said so in the log */
};

static void connect_later(struct ratelink *link);

static void hang_up(struct ratelink *link) {
    fd_watch_stop(&link->watch);
    channel_clear(&link->channel);
    connect_later(link);
}

static void on_error_message(struct ratelink *link,
                             const struct json_object *message, day when,
                             struct span currency) {
    const char *code = message_text(message, "code");
    log_debug(EVENT_RATES_REFUSED,
              LOG_FIELDS(log_text("date", message_text(message, "date")),
                         log_text("code", code)));
    pipeline_no_rates(link->pipeline, when, currency,
                      code != NULL && strcmp(code, "unknown_currency") == 0);
}

/* How long the table holds. Whatever number is there, this is within bounds. */
static duration time_left(const struct json_object *message) {
    double seconds = message_number(message, "expires_in", 0);
    if (!(seconds > 0)) /* so of one that is not a number, too */
        return SECONDS(0);
    if (seconds > LONGEST_LEFT_SECONDS)
        seconds = LONGEST_LEFT_SECONDS;
    return (duration){(int64_t)(seconds * (double)USEC_PER_SEC)};
}

static void on_rates_message(struct ratelink *link,
                             const struct json_object *message, day when,
                             struct span currency) {
    const char *why;
    struct rates *rates = rates_from_message(message, &why);
    if (rates == NULL) {
        log_error(EVENT_RATES_BAD, LOG_FIELDS(log_text("why", why)));
        pipeline_no_rates(link->pipeline, when, currency, false);
        return;
    }
    const char *layer = message_text(message, "layer");
    pipeline_rates(link->pipeline, when, currency, rates,
                   layer != NULL ? layer : "unknown",
                   monotime_add(clock_monotonic(), time_left(message)));
    rates_release(&rates);
}

/* Whether the message tells which question it answers. */
static bool read_question(const struct json_object *message, day *when,
                          struct span *currency) {
    const char *date = message_text(message, "date");
    const char *code = message_text(message, "currency");
    *currency = span_of(code != NULL ? code : "");
    return date != NULL && rates_day_parse(span_of(date), when) &&
           when->number >= DAY_FIRST_RATES.number &&
           (currency->len == 0 || rates_is_code(*currency));
}

/* False: no line of ratefetcher's, so that the link is not to be trusted. */
static bool on_line(struct ratelink *link, struct span line) {
    day when;
    struct span currency;
    struct json_object *message = message_parse(line);
    enum message_op op = message_op(message);
    bool good = (op == MESSAGE_RATES || op == MESSAGE_ERROR) &&
                read_question(message, &when, &currency);
    if (!good)
        log_error(EVENT_RATES_LINE_BAD, LOG_FIELDS(log_span("line", line)));
    else if (op == MESSAGE_RATES)
        on_rates_message(link, message, when, currency);
    else
        on_error_message(link, message, when, currency);
    json_object_put(message);
    if (good)
        backoff_reset(&link->backoff);
    return good;
}

static void on_ready(void *arg) {
    struct ratelink *link = arg;
    if (link->watch.wsi == NULL || channel_flush(&link->channel) < 0) {
        hang_up(link);
        return;
    }
    if (link->full && !channel_has_output(&link->channel)) {
        link->full = false;
        pipeline_ask_rest(link->pipeline);
    }
    for (;;) {
        struct span line;
        switch (channel_read(&link->channel)) {
        case CHANNEL_IDLE:
            if (channel_has_output(&link->channel))
                fd_watch_for_writing(&link->watch);
            return;
        case CHANNEL_LINES:
            while (channel_next_line(&link->channel, &line))
                if (!on_line(link, line)) {
                    hang_up(link);
                    return;
                }
            break;
        case CHANNEL_CLOSED:
        case CHANNEL_BROKEN:
            hang_up(link);
            return;
        }
    }
}

static void log_state(struct ratelink *link, bool failing, const char *why) {
    if (failing == link->failing)
        return;
    link->failing = failing;
    if (failing)
        log_warn(EVENT_RATEFETCHER_UNREACHED, LOG_FIELDS(log_text("why", why)));
    else
        log_info(EVENT_RATEFETCHER_REACHED, NULL);
}

static void connect_now(lws_sorted_usec_list_t *retry) {
    struct ratelink *link = lws_container_of(retry, struct ratelink, retry);
    int fd = unix_socket_connect(link->path);
    if (fd < 0) {
        log_state(link, true, strerror(errno));
        connect_later(link);
        return;
    }
    channel_init(&link->channel, fd);
    if (fd_watch_start(&link->watch, link->context, fd, on_ready, link) < 0) {
        channel_clear(&link->channel);
        connect_later(link);
        return;
    }
    log_state(link, false, NULL);
    link->full = false;
    pipeline_ask_again(link->pipeline);
}

static void connect_later(struct ratelink *link) {
    lws_sul_schedule(link->context, 0, &link->retry, connect_now,
                     backoff_next(&link->backoff, arc4random()).usec);
}

struct ratelink *ratelink_new(struct lws_context *context,
                              const struct settings *settings,
                              struct pipeline *pipeline) {
    struct ratelink *link = memory_new(sizeof *link);
    link->context = context;
    link->pipeline = pipeline;
    link->path = runtime_dir_path(settings_text(settings, SETTING_RUNTIME_DIR),
                                  "rates.sock");
    link->backoff = (struct backoff){
        .first = FIRST_RETRY, .ceiling = LAST_RETRY, .floor_share = 50};
    link->channel.fd = -1;
    connect_now(&link->retry);
    return link;
}

void ratelink_free(struct ratelink **link) {
    struct ratelink *l = *link;
    *link = NULL;
    lws_sul_cancel(&l->retry);
    fd_watch_stop(&l->watch);
    channel_clear(&l->channel);
    free(l->path);
    free(l);
}

bool ratelink_ask(struct ratelink *link, day when, struct span currency) {
    if (link->channel.fd < 0 || link->full)
        return false;
    char date[DAY_TEXT_SIZE];
    rates_day_print(when, date);
    struct json_object *message = message_new(MESSAGE_RATES);
    message_add_text(message, "date", date);
    if (currency.len > 0)
        json_object_object_add(
            message, "currency",
            json_object_new_string_len(currency.data, (int)currency.len));
    /* A link that is broken and not full shows so on its next reading. */
    link->full = channel_write(&link->channel, message_line(message)) < 0;
    json_object_put(message);
    if (channel_has_output(&link->channel))
        fd_watch_for_writing(&link->watch);
    return !link->full;
}
