#include "ratefetcher/providers/web.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "common/clock.h"
#include "common/lines/message.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/memory.h"
#include "common/settings/moved.h"
#include "common/settings/url.h"
#include "common/utf8.h"
#include "ratefetcher/providers/web_detail.h"

/* Resources of many days that are kept: ninety days, and all. */
enum { MAX_KEPT = 2 };

/* After 429 without Retry-After, after a refused key, and at the most. */
#define LIMITED_WAIT SECONDS(60)
#define KEY_WAIT     SECONDS(600)

/* After a refusal of one that has no key to refuse: whoever stands before it,
 * not the provider, is wont to say so, and not for long. */
#define FORBIDDEN_WAIT SECONDS(10)

#define LONGEST_WAIT SECONDS(3600)

/* A plan that has no past days is not asked for one for so long. */
#define NO_HISTORY_WAIT SECONDS(3600)

/* A resource of many days. */
struct web_kept {
    int32_t resource;
    struct history *tables; /* NULL: free */
    monotime fetched;
};

struct web {
    const struct web_api *api;
    const struct provider_context *context;
    char *address; /* as it is set, without slashes at its end */
    duration ttl;
    struct web_kept kept[MAX_KEPT];
    monotime history_from; /* not asked for a past day before */
    struct http_lane lane;
    char why_ahead[HISTORY_WHY_SIZE];
    LIST_HEAD(, web_call) calls;
};

/* Somebody who waits for the table of a day. */
struct web_asker {
    TAILQ_ENTRY(web_asker) entry;
    day when;
    monotime until; /* no longer, if only the body takes its time */
    provider_done *done;
    void *arg;
};

/* A call for a resource, and all who wait for it: the first one made it. */
struct web_call {
    LIST_ENTRY(web_call) entry;
    struct web *web;
    int32_t resource;
    day when;                      /* for which it was made */
    struct history *tables;        /* that the answer brings */
    struct web_faults faults;      /* that are found in it */
    void *reader;                  /* of a text that comes; NULL: none has */
    struct event *patience;        /* of those who wait for it; NULL: as well */
    bool told;                     /* somebody, for whom the call counts */
    char detail[WEB_DETAIL_BYTES]; /* what is said of an answer that is none */
    TAILQ_HEAD(, web_asker) askers;
};

static char *without_slashes(const char *address) {
    size_t len = strlen(address);
    while (len > 0 && address[len - 1] == '/')
        len--;
    return memory_copy(address, len);
}

void *web_open(const struct provider_class *class,
               const struct provider_context *context) {
    const struct settings *settings = context->settings;
    const struct web_api *api = class->api;
    struct web *web = memory_new(sizeof *web);
    web->api = api;
    web->context = context;
    web->address = without_slashes(settings_text(settings, api->address));
    web->ttl = settings_duration(settings, SETTING_CACHE_TTL_SECONDS);
    LIST_INIT(&web->calls);
    TAILQ_INIT(&web->lane.waiting);
    if (strncmp(settings_text(settings, api->address), "http://", 7) == 0)
        log_warn(EVENT_PROVIDER_NOT_ENCRYPTED,
                 LOG_FIELDS(log_text("provider", class->name),
                            log_text("setting", settings_name(api->address))));
    const char *moved = settings_moved(api->address, web->address);
    if (moved != NULL)
        log_warn(EVENT_PROVIDER_MOVED,
                 LOG_FIELDS(log_text("provider", class->name),
                            log_text("setting", settings_name(api->address)),
                            log_text("to", moved)));
    return web;
}

/* Ends the reading of a text; what is wrong with it, or NULL. */
static const char *end_text(struct web_call *call) {
    void *reader = call->reader;
    call->reader = NULL;
    return call->web->api->text->end(reader);
}

static void free_call(struct web_call *call) {
    if (call->reader != NULL)
        end_text(call);
    if (call->patience != NULL)
        event_free(call->patience);
    history_free(&call->tables);
    free(call);
}

void web_close(void *state) {
    struct web *web = state;
    struct web_call *call;
    struct web_asker *asker;
    while ((call = LIST_FIRST(&web->calls)) != NULL) {
        while ((asker = TAILQ_FIRST(&call->askers)) != NULL) {
            TAILQ_REMOVE(&call->askers, asker, entry);
            free(asker);
        }
        LIST_REMOVE(call, entry);
        free_call(call);
    }
    for (size_t i = 0; i < MAX_KEPT; i++)
        history_free(&web->kept[i].tables);
    free(web->address);
    free(web);
}

