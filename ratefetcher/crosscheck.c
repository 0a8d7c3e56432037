#include "ratefetcher/crosscheck.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "common/lines/message.h"
#include "common/log.h"
#include "common/memory.h"
#include "common/rates/euro_fixed.h"
#include "ratefetcher/latest_age.h"
#include "ratefetcher/provider_tables.h"
#include "ratefetcher/rates_differ.h"

/* From one day to the next no rate moves so much. */
#define JUMP (20 * RATES_DIFFER_PERCENT)

/* So many differences are kept for the status; a log line names fewer. */
enum { MAX_FOUND = 16, MAX_NAMED = 5, NAMED_BYTES = 320 };

/* Nobody waits for the second provider. */
#define ASK_LIMIT SECONDS(10)

/* What a table is compared with. */
enum comparison { WITH_SECOND, WITH_DAY_BEFORE };

static const char *const words[] = {
    [WITH_SECOND] = "crosscheck", [WITH_DAY_BEFORE] = "jump"};

/* A currency that differs. */
struct difference {
    enum comparison with;
    day when; /* that was asked for */
    const char *provider, *other;
    day as_of, other_as_of;
    char code[RATES_CODE_LEN + 1];
    char rate[RATE_TEXT_SIZE], other_rate[RATE_TEXT_SIZE];
};

/* A table that waits for the second provider's. */
struct pending {
    LIST_ENTRY(pending) entry;
    struct crosscheck *crosscheck;
    struct provider *provider;
    day when;
    struct rates *rates;
    struct provider_call call;
};

struct crosscheck {
    const struct provider_context *context;
    struct providers *providers;
    struct provider *second; /* NULL: none */
    bool is_shared;          /* it gives rates, too */
    uint64_t percent;        /* as rates_differ() has it */
    LIST_HEAD(, pending) pending;
    struct difference found[MAX_FOUND]; /* the oldest first */
    size_t found_count;
};

struct crosscheck *crosscheck_new(const struct provider_context *context,
                                  struct providers *providers) {
    struct crosscheck *crosscheck = memory_new(sizeof *crosscheck);
    crosscheck->context = context;
    crosscheck->providers = providers;
    crosscheck->second = providers->second;
    crosscheck->is_shared =
        providers->second != &providers->list[providers->count];
    crosscheck->percent = (uint64_t)settings_count(
        context->settings, SETTING_RATES_CROSSCHECK_PERCENT, 0);
    LIST_INIT(&crosscheck->pending);
    return crosscheck;
}

static void free_pending(struct pending *pending) {
    rates_release(&pending->rates);
    free(pending);
}

void crosscheck_free(struct crosscheck **crosscheck) {
    struct crosscheck *c = *crosscheck;
    struct pending *pending;
    *crosscheck = NULL;
    while ((pending = LIST_FIRST(&c->pending)) != NULL) {
        LIST_REMOVE(pending, entry);
        free_pending(pending);
    }
    free(c);
}

/* What was found of the same table once is found anew, or over. */
static void forget(struct crosscheck *c, const struct difference *table) {
    size_t kept = 0;
    for (size_t i = 0; i < c->found_count; i++)
        if (c->found[i].with != table->with ||
            c->found[i].when.number != table->when.number ||
            strcmp(c->found[i].provider, table->provider) != 0)
            c->found[kept++] = c->found[i];
    c->found_count = kept;
}

static void remember(struct crosscheck *c, const struct difference *found) {
    if (c->found_count == MAX_FOUND)
        memmove(c->found, c->found + 1, --c->found_count * sizeof *c->found);
    c->found[c->found_count++] = *found;
}

/* Whether both tables have the currency, and how far apart. A currency that
 * became the euro is not converted by either. */
static bool differs(const struct rates *rates, const struct rates *other,
                    const char *code, uint64_t percent) {
    struct rate_pair pair, other_pair;
    day as_of = rates_as_of(rates);
    return euro_fixed_find(code, as_of, as_of) == NULL &&
           rates_find_pair(rates, span_of(code), &pair) &&
           rates_find_pair(other, span_of(code), &other_pair) &&
           rates_differ(pair, other_pair, percent);
}

/* "USD 4 (1.16)", one after another. */
static void name(char named[static NAMED_BYTES],
                 const struct difference *found) {
    size_t len = strlen(named);
    snprintf(named + len, NAMED_BYTES - len, "%s%s %s (%s)",
             len > 0 ? ", " : "", found->code, found->rate, found->other_rate);
}

/* Once for each day's table, however often it comes anew. */
static void tell(const struct crosscheck *c, struct provider *provider,
                 const struct difference *table, size_t count,
                 const char *named) {
    char as_of[DAY_TEXT_SIZE], other_as_of[DAY_TEXT_SIZE];
    c->context->changed(c->context->arg);
    if (provider->differ_told[table->with].number == table->as_of.number)
        return;
    provider->differ_told[table->with] = table->as_of;
    day_print(table->as_of, as_of);
    day_print(table->other_as_of, other_as_of);
    log_warn(EVENT_RATES_DIFFER,
             LOG_FIELDS(log_text("provider", table->provider),
                        log_text("as_of", as_of),
                        log_text("why", words[table->with]),
                        log_text("other", table->other),
                        log_text("other_as_of", other_as_of),
                        log_int("count", (int64_t)count),
                        log_text("currencies", named)));
    char *detail = memory_print("%s %s (%s %s): %zu: %s", table->provider,
                                as_of, table->other, other_as_of, count, named);
    c->context->alert(c->context->arg, EVENT_RATES_DIFFER, detail);
    free(detail);
}

