#include "wsclient/response.h"

struct replacement {
    struct span old;
    struct span new;
};

static void order_two(struct replacement *a, struct replacement *b) {
    if (a->old.data <= b->old.data)
        return;
    struct replacement first = *b;
    *b = *a;
    *a = first;
}

static char *put(char *out, struct span text) {
    memcpy(out, text.data, text.len);
    return out + text.len;
}

enum { DATE_LEN = MOMENT_TEXT_SIZE - 1 + 2 }; /* in quotes */

/*
 * A moment in quotes, lent until the next call: all messages of a millisecond
 * get the same.
 */
static struct span quoted_moment(int64_t ms) {
    static int64_t last_ms = -1;
    static char text[MOMENT_TEXT_SIZE + 2] = "\"";
    if (ms != last_ms) {
        moment_print_ms(ms, text + 1);
        text[DATE_LEN - 1] = '"';
        last_ms = ms;
    }
    return (struct span){text, DATE_LEN};
}

size_t response_write(const struct request *request, struct span text,
                      euro amount, int64_t date_ms, char *out) {
    char stake[EURO_TEXT_SIZE];
    struct replacement r[] = {
        {request->stake, {stake, euro_print(amount, stake)}},
        {request->currency, {"\"EUR\"", 5}},
        {request->date, date_ms >= 0 ? quoted_moment(date_ms) : request->date},
    };
    order_two(&r[0], &r[1]);
    order_two(&r[1], &r[2]);
    order_two(&r[0], &r[1]);
    char *end = out;
    const char *at = text.data;
    for (size_t i = 0; i < sizeof r / sizeof *r; i++) {
        end = put(end, (struct span){at, (size_t)(r[i].old.data - at)});
        end = put(end, r[i].new);
        at = r[i].old.data + r[i].old.len;
    }
    end = put(end, (struct span){at, (size_t)(text.data + text.len - at)});
    return (size_t)(end - out);
}

size_t response_write_error(struct span id, enum refusal refusal, char *out) {
    if (id.len == 0)
        id = span_of("null");
    char *end = put(out, span_of("{\"type\":\"error\",\"id\":"));
    end = put(end, id);
    end = put(end, span_of(",\"message\":\"Unable to convert stake. Error: "));
    end = put(end, span_of(refusal_text(refusal)));
    end = put(end, span_of("\"}"));
    return (size_t)(end - out);
}
