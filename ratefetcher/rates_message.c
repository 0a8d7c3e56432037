#include "ratefetcher/rates_message.h"

#include "common/message.h"

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
