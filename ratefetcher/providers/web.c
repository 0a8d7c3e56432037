#include "ratefetcher/providers/web.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/memory.h"

/* Resources of many days that are kept: ninety days, and all. */
enum { MAX_KEPT = 2 };

/* After 429 without Retry-After, after a refused key, and at the most. */
enum {
    LIMITED_WAIT_SECONDS = 60,
    KEY_WAIT_SECONDS = 600,
    MAX_WAIT_SECONDS = 3600
};

/* A plan that has no past days is not asked for one for so long. */
enum { NO_HISTORY_SECONDS = 3600 };

struct kept {
    char *url; /* NULL: free */
    struct history *tables;
    monotime fetched;
};

struct web {
    const struct web_api *api;
    const struct provider_context *context;
    int64_t ttl_usec;
    struct kept kept[MAX_KEPT];
    monotime history_from; /* not asked for a past day before */
    struct http_lane lane;
    LIST_HEAD(, fetch) fetches;
};

struct fetch {
    LIST_ENTRY(fetch) entry;
    struct web *web;
    day when;
    char *url;
    bool calls;   /* it waits for an answer over HTTP */
    bool follows; /* another fetch gets the same resource for both */
    provider_done *done;
    void *arg;
};

void *web_open(const struct provider_class *class,
               const struct provider_context *context) {
    struct web *web = memory_new(sizeof *web);
    web->api = class->api;
    web->context = context;
    web->ttl_usec =
        settings_duration(context->settings, SETTING_CACHE_TTL_SECONDS).usec;
    LIST_INIT(&web->fetches);
    TAILQ_INIT(&web->lane.waiting);
    if (strncmp(settings_text(context->settings, class->api->address),
                "http://", 7) == 0)
        log_warn("provider_not_encrypted",
                 LOG_FIELDS(
                     log_text("provider", class->name),
                     log_text("setting", settings_name(class->api->address))));
    return web;
}

static void free_fetch(struct fetch *fetch) {
    LIST_REMOVE(fetch, entry);
    free(fetch->url);
    free(fetch);
}

static void free_kept(struct kept *kept) {
    free(kept->url);
    history_free(&kept->tables);
    kept->url = NULL;
}

void web_close(void *state) {
    struct web *web = state;
    struct fetch *fetch;
    while ((fetch = LIST_FIRST(&web->fetches)) != NULL)
        free_fetch(fetch);
    for (size_t i = 0; i < MAX_KEPT; i++)
        free_kept(&web->kept[i]);
    free(web);
}

/* Answers with the table that serves the day, if there is one. */
static void finish_with(struct fetch *fetch, const struct history *tables,
                        bool without_call, int64_t wait_usec) {
    day today = day_of_ms(clock_wall_ms());
    const struct rates *found = history_find(tables, fetch->when, today);
    struct provider_answer answer = {.result = PROVIDER_NO_TABLE,
                                     .detail = "",
                                     .without_call = without_call,
                                     .wait_usec = wait_usec};
    if (found != NULL && rates_day_is_latest(fetch->when) &&
        rates_as_of(found).number <
            day_add(today, -RATES_MAX_LOOK_BACK_DAYS).number) {
        answer.result = PROVIDER_BAD_TABLE;
        answer.detail = "its latest table is more than seven days old";
    } else if (found != NULL) {
        answer.result = PROVIDER_OK;
        answer.rates = rates_copy(found, rates_fetched_ms(found));
    }
    fetch->done(fetch->arg, &answer);
    rates_release(&answer.rates);
    free_fetch(fetch);
}

static void fail(struct fetch *fetch, const struct provider_answer *answer) {
    fetch->done(fetch->arg, answer);
    free_fetch(fetch);
}

/* The kept resource of that address that is still fresh, or NULL. */
static struct kept *find_kept(struct web *web, const char *url) {
    monotime now = clock_monotonic();
    for (size_t i = 0; i < MAX_KEPT; i++) {
        struct kept *kept = &web->kept[i];
        if (kept->url != NULL && strcmp(kept->url, url) == 0 &&
            monotime_between(kept->fetched, now).usec < web->ttl_usec)
            return kept;
    }
    return NULL;
}

/* Takes the tables over, in the place of the same resource or the oldest. */
static void keep(struct web *web, const char *url, struct history *tables) {
    struct kept *place = &web->kept[0];
    for (size_t i = 0; i < MAX_KEPT; i++) {
        struct kept *kept = &web->kept[i];
        if (kept->url == NULL || strcmp(kept->url, url) == 0) {
            place = kept;
            break;
        }
        if (kept->fetched.usec < place->fetched.usec)
            place = kept;
    }
    free_kept(place);
    *place =
        (struct kept){memory_copy(url, strlen(url)), tables, clock_monotonic()};
}

