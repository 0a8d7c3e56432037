#include "common/rates/rates.h"

#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/lines/message.h"
#include "common/memory.h"

enum { MAX_PROVIDER_NAME = 31 };

/* As in rates.h, with the number by which they are in order. */
struct rates_entry {
    char code[RATES_CODE_LEN];
    uint8_t places;
    uint32_t order; /* of the code, see order_of() */
    struct decimal value;
};

struct rates {
    int references;
    char provider[MAX_PROVIDER_NAME + 1];
    char base[RATES_CODE_LEN + 1];
    uint32_t base_order; /* see order_of() */
    day as_of;
    int64_t fetched_ms;
    struct decimal euro; /* its rate; 0: there is none */
    size_t count, size;
    struct rates_entry *rates; /* in the order of their codes */
};

static const struct decimal one = {1, 0};
static const struct decimal lowest_rate = {1, 9};
static const struct decimal highest_rate = {10000000000, 0};
/* Beyond it the largest amount would not fit; no base is worth so much. */
static const struct decimal highest_euro_rate = {1000000000, 0};

bool rates_day_parse(struct span text, day *out) {
    *out = RATES_LATEST;
    return span_equals(text, "latest") || day_parse(text, out) == DAY_OK;
}

void rates_day_print(day d, char out[static DAY_TEXT_SIZE]) {
    if (rates_day_is_latest(d))
        strcpy(out, "latest");
    else
        day_print(d, out);
}

/* A code as a number that is in the same order. */
static inline uint32_t order_of(const char *code) {
    const unsigned char *c = (const unsigned char *)code;
    return (uint32_t)c[0] << 16 | (uint32_t)c[1] << 8 | c[2];
}

static bool is_euro(const char *code) {
    return order_of(code) == order_of("EUR");
}

static bool is_upper(char c) {
    return c >= 'A' && c <= 'Z';
}

bool rates_is_code(struct span text) {
    return text.len == RATES_CODE_LEN && is_upper(text.data[0]) &&
           is_upper(text.data[1]) && is_upper(text.data[2]);
}

/* As much of the text as there is room for, and a NUL. */
static void put_text(char *out, size_t size, const char *text) {
    size_t len = strnlen(text, size - 1);
    memcpy(out, text, len);
    out[len] = '\0';
}

struct rates *rates_new(const char *provider, const char *base, day as_of,
                        int64_t fetched_ms) {
    struct rates *rates = memory_new(sizeof *rates);
    rates->references = 1;
    put_text(rates->provider, sizeof rates->provider, provider);
    put_text(rates->base, sizeof rates->base, base);
    rates->base_order = order_of(rates->base);
    rates->as_of = as_of;
    rates->fetched_ms = fetched_ms;
    if (is_euro(rates->base))
        rates->euro = one;
    return rates;
}

