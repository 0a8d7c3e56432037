#include "common/rates/euro_fixed.h"

#include <string.h>

#include "common/lines/message.h"

static const struct euro_fixed all[] = {
#define EURO_FIXED(code, rate, from, regulation)                               \
    {#code, rate, from, regulation},
#include "common/rates/euro_fixed.def"
#undef EURO_FIXED
};

enum { COUNT = sizeof all / sizeof *all };

/* The texts are constants: that they can be read is for the tests to show. */
static day first_day(const struct euro_fixed *fixed) {
    day from;
    return day_parse(span_of(fixed->from), &from) == DAY_OK ? from
                                                            : RATES_LATEST;
}

static bool is_fixed_on(const struct euro_fixed *fixed, day when) {
    return when.number >= first_day(fixed).number;
}

static day day_meant(day when, day today) {
    return rates_day_is_latest(when) ? today : when;
}

const struct euro_fixed *euro_fixed_find(const char *code, day when,
                                         day today) {
    for (size_t i = 0; i < COUNT; i++)
        if (memcmp(all[i].code, code, RATES_CODE_LEN) == 0)
            return is_fixed_on(&all[i], day_meant(when, today)) ? &all[i]
                                                                : NULL;
    return NULL;
}

bool euro_fixed_pair(const char *code, day when, day today,
                     struct rate_pair *pair) {
    const struct decimal one = {1, 0};
    *pair = (struct rate_pair){one, one};
    if (memcmp(code, "EUR", RATES_CODE_LEN) == 0)
        return true;
    const struct euro_fixed *fixed = euro_fixed_find(code, when, today);
    return fixed != NULL &&
           decimal_parse(span_of(fixed->rate), &pair->currency) == DECIMAL_OK;
}

struct rates *euro_fixed_table(const struct euro_fixed *fixed) {
    day from = first_day(fixed);
    struct rates *table = rates_new(EURO_FIXED_WORD, "EUR", from,
                                    day_start_seconds(from) * INT64_C(1000));
    (void)!rates_add(table, span_of(fixed->code), span_of(fixed->rate));
    return table;
}

void euro_fixed_to_message(struct json_object *message, day when, day today) {
    struct json_object *rates, *fixed = json_object_new_object();
    bool has_rates = json_object_object_get_ex(message, "rates", &rates);
    for (size_t i = 0; i < COUNT; i++) {
        if (!is_fixed_on(&all[i], day_meant(when, today)))
            continue;
        if (has_rates)
            json_object_object_del(rates, all[i].code);
        message_add_text(fixed, all[i].code, all[i].rate);
    }
    json_object_object_add(message, EURO_FIXED_WORD, fixed);
}