static day today(void) {
    return day_of_ms(clock_wall_ms());
}

static int32_t resource_of(const struct web *web, day when) {
    return web->api->resource != NULL ? web->api->resource(when, today())
                                      : when.number;
}

static struct web_call *find_call(const struct web *web, int32_t resource) {
    struct web_call *call;
    LIST_FOREACH (call, &web->calls, entry) {
        if (call->resource == resource)
            return call;
    }
    return NULL;
}

/* The tables of that resource if they are kept and still fresh, or NULL. */
static const struct history *find_kept(const struct web *web,
                                       int32_t resource) {
    monotime now = clock_monotonic();
    for (size_t i = 0; i < MAX_KEPT; i++) {
        const struct web_kept *kept = &web->kept[i];
        if (kept->tables != NULL && kept->resource == resource &&
            monotime_between(kept->fetched, now).usec < web->ttl.usec)
            return kept->tables;
    }
    return NULL;
}

/* Takes the tables over, in the place of the same resource or the oldest. */
static void keep(struct web *web, int32_t resource, struct history *tables) {
    struct web_kept *place = &web->kept[0];
    for (size_t i = 0; i < MAX_KEPT; i++) {
        struct web_kept *kept = &web->kept[i];
        if (kept->tables == NULL || kept->resource == resource) {
            place = kept;
            break;
        }
        if (kept->fetched.usec < place->fetched.usec)
            place = kept;
    }
    history_free(&place->tables);
    *place = (struct web_kept){resource, tables, clock_monotonic()};
}

/* Whether it said not long ago that it has no past day for this key. */
static bool lacks(const struct web *web, day when) {
    return !rates_day_is_latest(when) &&
           !monotime_reached(clock_monotonic(), web->history_from);
}

/* There is always a latest table. */
static void explain_no_latest(struct web *web, struct provider_answer *answer,
                              const struct history *tables) {
    bool ahead = history_is_ahead(tables, today(), web->why_ahead);
    answer->result = ahead ? PROVIDER_AHEAD : PROVIDER_BAD_TABLE;
    answer->detail = ahead ? web->why_ahead : "no latest table";
}

/* Puts the table that serves the day into the answer, or why there is none. */
static void put_table(struct web *web, struct provider_answer *answer,
                      const struct history *tables, day when) {
    struct rates *found = history_find(tables, when, today());
    answer->result = found != NULL ? PROVIDER_OK : PROVIDER_NO_TABLE;
    answer->rates = found;
    answer->detail = "";
    if (found == NULL && rates_day_is_latest(when))
        explain_no_latest(web, answer, tables);
}

static bool has_key(const struct web *web) {
    return web->api->key != SETTINGS;
}

static bool is_forbidden(long status) {
    return status == 401 || status == 403;
}

/* What an answer means whose status is not 200. */
static enum provider_result result_of_status(const struct web_call *call,
                                             long status) {
    if (status == 0)
        return PROVIDER_UNREACHED;
    if (is_forbidden(status))
        return has_key(call->web) ? PROVIDER_KEY_REFUSED : PROVIDER_BAD_STATUS;
    if (status == 429)
        return PROVIDER_LIMITED;
    /* There is always a latest table: without one the address is wrong. */
    return status == call->web->api->no_table_status &&
                   !rates_day_is_latest(call->when)
               ? PROVIDER_NO_TABLE
               : PROVIDER_BAD_STATUS;
}

/*
 * What the body said in the place of tables. A key without past days is good
 * for the latest table: so it is not refused, there is no table of that day.
 */
static enum provider_result result_of_refusal(const struct web_call *call,
                                              const struct web_refusal *said) {
    struct web *web = call->web;
    bool latest = rates_day_is_latest(call->when);
    if (latest && said->result == PROVIDER_NO_TABLE)
        return PROVIDER_BAD_TABLE; /* there is always a latest one */
    if (latest || !said->of_plan)
        return said->result;
    if (!lacks(web, call->when)) /* else it was told */
        log_warn(EVENT_PROVIDER_WITHOUT_HISTORY,
                 LOG_FIELDS(log_text("provider", web->api->name),
                            log_text("why", said->detail)));
    web->history_from = monotime_add(clock_monotonic(), NO_HISTORY_WAIT);
    return PROVIDER_NO_TABLE;
}