/* The place of a code in the order, whether it is there or not. */
static inline size_t place_of(const struct rates *rates, uint32_t order) {
    size_t low = 0, high = rates->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (rates->rates[middle].order < order)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool is_at(const struct rates *rates, size_t place, uint32_t order) {
    return place < rates->count && rates->rates[place].order == order;
}

static bool is_within(struct decimal value, struct decimal highest) {
    /* So nearly all are: the scale can only make it less. */
    if (value.coefficient > 0 && value.scale <= lowest_rate.scale &&
        value.coefficient <= highest.coefficient)
        return true;
    return decimal_compare(value, lowest_rate) >= 0 &&
           decimal_compare(value, highest) <= 0;
}

enum rates_add rates_read(const char *base, const char *code, struct span text,
                          struct rate *rate) {
    bool good = decimal_parse(text, &rate->value) == DECIMAL_OK &&
                is_within(rate->value,
                          is_euro(code) ? highest_euro_rate : highest_rate);
    if (order_of(code) == order_of(base))
        return good && decimal_compare(rate->value, one) == 0
                   ? RATES_BASE
                   : RATES_OTHER_BASE;
    rate->places = good ? decimal_places(text) : 0;
    return good ? RATES_ADDED : RATES_BAD_RATE;
}

static void set_entry(struct rates *rates, struct rates_entry *entry,
                      const char *code, const struct rate *rate) {
    memcpy(entry->code, code, RATES_CODE_LEN);
    entry->places = rate->places;
    entry->order = order_of(code);
    entry->value = rate->value;
    if (is_euro(code))
        rates->euro = rate->value;
}

static void insert(struct rates *rates, size_t place, const char *code,
                   const struct rate *rate) {
    if (rates->count == rates->size) {
        rates->size = rates->size == 0 ? 48 : rates->size * 2;
        rates->rates =
            memory_resize(rates->rates, rates->size * sizeof *rates->rates);
    }
    struct rates_entry *slot = &rates->rates[place];
    memmove(slot + 1, slot, (rates->count - place) * sizeof *slot);
    set_entry(rates, slot, code, rate);
    rates->count++;
}

enum rates_add rates_add(struct rates *rates, struct span code,
                         struct span rate) {
    if (!rates_is_code(code))
        return RATES_NO_CODE;
    struct rate read_rate;
    enum rates_add read = rates_read(rates->base, code.data, rate, &read_rate);
    if (read != RATES_ADDED)
        return read;
    uint32_t order = order_of(code.data);
    size_t place = place_of(rates, order);
    if (is_at(rates, place, order))
        return RATES_DUPLICATE;
    if (rates->count == RATES_MAX_CURRENCIES)
        return RATES_TOO_MANY;
    insert(rates, place, code.data, &read_rate);
    return RATES_ADDED;
}

void rates_fill(struct rates *rates, const struct rate *sorted, size_t count) {
    rates->rates = memory_resize(rates->rates, count * sizeof *rates->rates);
    for (size_t i = 0; i < count; i++)
        set_entry(rates, &rates->rates[i], sorted[i].code, &sorted[i]);
    rates->count = rates->size = count;
}

const char *rates_fault(const struct rates *rates) {
    if (rates->count == 0)
        return "no rates";
    return rates->euro.coefficient == 0 ? "no rate of the euro" : NULL;
}

struct rates *rates_copy(const struct rates *rates, int64_t fetched_ms) {
    struct rates *copy =
        rates_new(rates->provider, rates->base, rates->as_of, fetched_ms);
    copy->euro = rates->euro;
    copy->count = copy->size = rates->count;
    copy->rates = memory_resize(NULL, (copy->size + 1) * sizeof *copy->rates);
    if (copy->count > 0)
        memcpy(copy->rates, rates->rates, copy->count * sizeof *copy->rates);
    return copy;
}

struct rates *rates_hold(struct rates *rates) {
    rates->references++;
    return rates;
}

void rates_release(struct rates **rates) {
    struct rates *r = *rates;
    *rates = NULL;
    if (r == NULL || --r->references > 0)
        return;
    free(r->rates);
    free(r);
}

bool rates_print(const struct rates *rates, struct span currency,
                 char out[static RATE_TEXT_SIZE]) {
    uint32_t order = order_of(currency.data);
    size_t place = place_of(rates, order);
    bool is_base = order == rates->base_order;
    strcpy(out, is_base ? "1" : "");
    if (is_base || !is_at(rates, place, order))
        return is_base;
    const struct rates_entry *entry = &rates->rates[place];
    decimal_print_places(entry->value, entry->places, out);
    return true;
}

const struct decimal *rates_find(const struct rates *rates,
                                 struct span currency) {
    uint32_t order = order_of(currency.data);
    if (order == rates->base_order)
        return &one;
    size_t place = place_of(rates, order);
    return is_at(rates, place, order) ? &rates->rates[place].value : NULL;
}

bool rates_find_pair(const struct rates *rates, struct span currency,
                     struct rate_pair *pair) {
    const struct decimal *rate = rates_find(rates, currency);
    if (rate == NULL)
        return false;
    *pair = (struct rate_pair){.euro = rates->euro, .currency = *rate};
    return true;
}

day rates_as_of(const struct rates *rates) {
    return rates->as_of;
}

int64_t rates_fetched_ms(const struct rates *rates) {
    return rates->fetched_ms;
}

const char *rates_provider(const struct rates *rates) {
    return rates->provider;
}

const char *rates_base(const struct rates *rates) {
    return rates->base;
}

size_t rates_count(const struct rates *rates) {
    return rates->count;
}

void rates_code(const struct rates *rates, size_t place,
                char code[static RATES_CODE_LEN + 1]) {
    memcpy(code, place < rates->count ? rates->rates[place].code : rates->base,
           RATES_CODE_LEN);
    code[RATES_CODE_LEN] = '\0';
}

void rates_to_message(const struct rates *rates, struct json_object *message) {
    char text[MOMENT_TEXT_SIZE];
    day_print(rates->as_of, text);
    message_add_text(message, "as_of", text);
    message_add_text(message, "base", rates->base);
    message_add_text(message, "provider", rates->provider);
    moment_print_ms(rates->fetched_ms, text);
    message_add_text(message, "fetched_at", text);
    struct json_object *table = json_object_new_object();
    for (size_t i = 0; i < rates->count; i++) {
        char code[RATES_CODE_LEN + 1] = {0}, value[RATE_TEXT_SIZE];
        memcpy(code, rates->rates[i].code, RATES_CODE_LEN);
        decimal_print_places(rates->rates[i].value, rates->rates[i].places,
                             value);
        message_add_text(table, code, value);
    }
    json_object_object_add(message, "rates", table);
}

struct json_object *rates_message_new(day when, const struct rates *rates,
                                      const char *layer, int64_t expires_ms) {
    struct json_object *message = message_new(MESSAGE_RATES);
    char text[MOMENT_TEXT_SIZE];
    rates_day_print(when, text);
    message_add_text(message, "date", text);
    message_add_text(message, "layer", layer);
    moment_print_ms(expires_ms, text);
    message_add_text(message, "expires_at", text);
    rates_to_message(rates, message);
    return message;
}

/*
 * Adds all members that are rates; what is none is left out. What is wrong
 * with the whole, or NULL.
 */
static const char *add_table(struct rates *rates, struct json_object *table) {
    json_object_object_foreach (table, code, value) {
        bool text = json_object_is_type(value, json_type_string);
        if (rates_add(rates, span_of(code),
                      span_of(text ? json_object_get_string(value) : "")) ==
            RATES_OTHER_BASE)
            return "the base's own rate is not 1";
    }
    return rates_fault(rates);
}

struct rates *rates_from_message(const struct json_object *message,
                                 const char **why) {
    const char *as_of = message_text(message, "as_of");
    const char *base = message_text(message, "base");
    const char *provider = message_text(message, "provider");
    const char *fetched_at = message_text(message, "fetched_at");
    struct json_object *table;
    day as_of_day;
    int64_t fetched;
    *why = "a member is missing or bad";
    if (as_of == NULL || base == NULL || provider == NULL ||
        fetched_at == NULL || !rates_is_code(span_of(base)) ||
        day_parse(span_of(as_of), &as_of_day) != DAY_OK ||
        moment_parse(span_of(fetched_at), &fetched) != DAY_OK ||
        !json_object_object_get_ex(message, "rates", &table) ||
        !json_object_is_type(table, json_type_object))
        return NULL;
    struct rates *rates =
        rates_new(provider, base, as_of_day, fetched * MSEC_PER_SEC);
    *why = add_table(rates, table);
    if (*why != NULL)
        rates_release(&rates);
    return rates;
}
