/*
 * ratefetcher as wsclient sees it, with two providers that work or fail;
 * whether one may be asked is up to the product's breaker and quota, and judged
 * here by a plain list of the calls.
 */
#include <stdio.h>
#include <string.h>

#include "ratefetcher/breaker.h"
#include "ratefetcher/quota.h"
#include "tests/sim/parts.h"

enum { PROVIDERS = 2, CALLS_PER_MINUTE = 10, QUESTIONS = 128 };
#define MINUTE         (60 * USEC_PER_SEC)
#define SHORTEST_SKIP  (30 * USEC_PER_SEC)
#define LONGEST_SKIP   (600 * USEC_PER_SEC)
#define LONGEST_ANSWER 1500000

static const char codes[CURRENCIES][4] = {"USD", "JPY", "GBP",
                                          "CHF", "XAF", "XTS"};
static const day first_day = {18750}; /* 2021-05-03 */

static struct provider_model {
    struct breaker breaker;
    struct quota quota;
    int64_t calls[CALLS_PER_MINUTE]; /* the last ones, in a ring */
    unsigned call_count, failures;   /* the latter in a row */
    int64_t failed;                  /* the last time */
} providers[PROVIDERS];

static struct question_model {
    int64_t due;
    day when;
    char currency[4];
} questions[QUESTIONS];
static size_t question_count;
static bool was_unasked;

day rates_day(unsigned number) {
    return (day){first_day.number + (int32_t)number};
}

const char *rates_currency(unsigned number) {
    return codes[number];
}

uint64_t rates_rate(day when, unsigned currency) {
    uint64_t mix = ((uint64_t)when.number * 31 + currency) * 2654435761U;
    return 5000 + mix % 1500000;
}

void rates_begin_world(void) {
    memset(providers, 0, sizeof providers);
    question_count = 0;
    was_unasked = false;
}

void rates_forget_questions(void) {
    question_count = 0;
}

bool rates_ask(day when, struct span currency) {
    if (world_has(FAULT_UNASKED))
        return false;
    if (question_count == QUESTIONS) {
        world_wrong("more than %d questions are open", QUESTIONS);
        return false;
    }
    struct question_model *q = &questions[question_count++];
    *q = (struct question_model){
        .due = world_now() + 1 + world_chance(LONGEST_ANSWER), .when = when};
    memcpy(q->currency, currency.data, currency.len);
    return true;
}

int64_t rates_next(void) {
    int64_t next = NEVER;
    for (size_t i = 0; i < question_count; i++)
        if (questions[i].due < next)
            next = questions[i].due;
    return next;
}

/* In front of a call that breaker and quota allow. */
static void judge_call(struct provider_model *p) {
    int64_t now = world_now();
    int64_t *oldest = &p->calls[p->call_count % CALLS_PER_MINUTE];
    if (p->call_count >= CALLS_PER_MINUTE && now - *oldest < MINUTE)
        world_wrong("a provider gets more than %d calls in a minute",
                    CALLS_PER_MINUTE);
    if (p->failures >= BREAKER_FAILURES && now - p->failed < SHORTEST_SKIP)
        world_wrong("a provider is called soon after %u failures", p->failures);
    *oldest = now;
    p->call_count++;
}

static bool call(unsigned number) {
    struct provider_model *p = &providers[number];
    monotime now = {world_now()};
    duration skip = breaker_wait(&p->breaker, now);
    if (skip.usec > LONGEST_SKIP)
        world_wrong("a provider is skipped for too long");
    if (skip.usec > 0 || quota_wait(&p->quota, CALLS_PER_MINUTE, now).usec > 0)
        return false;
    judge_call(p);
    quota_take(&p->quota, now);
    bool trial = breaker_begin(&p->breaker, now);
    if (trial && p->failures < BREAKER_FAILURES)
        world_wrong("a provider that works is on trial");
    if (!world_has(FAULT_PROVIDER_A + number)) {
        breaker_succeed(&p->breaker);
        p->failures = 0;
        return true;
    }
    breaker_fail(&p->breaker, now);
    p->failures++;
    p->failed = now.usec;
    return false;
}

static struct rates *make_table(day when, bool whole) {
    struct rates *rates = rates_new(whole ? "two" : "one", "EUR", when, 0);
    for (unsigned i = 0; i < UNKNOWN; i++) {
        char text[32];
        uint64_t rate = rates_rate(when, i);
        snprintf(text, sizeof text, "%llu.%04llu",
                 (unsigned long long)rate / 10000,
                 (unsigned long long)rate % 10000);
        if ((i != WITHOUT_TABLE || whole) &&
            rates_add(rates, span_of(codes[i]), span_of(text)) != RATES_ADDED)
            world_wrong("a rate is not taken");
    }
    return rates;
}

struct reply {
    const struct question_model *question;
    bool found, unknown;
};

static void give_reply(void *arg) {
    const struct reply *reply = arg;
    const struct question_model *q = reply->question;
    struct span currency = span_of(q->currency);
    if (!reply->found) {
        pipeline_no_rates(life_pipeline(), q->when, currency, reply->unknown);
        return;
    }
    int64_t fresh = world_chance(2) == 0 ? world_chance(10 * USEC_PER_SEC)
                                         : 7200 * USEC_PER_SEC;
    struct rates *rates = make_table(q->when, currency.len > 0);
    pipeline_rates(life_pipeline(), q->when, currency, rates, "provider",
                   (monotime){world_now() + fresh});
    rates_release(&rates);
}

static void answer(struct question_model question) {
    struct reply reply = {.question = &question};
    bool reached = call(0) || call(1);
    reply.unknown = reached && strcmp(question.currency, codes[UNKNOWN]) == 0;
    reply.found = reached && !reply.unknown;
    if (!reached)
        upstream_no_rates(question.when);
    life_does(give_reply, &reply);
}

static void ask_again(void *arg) {
    (void)arg;
    pipeline_ask_again(life_pipeline());
}

void rates_turn(void) {
    bool unasked = world_has(FAULT_UNASKED);
    if (unasked)
        question_count = 0; /* its connection is gone */
    if (was_unasked && !unasked)
        life_does(ask_again, NULL);
    was_unasked = unasked;
    for (size_t i = 0; i < question_count; i++)
        if (questions[i].due <= world_now()) {
            struct question_model question = questions[i];
            questions[i] = questions[--question_count];
            answer(question);
            return;
        }
}