/*
 * Reads the tables of a body; what is wrong with it, or NULL. They are the
 * caller's, or kept if they are of many days.
 */
static const char *read_body(struct fetch *fetch, struct span body,
                             struct history *tables) {
    struct web *web = fetch->web;
    int64_t now_ms = clock_wall_ms();
    struct web_answer answer = {.body = body,
                                .when = fetch->when,
                                .today = day_of_ms(now_ms),
                                .fetched_ms = now_ms};
    struct web_faults faults = {0};
    const char *why = web->api->read(&answer, tables, &faults);
    if (faults.count > 0)
        log_warn("rates_left_out",
                 LOG_FIELDS(log_text("provider", web->api->name),
                            log_int("bad_rates", (int64_t)faults.count),
                            log_text("currency", faults.example)));
    return why;
}

/* How long a provider that said so is left alone. */
static int64_t wait_of(enum provider_result result, int64_t asked_seconds) {
    int64_t seconds = asked_seconds;
    if (seconds == 0 && result == PROVIDER_LIMITED)
        seconds = LIMITED_WAIT_SECONDS;
    if (result == PROVIDER_KEY_REFUSED)
        seconds = KEY_WAIT_SECONDS;
    return (seconds < MAX_WAIT_SECONDS ? seconds : MAX_WAIT_SECONDS) *
           USEC_PER_SEC;
}

/* What an answer means that brought no body to be read. */
static enum provider_result failure_of(const struct fetch *fetch,
                                       const struct http_answer *answer) {
    if (answer->status == 0)
        return PROVIDER_UNREACHED;
    if (answer->status == 401 || answer->status == 403)
        return PROVIDER_KEY_REFUSED;
    if (answer->status == 429)
        return PROVIDER_LIMITED;
    /* There is always a latest table: without one the address is wrong. */
    bool no_table = answer->status == fetch->web->api->no_table_status &&
                    !rates_day_is_latest(fetch->when);
    return no_table ? PROVIDER_NO_TABLE : PROVIDER_BAD_STATUS;
}

/* Those who wait for the same resource. */
static struct fetch *find_follower(const struct web *web, const char *url) {
    struct fetch *fetch;
    LIST_FOREACH (fetch, &web->fetches, entry) {
        if (fetch->follows && strcmp(fetch->url, url) == 0)
            return fetch;
    }
    return NULL;
}

/*
 * Gives one fetch and its followers the same end: the tables, or what `answer`
 * says of a failure.
 */
static void finish_all(struct fetch *leader, const struct history *tables,
                       struct provider_answer *answer) {
    struct web *web = leader->web;
    char *url = memory_print("%s", leader->url);
    for (struct fetch *fetch = leader; fetch != NULL;
         fetch = find_follower(web, url)) {
        if (tables != NULL)
            finish_with(fetch, tables, answer->without_call, answer->wait_usec);
        else
            fail(fetch, answer);
        answer->without_call = true; /* the leader's was for all */
    }
    free(url);
}

/* Whether it said not long ago that it has no past day for this key. */
static bool lacks(const struct web *web, day when) {
    return !rates_day_is_latest(when) &&
           !monotime_reached(clock_monotonic(), web->history_from);
}

/*
 * What the body said in the place of tables. A key without past days is good
 * for the latest table: so it is not refused, there is no table of that day.
 */
static void refuse(struct fetch *fetch, const struct http_answer *http,
                   const struct web_refusal *refusal) {
    struct web *web = fetch->web;
    bool latest = rates_day_is_latest(fetch->when);
    int64_t asked = http->retry_after > refusal->wait_seconds
                        ? http->retry_after
                        : refusal->wait_seconds;
    struct provider_answer answer = {.result = refusal->result,
                                     .detail = refusal->detail};
    if (refusal->of_plan && !latest) {
        if (!lacks(web, fetch->when)) /* else it was told */
            log_warn("provider_without_history",
                     LOG_FIELDS(log_text("provider", web->api->name),
                                log_text("why", refusal->detail)));
        web->history_from = monotime_add(
            clock_monotonic(), (duration){NO_HISTORY_SECONDS * USEC_PER_SEC});
        answer.result = PROVIDER_NO_TABLE;
    } else if (latest && refusal->result == PROVIDER_NO_TABLE) {
        answer.result = PROVIDER_BAD_TABLE; /* there is always a latest one */
    }
    answer.wait_usec = wait_of(answer.result, asked);
    finish_all(fetch, NULL, &answer);
}

