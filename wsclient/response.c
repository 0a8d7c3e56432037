#include "wsclient/response.h"

/* What is replaced in a request. */
enum value { STAKE, CURRENCY, DATE, VALUES };

struct place {
    struct span old;
    enum value value;
};

static void order_two(struct place *a, struct place *b) {
    if (a->old.data <= b->old.data)
        return;
    struct place first = *b;
    *b = *a;
    *a = first;
}

static char *put(char *out, struct span text) {
    memcpy(out, text.data, text.len);
    return out + text.len;
}

enum { STEP = 16 };

/*
 * The request's bytes from `at` up to `to`. Most of these pieces are short:
 * then a step of a fixed size is faster, where as much can be read; what is too
 * much is overwritten, or not part of the answer.
 */
static inline char *put_piece(char *out, const char *at, const char *to,
                              const char *text_end) {
    size_t len = (size_t)(to - at);
    if (len > STEP || text_end - at < STEP)
        return put(out, (struct span){at, len});
    memcpy(out, at, STEP);
    return out + len;
}

enum { DATE_LEN = MOMENT_TEXT_SIZE - 1 + 2 }; /* in quotes */

/*
 * A moment in quotes, lent until the next call: all messages of a millisecond
 * get the same.
 */
static const char *quoted_moment(int64_t ms) {
    static int64_t last_ms = -1;
    static char text[MOMENT_TEXT_SIZE + 2] = "\"";
    if (ms != last_ms) {
        moment_print_ms(ms, text + 1);
        text[DATE_LEN - 1] = '"';
        last_ms = ms;
    }
    return text;
}

/* What the values of a response are, for put_value(). */
struct answer {
    euro amount;
    int64_t date_ms;
};

static char *put_value(char *out, const struct place *place,
                       const struct answer *answer) {
    switch (place->value) {
    case STAKE:
        return out + euro_print(answer->amount, out);
    case CURRENCY:
        return put(out, (struct span){"\"EUR\"", 5});
    default:
        if (answer->date_ms < 0)
            return put(out, place->old);
        memcpy(out, quoted_moment(answer->date_ms), DATE_LEN);
        return out + DATE_LEN;
    }
}

size_t response_write(const struct request *request, struct span text,
                      euro amount, int64_t date_ms, char *out) {
    const struct answer answer = {amount, date_ms};
    struct place places[VALUES] = {{request->stake, STAKE},
                                   {request->currency, CURRENCY},
                                   {request->date, DATE}};
    order_two(&places[0], &places[1]);
    order_two(&places[1], &places[2]);
    order_two(&places[0], &places[1]);
    char *end = out;
    const char *at = text.data, *text_end = at + text.len;
    for (int i = 0; i < VALUES; i++) {
        struct span old = places[i].old;
        end = put_piece(end, at, old.data, text_end);
        end = put_value(end, &places[i], &answer);
        at = old.data + old.len;
    }
    return (size_t)(put_piece(end, at, text_end, text_end) - out);
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
