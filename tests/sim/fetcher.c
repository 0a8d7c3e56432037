/*
 * The lives of ratefetcher, and who asks it: wsclient, and others. It is what
 * its main.c and server.c are, without processes, sockets and lines.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ratefetcher/lookup.h"
#include "ratefetcher/redis/redis_cache.h"
#include "tests/sim/parts.h"
#include "tests/sim/proc.h"
#include "tests/sim/rates.h"
#include "tests/sim/timers.h"

enum { QUESTIONS = 256 };
#define LOOK_PERIOD (60 * USEC_PER_SEC)
/* REQUEST_TIMEOUT_SECONDS less the way back. */
#define LIMIT (4500 * USEC_PER_MSEC)
#define WAY   1000

/* A question: on its way, being looked up, or its answer on the way back. */
static struct question {
    enum { FREE, ASKED, OPEN, ANSWERED } state;
    bool from_wsclient;
    int64_t due, asked;
    day when;
    char currency[4];
    struct lookup_waiter *waiter;
    enum lookup_result result;
    duration fresh;
    day as_of;
    char rates[CURRENCIES][RATE_TEXT_SIZE]; /* "": it has none */
} questions[QUESTIONS];
static struct question *end_of_used = questions; /* behind the last one */

static struct fetcher {
    struct settings *settings;
    char counts[96]; /* the path of their file */
    struct lookup *lookup;
    struct metrics metrics;
    int64_t look;
    bool was_unasked;
    bool clock_set; /* ever */
    day newest;     /* that the latest table was of, on that day */
    day newest_on;
} fetcher;

static void begin(void *arg);
static void gone(void);
static void stop(void *arg);
struct proc ratefetcher_proc = {.name = "ratefetcher",
                                .process = RATEFETCHER,
                                .hangs = FAULT_RATEFETCHER_HANGS,
                                .begin = begin,
                                .stop = stop,
                                .gone = gone};

bool fetcher_does(void (*deed)(void *arg), void *arg) {
    return proc_does(&ratefetcher_proc, deed, arg);
}

void fetcher_prepare(const char *folder) {
    char providers[] = "RATE_PROVIDERS=frankfurter freecurrencyapi",
         key[] = "FREECURRENCYAPI_KEY=key",
         quota[] = "PROVIDER_CALLS_PER_MINUTE=10",
         second[] = "RATES_CROSSCHECK=freecurrencyapi", state[96];
    char *environment[] = {providers, key, quota, second, state, NULL};
    snprintf(state, sizeof state, "STATE_DIR=%s", folder);
    snprintf(fetcher.counts, sizeof fetcher.counts, "%s/calls", folder);
    fetcher.settings =
        settings_load(environment, NULL, false, SETTINGS_RATEFETCHER);
}

void fetcher_end(void) {
    unlink(fetcher.counts);
}

static void on_alert(void *arg, enum event_id event, const char *detail) {
    (void)arg;
    if (event == EVENT_RATES_DIFFER)
        world_wrong("it is said that rates differ: %s", detail);
}
static void on_changed(void *arg) {
    (void)arg;
}

static void begin(void *arg) {
    (void)arg;
    const struct provider_context context = {.metrics = &fetcher.metrics,
                                             .settings = fetcher.settings,
                                             .alert = on_alert,
                                             .changed = on_changed,
                                             .base = TIMERS_OF_RATEFETCHER,
                                             .http = (void *)&fetcher};
    fetcher.lookup = lookup_new(&context);
}

/* It leaves its loop at once. */
static void stop(void *arg) {
    (void)arg;
    lookup_free(&fetcher.lookup);
}

/* Who asks sees the connection end. */
static void gone(void) {
    fetcher.newest_on = (day){0};
    fetcher.was_unasked = true;
    timers_reset(TIMERS_OF_RATEFETCHER);
    providers_forget_calls();
    memset(questions, 0, sizeof questions);
    end_of_used = questions;
}

void fetcher_begin_world(void) {
    unlink(fetcher.counts);
    fetcher.look = world_now();
    fetcher.was_unasked = false;
    fetcher.clock_set = false;
    gone();
    providers_begin_world();
}

void fetcher_clock_set(void) {
    fetcher.clock_set = true;
    providers_clock_set();
}

static struct question *ask(day when, struct span currency,
                            bool from_wsclient) {
    struct question *q = questions;
    while (q < questions + QUESTIONS && q->state != FREE)
        q++;
    if (q == questions + QUESTIONS) {
        world_wrong("more than %d questions are open", QUESTIONS);
        return NULL;
    }
    if (q == end_of_used)
        end_of_used++;
    *q = (struct question){.state = ASKED,
                           .from_wsclient = from_wsclient,
                           .due = world_now() + 1 + world_chance(WAY),
                           .when = when};
    memcpy(q->currency, currency.data, currency.len);
    return q;
}