/* Tells one who waits; the call of the first one was for all of them. */
static void tell(struct web_call *call, struct web_asker *asker,
                 struct provider_answer *answer) {
    answer->without_call |= call->told;
    call->told = true;
    TAILQ_REMOVE(&call->askers, asker, entry);
    asker->done(asker->arg, answer);
    free(asker);
}

/* The one whose patience ends first; NULL: nobody waits. */
static struct web_asker *find_first(const struct web_call *call) {
    struct web_asker *asker, *first = TAILQ_FIRST(&call->askers);
    TAILQ_FOREACH (asker, &call->askers, entry)
        if (asker->until.usec < first->until.usec)
            first = asker;
    return first;
}

/* A body that comes slowly is read on, for whoever asks next. */
static void tell_late(evutil_socket_t fd, short what, void *arg) {
    (void)fd, (void)what;
    struct web_call *call = arg;
    struct web_asker *asker;
    while ((asker = find_first(call)) != NULL &&
           monotime_reached(clock_monotonic(), asker->until)) {
        struct provider_answer late = {.result = PROVIDER_UNREACHED,
                                       .detail = "its answer still comes, and "
                                                 "is read on"};
        tell(call, asker, &late);
    }
    if (asker != NULL)
        loop_set_timer(call->patience,
                       monotime_between(clock_monotonic(), asker->until));
}

static void begin_text(struct web_call *call) {
    call->patience = evtimer_new(call->web->context->base, tell_late, call);
    loop_set_timer(call->patience, (duration){0});
    call->reader = call->web->api->text->begin(call->tables, clock_wall_ms(),
                                               &call->faults);
}

static void on_piece(void *arg, struct span piece) {
    struct web_call *call = arg;
    if (call->reader == NULL)
        begin_text(call);
    call->web->api->text->feed(call->reader, piece);
}

/* An answer without a body has no piece. */
static const char *read_text(struct web_call *call) {
    if (call->reader == NULL)
        begin_text(call);
    return end_text(call);
}

static const char *read_json(struct web_call *call, struct json_object *json) {
    int64_t now_ms = clock_wall_ms();
    const struct web_answer answer = {.json = json,
                                      .when = call->when,
                                      .today = day_of_ms(now_ms),
                                      .fetched_ms = now_ms};
    return json == NULL
               ? "no JSON object"
               : call->web->api->read(&answer, call->tables, &call->faults);
}

/* Reads the tables of a body; what is wrong with it, or NULL. */
static const char *read_tables(struct web_call *call,
                               struct json_object *json) {
    const struct web_api *api = call->web->api;
    const char *why =
        api->text != NULL ? read_text(call) : read_json(call, json);
    if (call->faults.count > 0)
        log_warn(EVENT_RATES_LEFT_OUT,
                 LOG_FIELDS(log_text("provider", api->name),
                            log_int("bad_rates", (int64_t)call->faults.count),
                            log_text("currency", call->faults.example)));
    return why;
}

/* How long a provider that said so is left alone. */
static duration wait_of(enum provider_result result, long status,
                        duration asked) {
    if (asked.usec == 0 && result == PROVIDER_LIMITED)
        asked = LIMITED_WAIT;
    if (asked.usec == 0 && result == PROVIDER_BAD_STATUS &&
        is_forbidden(status))
        asked = FORBIDDEN_WAIT;
    if (result == PROVIDER_KEY_REFUSED)
        asked = KEY_WAIT;
    return duration_min(asked, LONGEST_WAIT);
}

/*
 * What an answer means: the tables, with the result OK, or a failure. The body
 * is parsed once; what it refuses counts more than the status.
 */
