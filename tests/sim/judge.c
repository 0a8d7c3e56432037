#include "tests/sim/judge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/parts.h"
#include "tests/sim/rates.h"
#include "tests/sim/stores.h"

enum { REQUESTS = 1 << 14, ID_BASE = 1000, BREAKS_TO_REFUSE = 4 };
/* So many in hand may fill the ledger. */
enum { FULL_FROM = 20, MEMORY_BYTES = 4 << 20 };
#define TIMEOUT (5 * USEC_PER_SEC)
/* To answer, and to send what had to be sent again. */
#define SLACK (3 * USEC_PER_SEC)
#define TTL   (60 * USEC_PER_SEC)

static struct account {
    uint64_t dice; /* stake, currency and day */
    bool delivered, claimed, confirmed, excused;
    unsigned connection, answered_on; /* the last one; 0: none */
    int64_t arrived;
    unsigned breaks, kills; /* before it */
    char answer[JUDGE_TEXT_SIZE];
} all[REQUESTS];
static size_t count, first_open;
static size_t in_hand; /* at the most */
static unsigned breaks;
static int64_t no_rates_at[DAYS];

static const char *const reasons[] = {
    "no rates can be had for this date",
    "no rate came in time",
    "no rate of this currency for this date",
    "too many messages are in hand",
    "the message could not be handled",
    "the answer was refused as too long (close code 1009)"};
enum reason { NO_RATES, IN_TIME, NO_CURRENCY, FULL, QUARANTINED, TOO_LONG };

void judge_begin_world(void) {
    count = first_open = in_hand = 0;
    breaks = 0;
    memset(no_rates_at, 0, sizeof no_rates_at);
}

void judge_break(void) {
    breaks++;
}

void judge_no_rates(day when) {
    no_rates_at[when.number - rates_day(0).number] = world_now();
}

size_t judge_new_request(void) {
    if (count == REQUESTS)
        return NO_REQUEST;
    all[count] =
        (struct account){.dice = (uint64_t)world_chance(UINT32_MAX) << 16 |
                                 world_chance(1 << 16)};
    return count++;
}

static unsigned day_of(const struct account *a) {
    return a->dice % DAYS;
}
static unsigned currency_of(const struct account *a) {
    return a->dice / DAYS % CURRENCIES;
}
static uint64_t cents_of(const struct account *a) {
    return a->dice / (DAYS * CURRENCIES) % 100000000;
}

/* The same bytes, but for stake and currency. */
static size_t write_message(const struct account *a, const char *stake,
                            const char *currency, char *text) {
    char date[DAY_TEXT_SIZE];
    day_print(rates_day(day_of(a)), date);
    return (size_t)snprintf(
        text, JUDGE_TEXT_SIZE,
        "{\"type\":\"message\",\"id\":%zu,\"payload\":{\"odds\":2.20,"
        "\"stake\":%s,\"currency\":\"%s\",\"date\":\"%sT10:00:00Z\"},"
        "\"of\":\"Zo\u00eb \u20ac \U0001F600\"}",
        (size_t)(a - all) + ID_BASE, stake, currency, date);
}

size_t judge_write_request(size_t number, char text[JUDGE_TEXT_SIZE]) {
    const struct account *a = &all[number];
    char stake[32];
    uint64_t cents = cents_of(a);
    snprintf(stake, sizeof stake, "%llu.%02llu",
             (unsigned long long)cents / 100, (unsigned long long)cents % 100);
    return write_message(a, stake, rates_currency(currency_of(a)), text);
}

/* In hundred thousandths, half away from zero. */
static void write_euro(const struct account *a, char text[32]) {
    uint64_t rate =
        rates_rate(rates_working_day(rates_day(day_of(a))), currency_of(a));
    uint64_t dividend = cents_of(a) * 10000000; /* below 1e15 */
    uint64_t fine = (2 * dividend + rate) / (2 * rate);
    size_t len = (size_t)snprintf(text, 32, "%llu.%05llu",
                                  (unsigned long long)fine / 100000,
                                  (unsigned long long)fine % 100000);
    while (text[len - 1] == '0')
        text[--len] = '\0';
    if (text[len - 1] == '.')
        text[--len] = '\0';
}

static size_t write_error(const struct account *a, enum reason reason,
                          char *text) {
    return (size_t)snprintf(text, JUDGE_TEXT_SIZE,
                            "{\"type\":\"error\",\"id\":%zu,\"message\":"
                            "\"Unable to convert stake. Error: %s\"}",
                            (size_t)(a - all) + ID_BASE, reasons[reason]);
}