bool fetcher_ask(day when, struct span currency) {
    return ratefetcher_proc.up && !world_has(FAULT_UNASKED) &&
           ask(when, currency, true) != NULL;
}

/* Days near the present only while it is certain when that is. */
void fetcher_is_asked(uint32_t count) {
    for (uint32_t i = 0; i < count && ratefetcher_proc.up; i++) {
        uint32_t dice = world_chance(1000);
        day when = dice % 5 < 2 ? RATES_LATEST
                   : dice % 5 < 4 || fetcher.clock_set
                       ? rates_day(dice / 5 % DAYS)
                       : day_add(rates_today(), -(int)(dice / 5 % 10));
        struct span currency = span_of(
            dice % 3 == 0 ? "" : rates_currency(dice / 50 % CURRENCIES));
        ask(when, currency, false);
    }
}

static void cancel(void *arg) {
    struct question *q = arg;
    lookup_cancel(q->waiter);
}

/* Its connection has ended. */
void fetcher_forget_wsclient(void) {
    for (struct question *q = questions; q < end_of_used; q++) {
        if (!q->from_wsclient || q->state == FREE)
            continue;
        if (q->state == OPEN)
            fetcher_does(cancel, q);
        q->state = FREE;
    }
}

/* Whether the rates of that day may be what is asked for. */
static bool may_serve(const struct question *q, day of) {
    day when = rates_day_is_latest(q->when) ? rates_published() : q->when;
    int32_t last = rates_working_day(when).number, first = last;
    /* A table of yesterday may be what was the latest one of it, and the latest
     * one be some hours old, over a weekend. */
    if (when.number >= rates_today().number - 1)
        first = rates_working_day(day_add(when, -1)).number;
    if (rates_day_is_latest(q->when))
        first = last - 3;
    return of.number >= first && of.number <= last;
}

static bool has_rates_of(const struct question *q, day of) {
    for (unsigned i = 0; i < CURRENCIES; i++)
        if (q->rates[i][0] != '\0' &&
            (uint64_t)(strtod(q->rates[i], NULL) * 10000 + 0.5) !=
                rates_rate(of, i))
            return false;
    return true;
}

static void judge_found(const struct question *q) {
    char date[DAY_TEXT_SIZE];
    rates_day_print(q->when, date);
    int32_t of = rates_today().number;
    while (of > rates_day(0).number - 7 &&
           !(may_serve(q, (day){of}) && has_rates_of(q, (day){of})))
        of--;
    if (of == rates_day(0).number - 7)
        world_wrong("%s: the rates of %d are of another day", date,
                    q->as_of.number);
    for (unsigned i = 0; i < CURRENCIES; i++)
        if (strcmp(q->currency, rates_currency(i)) == 0 &&
            q->rates[i][0] == '\0')
            world_wrong("%s: no %s in what was found", date, q->currency);
    if (!rates_day_is_latest(q->when) && !fetcher.clock_set &&
        q->as_of.number > q->when.number)
        world_wrong("%s: a table of a later day", date);
}

/* Within a day they do not go back in time. */
static void judge_latest(const struct question *q) {
    if (!rates_day_is_latest(q->when) || q->currency[0] != '\0' ||
        fetcher.clock_set)
        return;
    if (fetcher.newest_on.number == rates_today().number &&
        q->as_of.number < fetcher.newest.number)
        world_wrong("the latest table is older than before");
    fetcher.newest = q->as_of;
    fetcher.newest_on = rates_today();
}

static void judge_missing(const struct question *q) {
    char date[DAY_TEXT_SIZE];
    rates_day_print(q->when, date);
    bool unknown = strcmp(q->currency, rates_currency(UNKNOWN)) == 0;
    bool lacked = providers_lacked(q->when);
    int64_t good = providers_good_since();
    if (q->result == LOOKUP_NO_CURRENCY && !unknown && !lacked)
        world_wrong("%s: it is said that none has %s", date, q->currency);
    if (good < q->asked && !fetcher.clock_set && !unknown && !lacked)
        world_wrong("%s: no rates, though the providers work", date);
}

static void judge(const struct question *q) {
    if (world_now() - q->asked > LIMIT)
        world_wrong("an answer comes after %.3f s",
                    (double)(world_now() - q->asked) / USEC_PER_SEC);
    if (q->result != LOOKUP_FOUND) {
        judge_missing(q);
        return;
    }
    judge_found(q);
    judge_latest(q);
}