static const struct web_refusal *refusal_of(const struct fetch *fetch,
                                            const struct http_answer *http) {
    const struct web_api *api = fetch->web->api;
    return http->status != 0 && api->refusal != NULL ? api->refusal(http->body)
                                                     : NULL;
}

static void on_answer(void *arg, const struct http_answer *http) {
    struct fetch *fetch = arg;
    char status[64];
    const struct web_refusal *refusal = refusal_of(fetch, http);
    if (refusal != NULL) {
        refuse(fetch, http, refusal);
        return;
    }
    struct provider_answer answer = {.result = failure_of(fetch, http),
                                     .detail = http->error,
                                     .without_call = http->unsent};
    answer.wait_usec = wait_of(answer.result, http->retry_after);
    snprintf(status, sizeof status, "status %ld", http->status);
    if (http->status != 0)
        answer.detail = status;
    if (http->status != 200) {
        finish_all(fetch, NULL, &answer);
        return;
    }
    struct history *tables = history_new();
    answer.detail = read_body(fetch, http->body, tables);
    answer.result = PROVIDER_BAD_TABLE;
    bool many = history_count(tables) > 1;
    if (answer.detail == NULL && many)
        keep(fetch->web, fetch->url, tables);
    finish_all(fetch, answer.detail == NULL ? tables : NULL, &answer);
    if (answer.detail != NULL || !many)
        history_free(&tables);
}

/* Whether somebody fetches that very resource just now. */
static bool is_being_fetched(const struct web *web, const char *url) {
    struct fetch *fetch;
    LIST_FOREACH (fetch, &web->fetches, entry) {
        if (fetch->calls && strcmp(fetch->url, url) == 0)
            return true;
    }
    return false;
}

static void on_kept_turn(evutil_socket_t fd, short what, void *arg) {
    (void)fd, (void)what;
    struct fetch *fetch = arg;
    struct kept *kept = find_kept(fetch->web, fetch->url);
    if (kept != NULL)
        finish_with(fetch, kept->tables, true, 0);
    else /* it has grown too old just now */
        fail(fetch,
             &(struct provider_answer){.result = PROVIDER_UNREACHED,
                                       .detail = "the kept table has expired",
                                       .without_call = true});
}

static void write_request(const struct web *web, day when,
                          struct web_request *request) {
    const struct settings *settings = web->context->settings;
    const struct web_api *api = web->api;
    *request = (struct web_request){.url = ""};
    api->request(settings_text(settings, api->address),
                 api->key != SETTINGS ? settings_text(settings, api->key)
                                      : NULL,
                 when, day_of_ms(clock_wall_ms()), request);
}

bool web_needs_call(void *state, day when) {
    struct web *web = state;
    struct web_request request;
    write_request(web, when, &request);
    bool needed = !lacks(web, when) && !is_being_fetched(web, request.url) &&
                  find_kept(web, request.url) == NULL;
    explicit_bzero(&request, sizeof request);
    return needed;
}

static void on_no_history_turn(evutil_socket_t fd, short what, void *arg) {
    (void)fd, (void)what;
    fail(arg, &(struct provider_answer){.result = PROVIDER_NO_TABLE,
                                        .detail = "past days are not in the "
                                                  "key's plan",
                                        .without_call = true});
}

void web_fetch(void *state, day when, int64_t timeout_usec, provider_done *done,
               void *arg) {
    struct web *web = state;
    struct web_request request;
    struct fetch *fetch = memory_new(sizeof *fetch);
    write_request(web, when, &request);
    *fetch = (struct fetch){.web = web,
                            .when = when,
                            .url = memory_print("%s", request.url),
                            .done = done,
                            .arg = arg};
    fetch->follows = is_being_fetched(web, fetch->url);
    LIST_INSERT_HEAD(&web->fetches, fetch, entry);
    struct timeval at_once = {0};
    if (lacks(web, when)) {
        fetch->follows = false;
        event_base_once(web->context->base, -1, EV_TIMEOUT, on_no_history_turn,
                        fetch, &at_once);
    } else if (!fetch->follows && find_kept(web, fetch->url) != NULL) {
        event_base_once(web->context->base, -1, EV_TIMEOUT, on_kept_turn, fetch,
                        &at_once);
    } else if (!fetch->follows) {
        fetch->calls = true;
        http_get(web->context->http, &web->lane, fetch->url,
                 request.header[0] != '\0' ? request.header : NULL,
                 timeout_usec, on_answer, fetch);
    }
    explicit_bzero(&request, sizeof request);
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