static struct provider_answer judge(struct web_call *call,
                                    const struct http_answer *http) {
    const struct web_api *api = call->web->api;
    struct json_object *json =
        http->status != 0 && api->text == NULL
            ? message_parse(utf8_without_mark(http->body))
            : NULL;
    const struct web_refusal *refusal =
        json != NULL && api->refusal != NULL ? api->refusal(json) : NULL;
    struct provider_answer answer = {.without_call = http->unsent,
                                     .has_clock = http->has_clock,
                                     .clock_ahead_ms = http->clock_ahead_ms};
    memcpy(answer.calls_left, http->calls_left, sizeof answer.calls_left);
    duration asked = http->retry_after;
    if (refusal != NULL) {
        answer.result = result_of_refusal(call, refusal);
        answer.detail = refusal->detail;
        asked = duration_max(asked, refusal->wait);
    } else if (http->status == 200) {
        answer.detail = read_tables(call, json);
        answer.result =
            answer.detail == NULL ? PROVIDER_OK : PROVIDER_BAD_TABLE;
    } else {
        answer.result = result_of_status(call, http->status);
        const struct web_place from = {api, call->web->context->settings,
                                       call->web->address};
        web_detail_write(&from, http, call->detail);
        answer.detail = call->detail;
    }
    answer.wait = wait_of(answer.result, http->status, asked);
    json_object_put(json);
    return answer;
}

static void tell_all(struct web_call *call, struct provider_answer answer,
                     const struct history *tables) {
    struct web_asker *asker;
    bool has_tables = answer.result == PROVIDER_OK;
    while ((asker = TAILQ_FIRST(&call->askers)) != NULL) {
        if (has_tables)
            put_table(call->web, &answer, tables, asker->when);
        tell(call, asker, &answer);
    }
}

static void on_answer(void *arg, const struct http_answer *http) {
    struct web_call *call = arg;
    struct provider_answer answer = judge(call, http);
    struct history *tables = call->tables;
    if (answer.result == PROVIDER_OK && history_count(tables) > 1) {
        keep(call->web, call->resource, tables);
        call->tables = NULL;
    }
    LIST_REMOVE(call, entry); /* who is told may begin another one */
    tell_all(call, answer, tables);
    free_call(call);
}

static struct web_call *begin_call(struct web *web, int32_t resource, day when,
                                   duration timeout) {
    const struct settings *settings = web->context->settings;
    const struct web_api *api = web->api;
    struct web_call *call = memory_new(sizeof *call);
    struct web_request request = {.url = ""};
    call->web = web;
    call->resource = resource;
    call->when = when;
    call->tables = history_new();
    TAILQ_INIT(&call->askers);
    LIST_INSERT_HEAD(&web->calls, call, entry);
    api->request(web->address,
                 has_key(web) ? settings_text(settings, api->key) : NULL, when,
                 today(), &request);
    http_get(web->context->http, &web->lane, request.url,
             request.header[0] != '\0' ? request.header : NULL, timeout,
             api->text != NULL ? on_piece : NULL, on_answer, call);
    explicit_bzero(&request, sizeof request);
    return call;
}

bool web_needs_call(void *state, day when) {
    const struct web *web = state;
    int32_t resource = resource_of(web, when);
    return !lacks(web, when) && find_call(web, resource) == NULL &&
           find_kept(web, resource) == NULL;
}

bool web_fetch(void *state, day when, duration timeout,
               struct provider_answer *answer, provider_done *done, void *arg) {
    struct web *web = state;
    int32_t resource = resource_of(web, when);
    const struct history *kept = find_kept(web, resource);
    *answer = (struct provider_answer){.result = PROVIDER_NO_TABLE,
                                       .detail = "past days are not in the "
                                                 "key's plan",
                                       .without_call = true};
    if (lacks(web, when))
        return true;
    if (kept != NULL) {
        put_table(web, answer, kept, when);
        return true;
    }
    struct web_call *call = find_call(web, resource);
    if (call == NULL)
        call = begin_call(web, resource, when, timeout);
    struct web_asker *asker = memory_new(sizeof *asker);
    *asker = (struct web_asker){
        .when = when,
        .until = monotime_add(clock_monotonic(),
                              duration_min(timeout, HTTP_CALL_LIMIT)),
        .done = done,
        .arg = arg};
    TAILQ_INSERT_TAIL(&call->askers, asker, entry);
    if (call->patience != NULL)
        loop_set_timer(call->patience, (duration){0});
    return false;
}

void web_note_fault(struct web_faults *faults, const char *code) {
    if (faults->count++ == 0)
        snprintf(faults->example, sizeof faults->example, "%s", code);
}

bool web_add_rate(struct rates *rates, const char *code, struct span rate,
                  struct web_faults *faults) {
    /* Codes of another form are metals, coins and the provider's own. */
    enum rates_add added = rates_add(rates, span_of(code), rate);
    if (added == RATES_BAD_RATE)
        web_note_fault(faults, code);
    return added != RATES_OTHER_BASE;
}