static void on_answer(void *arg, const struct lookup_answer *answer) {
    struct question *q = arg;
    if (q->state != OPEN) {
        world_wrong("a question is answered again, or after its end");
        return;
    }
    q->state = ANSWERED;
    q->due = world_now() + 1 + world_chance(WAY);
    q->result = answer->result;
    q->fresh = answer->fresh;
    if (answer->rates != NULL) {
        q->as_of = rates_as_of(answer->rates);
        for (unsigned i = 0; i < CURRENCIES; i++)
            if (!rates_print(answer->rates, span_of(rates_currency(i)),
                             q->rates[i]))
                q->rates[i][0] = '\0';
    }
    judge(q);
}

static void look_up(void *arg) {
    struct question *q = arg;
    struct lookup_waiter *waiter =
        lookup_ask(fetcher.lookup, q->when, span_of(q->currency), on_answer, q);
    q->waiter = waiter;
    if (waiter == NULL && q->state == OPEN)
        world_wrong("a question is over without an answer");
}

static void give_reply(void *arg) {
    const struct question *q = arg;
    struct span currency = span_of(q->currency);
    if (q->result != LOOKUP_FOUND) {
        pipeline_no_rates(life_pipeline(), q->when, currency,
                          q->result == LOOKUP_NO_CURRENCY);
        return;
    }
    struct rates *rates = rates_new("provider", "EUR", q->as_of, 0);
    for (unsigned i = 0; i < CURRENCIES; i++)
        if (q->rates[i][0] != '\0' &&
            rates_add(rates, span_of(rates_currency(i)),
                      span_of(q->rates[i])) != RATES_ADDED)
            world_wrong("a rate is not taken");
    pipeline_rates(life_pipeline(), q->when, currency, rates, "provider",
                   (monotime){world_now() + q->fresh.usec});
    rates_release(&rates);
}

static void go_on(struct question *q) {
    if (q->state == ASKED) {
        q->state = OPEN;
        q->asked = world_now();
        q->due = world_now() + LIMIT + 1;
        fetcher_does(look_up, q);
    } else if (q->state == OPEN) {
        world_wrong("a question is not answered in time");
    } else {
        struct question reply = *q;
        q->state = FREE;
        if (!reply.from_wsclient)
            return;
        if (reply.result == LOOKUP_UNAVAILABLE)
            upstream_no_rates(reply.when);
        life_does(give_reply, &reply);
    }
}

static int64_t due(const struct question *q) {
    return q->state != FREE ? q->due : NEVER;
}

int64_t fetcher_next(void) {
    while (end_of_used > questions && end_of_used[-1].state == FREE)
        end_of_used--;
    int64_t next = providers_next();
    for (const struct question *q = questions; q < end_of_used; q++)
        if (due(q) < next)
            next = due(q);
    if (!ratefetcher_proc.up)
        return NEVER;
    return fetcher.look < next ? fetcher.look : next;
}

static void look_around(void *arg) {
    (void)arg;
    fetcher.look = world_now() + LOOK_PERIOD;
    lookup_look_around(fetcher.lookup);
}

static void ask_again(void *arg) {
    (void)arg;
    pipeline_ask_again(life_pipeline());
}

/* wsclient's connection to it, which comes back when it can. */
static void connect_wsclient(void) {
    bool unasked = world_has(FAULT_UNASKED) || !ratefetcher_proc.up;
    if (unasked && !fetcher.was_unasked)
        fetcher_forget_wsclient();
    if (fetcher.was_unasked && !unasked)
        life_does(ask_again, NULL);
    fetcher.was_unasked = unasked;
}

void fetcher_turn(void) {
    if (ratefetcher_proc.stopping)
        proc_ended(&ratefetcher_proc);
    connect_wsclient();
    if (ratefetcher_proc.up && fetcher.look <= world_now())
        fetcher_does(look_around, NULL);
    providers_turn();
    for (struct question *q = questions; q < end_of_used; q++)
        if (due(q) <= world_now()) {
            go_on(q);
            return;
        }
}

/* Without Redis. */
struct redis_cache *redis_cache_new(const struct provider_context *context,
                                    struct providers *providers,
                                    redis_keep *keep, void *keep_arg) {
    (void)context, (void)providers, (void)keep, (void)keep_arg;
    return NULL;
}
void redis_cache_free(struct redis_cache **cache) {
    (void)cache;
}
bool redis_cache_join(struct redis_cache *cache, day when,
                      struct redis_waiter *waiter) {
    (void)cache, (void)when, (void)waiter;
    return false;
}
void redis_cache_store(struct redis_cache *cache, day when,
                       const struct rates *rates) {
    (void)cache, (void)when, (void)rates;
}
void redis_cache_begin_fetch(struct redis_cache *cache, day when) {
    (void)cache, (void)when;
}
void redis_cache_end_fetch(struct redis_cache *cache, day when) {
    (void)cache, (void)when;
}
const char *redis_cache_state(const struct redis_cache *cache) {
    (void)cache;
    return "off";
}
