/*
 * Two providers over HTTP, in the place of ratefetcher/providers/http.c and the
 * servers behind it: they answer well, late, badly or not at all. Which calls
 * are made, and when, is judged here by plain lists.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ratefetcher/breaker.h"
#include "ratefetcher/providers/registry.h"
#include "tests/sim/parts.h"
#include "tests/sim/rates.h"

enum { CALLS = 64, CALLS_PER_MINUTE = 10, COUNTED = 4 * CALLS_PER_MINUTE };
/* Days from the first that somebody asks for to the last. */
enum { GIVEN = 16, ASKED_DAYS = DAYS + 16 };
#define MINUTE (60 * USEC_PER_SEC)
/* A call that waited and has less time left is not made. */
#define LEAST_FOR_CALL (50 * USEC_PER_MSEC)
/* By these a fault's last effect is over: a refused key, or the longest skip,
 * and the trial behind it. */
#define EFFECT (660 * USEC_PER_SEC)
/* What was had is not fetched again within that: the shortest pause until an
 * older table is asked for anew is a little longer. */
#define SOON (10 * USEC_PER_SEC)
/* So long a provider's word is kept: CACHE_TTL_SECONDS here, and as long in
 * wsclient, with the table that came last. */
#define KEPT (2 * 7210 * USEC_PER_SEC)

/* How a call goes. */
enum manner {
    WELL,
    LATE, /* line by line, and the body when all have lost patience */
    REFUSED,
    SILENT,
    ERROR_500,
    LIMITED,
    FORBIDDEN,
    NOT_JSON,
    CUT_OFF,
    OTHER_BASE,
    OTHER_DAY, /* for which it has no table, then */
    MANNERS
};

static struct call {
    bool used, runs;
    unsigned provider;
    day when;
    enum manner manner;
    unsigned lines; /* that come in front of its body */
    int64_t deadline, stall, next, counted;
    struct http_lane *lane;
    http_piece *piece;
    http_done *done;
    void *arg;
} calls[CALLS];
static unsigned call_count;
static bool clock_is_right;

static struct provider_model {
    int64_t counted[COUNTED]; /* when calls were made; 0: none */
    unsigned failures;        /* in a row */
    int64_t failed, not_before;
    struct {
        day when;
        int64_t at; /* 0: not, or to another process */
    } given[GIVEN]; /* the last tables, in a ring */
    unsigned given_count;
} models[PROVIDERS];

static int64_t lacked[ASKED_DAYS]; /* a wrong table was given for that one */
static char body[1024];

extern const struct provider_class provider_frankfurter,
    provider_freecurrencyapi;
static const struct provider_class *const classes[PROVIDERS] = {
    &provider_frankfurter, &provider_freecurrencyapi};

const struct provider_class *registry_find(struct span name) {
    for (unsigned i = 0; i < PROVIDERS; i++)
        if (span_equals(name, classes[i]->name))
            return classes[i];
    return NULL;
}

const char *registry_base(const struct provider_class *class) {
    (void)class;
    return "EUR";
}

bool registry_has_key(const struct provider_class *class) {
    return class == classes[1];
}

const char *provider_result_name(enum provider_result result) {
    (void)result;
    return "";
}

void providers_begin_world(void) {
    memset(models, 0, sizeof models);
    memset(lacked, 0, sizeof lacked);
    clock_is_right = true;
    providers_forget_calls();
}

/* With its process go what it knew, and its calls; what was called stays. */
void providers_forget_calls(void) {
    memset(calls, 0, sizeof calls);
    call_count = 0;
    for (unsigned i = 0; i < PROVIDERS; i++) {
        models[i].failures = 0;
        models[i].not_before = 0;
        memset(models[i].given, 0, sizeof models[i].given);
    }
}

void providers_clock_set(void) {
    clock_is_right = false;
}