static void compare(struct crosscheck *c, struct provider *provider, day when,
                    const struct rates *rates, enum comparison with,
                    const struct rates *other, uint64_t percent) {
    struct difference found = {.with = with,
                               .when = when,
                               .provider = provider->class->name,
                               .other = c->second != NULL && with == WITH_SECOND
                                            ? c->second->class->name
                                            : provider->class->name,
                               .as_of = rates_as_of(rates),
                               .other_as_of = rates_as_of(other)};
    char named[NAMED_BYTES] = "";
    size_t count = 0;
    forget(c, &found);
    for (size_t i = 0; i <= rates_count(rates); i++) {
        rates_code(rates, i, found.code); /* the last one is the base */
        if (!differs(rates, other, found.code, percent))
            continue;
        rates_print(rates, span_of(found.code), found.rate);
        rates_print(other, span_of(found.code), found.other_rate);
        if (count++ < MAX_NAMED)
            name(named, &found);
        remember(c, &found);
    }
    if (count > 0)
        tell(c, provider, &found, count, named);
}

static void end_asking(struct pending *pending, struct provider_answer answer) {
    struct crosscheck *c = pending->crosscheck;
    provider_check_age(c->second, pending->when, &answer);
    if (answer.result == PROVIDER_OK)
        compare(c, pending->provider, pending->when, pending->rates,
                WITH_SECOND, answer.rates, c->percent);
    (void)provider_end(c->second, pending->when, &pending->call, &answer);
    free_pending(pending);
}

static void on_fetched(void *arg, const struct provider_answer *answer) {
    struct pending *pending = arg;
    LIST_REMOVE(pending, entry);
    end_asking(pending, *answer);
}

/* Of a provider that gives rates, too, half the calls are left for those. */
static bool may_ask(const struct crosscheck *c, day when, monotime now) {
    const struct provider *second = c->second;
    uint32_t used = quota_calls(&second->record->quota, now);
    return provider_wait(second, when, now).usec == 0 &&
           (!c->is_shared || used < (second->calls_per_minute + 1) / 2);
}

/* Asks the second provider, as its quota allows. */
static void ask_second(struct crosscheck *c, struct provider *provider,
                       day when, struct rates *rates) {
    struct provider_answer answer;
    if (!may_ask(c, when, clock_monotonic()))
        return;
    struct pending *pending = memory_new(sizeof *pending);
    pending->crosscheck = c;
    pending->provider = provider;
    pending->when = when;
    pending->rates = rates_hold(rates);
    LIST_INSERT_HEAD(&c->pending, pending, entry);
    if (!provider_fetch(c->second, when, ASK_LIMIT, &pending->call, &answer,
                        on_fetched, pending))
        return;
    LIST_REMOVE(pending, entry);
    end_asking(pending, answer);
}

/* `before`: the last table that was known of an earlier day, or NULL. */
static void look_at(struct crosscheck *c, struct provider *provider, day when,
                    struct rates *rates, const struct rates *before,
                    bool may_ask) {
    if (before != NULL)
        compare(c, provider, when, rates, WITH_DAY_BEFORE, before, JUMP);
    if (c->second == NULL || c->second == provider)
        return;
    const struct rates *known = provider_fresh_table(c->second, when);
    if (known != NULL)
        compare(c, provider, when, rates, WITH_SECOND, known, c->percent);
    else if (may_ask)
        ask_second(c, provider, when, rates);
}

bool crosscheck_keep(struct crosscheck *crosscheck, struct provider *provider,
                     day when, struct rates *rates, monotime fetched,
                     const char *layer) {
    struct rates *before = provider_last_known(provider, rates_as_of(rates));
    bool is_new = provider_keep(provider, when, rates, fetched, layer);
    if (is_new)
        look_at(crosscheck, provider, when, rates, before, false);
    rates_release(&before);
    return is_new;
}

bool crosscheck_end(struct crosscheck *crosscheck, struct provider *provider,
                    day when, const struct provider_call *call,
                    struct provider_answer *answer) {
    provider_check_age(provider, when, answer);
    struct rates *rates = answer->rates;
    struct rates *before =
        rates != NULL ? provider_last_known(provider, rates_as_of(rates))
                      : NULL;
    bool is_new = provider_end(provider, when, call, answer);
    if (is_new && rates != NULL)
        look_at(crosscheck, provider, when, rates, before, true);
    rates_release(&before);
    if (rates_day_is_latest(when))
        latest_age_watch(crosscheck->providers);
    return is_new;
}

static struct json_object *row_of(const struct difference *found) {
    struct json_object *row = json_object_new_object();
    char text[DAY_TEXT_SIZE];
    message_add_text(row, "why", words[found->with]);
    message_add_text(row, "currency", found->code);
    message_add_text(row, "provider", found->provider);
    day_print(found->as_of, text);
    message_add_text(row, "as_of", text);
    message_add_text(row, "rate", found->rate);
    message_add_text(row, "other", found->other);
    day_print(found->other_as_of, text);
    message_add_text(row, "other_as_of", text);
    message_add_text(row, "other_rate", found->other_rate);
    return row;
}

void crosscheck_report(const struct crosscheck *crosscheck,
                       struct json_object *report) {
    struct json_object *rows = json_object_new_array();
    for (size_t i = 0; i < crosscheck->found_count; i++)
        json_object_array_add(rows, row_of(&crosscheck->found[i]));
    json_object_object_add(report, "rates_differ", rows);
}