/* Whether that error may be the answer. */
static bool is_allowed(const struct account *a, enum reason reason) {
    switch (reason) {
    case NO_RATES:
        return no_rates_at[day_of(a)] >= a->arrived;
    case IN_TIME:
        return world_now() - a->arrived >= TIMEOUT;
    case NO_CURRENCY:
        return currency_of(a) == UNKNOWN ||
               (currency_of(a) == WITHOUT_TABLE &&
                providers_lacked(rates_day(day_of(a))));
    case FULL:
        return in_hand >= FULL_FROM;
    case QUARANTINED:
        return life_kills_at_stores() - a->kills >= 2;
    case TOO_LONG:
        return breaks - a->breaks >= BREAKS_TO_REFUSE;
    }
    return false;
}

static bool is_right(const struct account *a, struct span text) {
    char wanted[JUDGE_TEXT_SIZE], stake[32];
    write_euro(a, stake);
    write_message(a, stake, "EUR", wanted);
    if (currency_of(a) != UNKNOWN && span_equals(text, wanted))
        return true;
    for (enum reason reason = 0; reason <= TOO_LONG; reason++) {
        write_error(a, reason, wanted);
        if (span_equals(text, wanted))
            return is_allowed(a, reason);
    }
    return false;
}

static struct account *find(struct span text) {
    char copy[JUDGE_TEXT_SIZE];
    size_t len = text.len < sizeof copy ? text.len : sizeof copy - 1;
    memcpy(copy, text.data, len);
    copy[len] = '\0';
    const char *id = strstr(copy, "\"id\":");
    size_t number = id != NULL ? strtoul(id + 5, NULL, 10) - ID_BASE : count;
    return number < count && all[number].delivered ? &all[number] : NULL;
}

static bool is_refused_as_too_long(const struct account *a, struct span text) {
    char wanted[JUDGE_TEXT_SIZE];
    write_error(a, TOO_LONG, wanted);
    return span_equals(text, wanted);
}

static void judge_repeat(const struct account *a, struct span text,
                         unsigned connection) {
    size_t number = (size_t)(a - all) + ID_BASE;
    if (a->answered_on == connection)
        world_wrong("%zu is answered twice on a connection", number);
    else if (a->confirmed)
        world_wrong("%zu is answered again after its receipt", number);
    else if (!span_equals(text, a->answer) && !is_refused_as_too_long(a, text))
        world_wrong("%zu is answered otherwise than before: %.*s", number,
                    (int)text.len, text.data);
}

/* A heartbeat at which it died twice: it can not be known for one. */
static bool is_quarantined_beat(struct span text) {
    return life_kills_at_stores() >= 2 &&
           span_equals(text,
                       "{\"type\":\"error\",\"id\":null,\"message\":\"Unable "
                       "to convert stake. Error: the message could not "
                       "be handled\"}");
}

size_t judge_answer(struct span text, unsigned connection) {
    if (is_quarantined_beat(text))
        return NO_REQUEST;
    struct account *a = find(text);
    if (a == NULL || text.len >= sizeof a->answer || !is_right(a, text)) {
        world_wrong("this answers no request rightly: %.*s", (int)text.len,
                    text.data);
        return NO_REQUEST;
    }
    if (a->answered_on != 0)
        judge_repeat(a, text, connection);
    a->answered_on = connection;
    memcpy(a->answer, text.data, text.len);
    a->answer[text.len] = '\0';
    return (size_t)(a - all);
}

void judge_delivers(size_t number, unsigned connection) {
    struct account *a = &all[number];
    a->delivered = true;
    a->connection = connection;
    a->arrived = world_now();
    a->breaks = breaks;
    a->kills = life_kills_at_stores();
    in_hand++;
}

void judge_claimed(size_t number) {
    all[number].claimed = true;
}

void judge_confirmed(size_t number) {
    if (!all[number].confirmed && in_hand > 0)
        in_hand--;
    all[number].confirmed = true;
}

static bool is_open(const struct account *a) {
    return a->claimed && a->answered_on == 0 && !a->excused;
}

static void judge_open(struct account *a, int64_t good, unsigned connection) {
    int64_t from = a->arrived > good ? a->arrived : good;
    if (life_started() > from)
        from = life_started();
    int64_t limit = from + TIMEOUT + SLACK;
    if (world_now() < limit)
        return;
    bool may_expire = a->connection != connection && limit - a->arrived >= TTL;
    if (may_expire || breaks - a->breaks >= BREAKS_TO_REFUSE)
        a->excused = true;
    else
        world_wrong("%zu was taken and is not answered",
                    (size_t)(a - all) + ID_BASE);
}

void judge_all(int64_t good_since, unsigned connection) {
    if (stores_memory(WSCLIENT) > MEMORY_BYTES)
        world_wrong("it has %zu bytes of memory", stores_memory(WSCLIENT));
    while (first_open < count && all[first_open].delivered &&
           !is_open(&all[first_open]))
        first_open++;
    for (size_t i = first_open; i < count && !world_is_wrong(); i++)
        if (is_open(&all[i]))
            judge_open(&all[i], good_since, connection);
}