int64_t providers_good_since(void) {
    int64_t since = 0;
    for (unsigned i = 0; i < PROVIDERS; i++) {
        int64_t end = world_fault_end(FAULT_PROVIDER_A + i) + EFFECT;
        if (end > since)
            since = end;
        unsigned in_minute = 0;
        for (size_t j = 0; j < COUNTED; j++)
            in_minute += models[i].counted[j] > world_now() - 2 * MINUTE;
        /* Nor while nobody has seen yet that it works again. */
        if (in_minute >= CALLS_PER_MINUTE || models[i].failures > 0)
            return NEVER;
    }
    return since;
}

bool providers_lacked(day when) {
    int32_t number = when.number - rates_day(0).number;
    return number >= 0 && number < ASKED_DAYS && lacked[number] != 0 &&
           world_now() - lacked[number] < KEPT;
}

static void judge_again(const struct call *call) {
    const struct provider_model *p = &models[call->provider];
    for (size_t i = 0; i < GIVEN; i++)
        if (p->given[i].at != 0 && world_now() - p->given[i].at < SOON &&
            p->given[i].when.number == call->when.number)
            world_wrong("a table is fetched again that was had %.1f s ago",
                        (double)(world_now() - p->given[i].at) / USEC_PER_SEC);
}

/* In front of a call. */
static void judge_call(const struct call *call) {
    struct provider_model *p = &models[call->provider];
    int64_t now = world_now(), *place = &p->counted[0];
    unsigned in_minute = 0;
    for (size_t i = 0; i < COUNTED; i++) {
        in_minute += p->counted[i] != 0 && now - p->counted[i] < MINUTE;
        if (p->counted[i] < *place)
            place = &p->counted[i];
    }
    *place = now;
    if (in_minute >= CALLS_PER_MINUTE)
        world_wrong("a provider gets more than %d calls in a minute",
                    CALLS_PER_MINUTE);
    /* That the clock was set, by which failures are forgotten, may be noticed
     * later. */
    if (clock_is_right && p->failures >= BREAKER_FAILURES &&
        now - p->failed < BREAKER_PROBE_PAUSE.usec)
        world_wrong("a provider is called soon after %u failures", p->failures);
    if (now < p->not_before)
        world_wrong("a provider is called that said to wait");
    for (size_t i = 0; i < CALLS; i++)
        if (calls[i].used && &calls[i] != call &&
            calls[i].provider == call->provider &&
            calls[i].when.number == call->when.number)
            world_wrong("two calls for one table at a time");
    if (clock_is_right)
        judge_again(call);
}

static void take_back(const struct call *call) {
    struct provider_model *p = &models[call->provider];
    for (size_t i = 0; i < COUNTED; i++)
        if (p->counted[i] == call->counted) {
            p->counted[i] = 0;
            return;
        }
}

static enum manner choose_manner(unsigned provider) {
    if (!world_has(FAULT_PROVIDER_A + provider))
        return WELL;
    enum manner manner = LATE + world_chance(MANNERS - LATE);
    bool latest_only = manner == OTHER_BASE && provider == 1; /* says none */
    return latest_only ? CUT_OFF : manner;
}

/* It has its turn. */
static void begin(struct call *call) {
    int64_t now = world_now();
    int64_t left = call->deadline - now;
    call->runs = true;
    call->lane->running++;
    call->manner = choose_manner(call->provider);
    if (call->manner == OTHER_DAY && rates_day_is_latest(call->when))
        call->manner = NOT_JSON;
    call->lines = call->manner == LATE ? 2 + world_chance(5) : 0;
    call->stall =
        now + (left < HTTP_CALL_LIMIT.usec ? left : HTTP_CALL_LIMIT.usec);
    call->next =
        call->manner == SILENT ? NEVER : now + 1 + world_chance(300000);
    call->piece(call->arg, 0, (struct span){"", 0});
}

static void begin_waiting(void *arg) {
    (void)arg;
    for (size_t i = 0; i < CALLS; i++)
        if (calls[i].used && !calls[i].runs &&
            calls[i].lane->running < HTTP_LANE_CALLS)
            begin(&calls[i]);
}

