#include "common/older_table.h"

#include "common/log.h"

void older_table_log(const struct rates *older, const char *layer,
                     const struct rates *in_hand) {
    char of[DAY_TEXT_SIZE], hand_of[DAY_TEXT_SIZE];
    day_print(rates_as_of(older), of);
    day_print(rates_as_of(in_hand), hand_of);
    log_warn(EVENT_OLDER_TABLE_IGNORED,
             LOG_FIELDS(log_text("provider", rates_provider(older)),
                        log_text("layer", layer), log_text("as_of", of),
                        log_text("in_hand", hand_of),
                        log_text("in_hand_provider", rates_provider(in_hand))));
}