/* The day at the end of `/2026-11-20` or `?date=2026-11-20&...`. */
static day read_when(const char *url) {
    const char *date = strstr(url, "date=");
    day when;
    date = date != NULL ? date + 5 : strrchr(url, '/') + 1;
    return day_parse((struct span){date, 10}, &when) == DAY_OK ? when
                                                               : RATES_LATEST;
}

void http_get(struct http *http, struct http_lane *lane,
              const struct http_request *request, duration timeout,
              http_piece *piece, http_done *done, void *arg) {
    (void)http;
    struct call *call = calls;
    while (call < calls + CALLS && call->used)
        call++;
    if (call == calls + CALLS) {
        world_wrong("more than %d calls at a time", CALLS);
        call = calls;
    }
    *call = (struct call){.used = true,
                          .provider = strstr(request->url, "freecurr") != NULL,
                          .when = read_when(request->url),
                          .counted = world_now(),
                          .deadline = world_now() + timeout.usec,
                          .next = NEVER,
                          .lane = lane,
                          .piece = piece,
                          .done = done,
                          .arg = arg};
    call_count++;
    judge_call(call);
    if (lane->running < HTTP_LANE_CALLS)
        begin(call);
}

static day table_day(const struct call *call) {
    day last = rates_published();
    day when =
        rates_day_is_latest(call->when) ? last : rates_working_day(call->when);
    return when.number < last.number ? when : last;
}

static size_t write_rates(size_t at, const struct call *call, day of,
                          const char *end) {
    unsigned count = call->provider == 0 ? WITHOUT_TABLE : UNKNOWN;
    for (unsigned i = 0; i < count; i++) {
        uint64_t rate = rates_rate(of, i);
        at += (size_t)snprintf(
            body + at, sizeof body - at, "%s\"%s\":%llu.%04llu",
            i > 0 ? "," : "{", rates_currency(i),
            (unsigned long long)rate / 10000, (unsigned long long)rate % 10000);
    }
    return at + (size_t)snprintf(body + at, sizeof body - at, "}%s", end);
}

/* frankfurter's names the day of the rates. */
static size_t write_first(const struct call *call, day of) {
    char date[DAY_TEXT_SIZE];
    day named = call->manner == OTHER_DAY ? day_add(call->when, 3) : of;
    day_print(named, date);
    size_t len = (size_t)snprintf(
        body, sizeof body,
        "{\"amount\":1.0,\"base\":\"%s\",\"date\":\"%s\",\"rates\":",
        call->manner == OTHER_BASE ? "USD" : "EUR", date);
    return write_rates(len, call, of, "}");
}

/* freecurrencyapi's the one that was asked for, if any was. */
static size_t write_second(const struct call *call, day of) {
    char date[DAY_TEXT_SIZE];
    size_t len = (size_t)snprintf(body, sizeof body, "{\"data\":");
    if (rates_day_is_latest(call->when))
        return write_rates(len, call, of, "}");
    if (call->manner == OTHER_DAY)
        return len + (size_t)snprintf(body + len, sizeof body - len, "{}}");
    day_print(call->when, date);
    len += (size_t)snprintf(body + len, sizeof body - len, "{\"%s\":", date);
    return write_rates(len, call, of, "}}");
}

static size_t write_body(const struct call *call) {
    day of = table_day(call);
    if (call->manner == OTHER_DAY) /* nobody is to have these */
        of = day_add(of, 1000);
    size_t len =
        call->provider == 0 ? write_first(call, of) : write_second(call, of);
    if (call->manner == CUT_OFF)
        return 1 + world_chance((uint32_t)len - 1);
    return call->manner == NOT_JSON
               ? (size_t)snprintf(body, sizeof body, "<html>Sorry</html>")
               : len;
}

struct outcome {
    struct call call;
    struct http_answer answer;
};

static void give(void *arg) {
    const struct outcome *outcome = arg;
    outcome->call.done(outcome->call.arg, &outcome->answer);
}

/* What its product half knows of the provider from now on. */
static void note(const struct call *call, duration wait) {
    struct provider_model *p = &models[call->provider];
    bool fails = call->manner != WELL && call->manner != LATE &&
                 call->manner != OTHER_DAY;
    p->failures = fails ? p->failures + 1 : 0;
    if (fails)
        p->failed = world_now();
    int64_t until = world_now() + wait.usec;
    if (wait.usec > 0 && until > p->not_before)
        p->not_before = until;
    if (call->manner == WELL) {
        p->given[p->given_count % GIVEN].when = call->when;
        p->given[p->given_count++ % GIVEN].at = world_now();
    }
    if (call->manner == OTHER_DAY) {
        int32_t number = call->when.number - rates_day(0).number;
        if (number >= 0 && number < ASKED_DAYS)
            lacked[number] = world_now();
    }
}

/* How long it is not to be asked then. */
static duration wait_for(const struct call *call, duration asked) {
    if (call->manner == LIMITED)
        return asked.usec > 0 ? asked : SECONDS(60);
    if (call->manner == FORBIDDEN) /* its key is refused, or it has none */
        return call->provider == 1 ? SECONDS(600) : SECONDS(10);
    return (duration){0};
}

static void finish(struct call *call) {
    static const long statuses[MANNERS] = {
        [REFUSED] = 0,      [SILENT] = 0,      [ERROR_500] = 500,
        [LIMITED] = 429,    [FORBIDDEN] = 403, [WELL] = 200,
        [LATE] = 200,       [NOT_JSON] = 200,  [CUT_OFF] = 200,
        [OTHER_BASE] = 200, [OTHER_DAY] = 200};
    struct outcome outcome = {*call,
                              {.status = statuses[call->manner],
                               .body = {"", 0},
                               .etag = "",
                               .changed = "",
                               .error = "",
                               .redirect = ""}};
    if (outcome.answer.status == 200)
        outcome.answer.body = (struct span){body, write_body(call)};
    if (call->manner == LIMITED)
        outcome.answer.retry_after = SECONDS(world_chance(90));
    note(call, wait_for(call, outcome.answer.retry_after));
    struct http_lane *lane = call->lane;
    call->used = false;
    call_count--;
    if (!fetcher_does(give, &outcome))
        return; /* and the lane is no more */
    lane->running--;
    fetcher_does(begin_waiting, NULL);
}

static void give_up_waiting(struct call *call) {
    struct outcome outcome = {*call,
                              {.unsent = true,
                               .body = {"", 0},
                               .etag = "",
                               .changed = "",
                               .error = "",
                               .redirect = ""}};
    take_back(call);
    call->used = false;
    call_count--;
    fetcher_does(give, &outcome);
}

static void give_line(void *arg) {
    const struct call *call = arg;
    call->piece(call->arg, 0, (struct span){"", 0});
}

static void next_line(struct call *call) {
    call->lines--;
    call->stall = world_now() + HTTP_CALL_LIMIT.usec;
    call->next = world_now() + 1 + world_chance(1900000);
    fetcher_does(give_line, call);
}

static int64_t due(const struct call *call) {
    if (!call->used)
        return NEVER;
    if (!call->runs)
        return call->deadline - LEAST_FOR_CALL;
    return call->next < call->stall ? call->next : call->stall;
}

int64_t providers_next(void) {
    int64_t next = NEVER;
    for (size_t i = 0; call_count > 0 && i < CALLS; i++)
        if (due(&calls[i]) < next)
            next = due(&calls[i]);
    return next;
}

static void go_on(struct call *call) {
    if (!call->runs)
        give_up_waiting(call);
    else if (call->next <= world_now() && call->lines > 0)
        next_line(call);
    else {
        if (call->next > world_now())
            call->manner = SILENT;
        finish(call);
    }
}

void providers_turn(void) {
    for (size_t i = 0; call_count > 0 && i < CALLS; i++)
        if (due(&calls[i]) <= world_now()) {
            go_on(&calls[i]);
            return; /* others may have come and gone */
        }
}
