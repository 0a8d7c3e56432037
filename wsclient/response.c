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

/* What the values of a response are. */
struct answer {
    euro amount;
    int64_t date_ms;
};

static inline char *put_value(char *out, struct span old, enum value value,
                              struct answer answer) {
    switch (value) {
    case STAKE:
        return out + euro_print(answer.amount, out);
    case CURRENCY:
        return put(out, (struct span){"\"EUR\"", 5});
    default:
        if (answer.date_ms < 0)
            return put(out, old);
        memcpy(out, quoted_moment(answer.date_ms), DATE_LEN);
        return out + DATE_LEN;
    }
}

/* What was written, and what of the request was not yet. */
struct writer {
    char *end;
    const char *at, *text_end;
};

/* Writes all up to a value, and what stands in its place. */
static inline struct writer put_next(struct writer w, struct span old,
                                     enum value value, struct answer answer) {
    char *end = put_piece(w.end, w.at, old.data, w.text_end);
    return (struct writer){put_value(end, old, value, answer),
                           old.data + old.len, w.text_end};
}

/* Two brackets, of most requests. */
static inline char *put_rest(struct writer w) {
    if (w.text_end - w.at != 2)
        return put_piece(w.end, w.at, w.text_end, w.text_end);
    memcpy(w.end, w.at, 2);
    return w.end + 2;
}

static NOINLINE char *write_in_any_order(struct writer writer,
                                         const struct request *request,
                                         struct answer answer) {
    struct place places[VALUES] = {{request->stake, STAKE},
                                   {request->currency, CURRENCY},
                                   {request->date, DATE}};
    order_two(&places[0], &places[1]);
    order_two(&places[1], &places[2]);
    order_two(&places[0], &places[1]);
    for (int i = 0; i < VALUES; i++)
        writer = put_next(writer, places[i].old, places[i].value, answer);
    return put_rest(writer);
}

static inline char *write_as_usual(struct writer writer,
                                   const struct request *request,
                                   struct answer answer) {
    writer = put_next(writer, request->stake, STAKE, answer);
    writer = put_next(writer, request->currency, CURRENCY, answer);
    writer = put_next(writer, request->date, DATE, answer);
    return put_rest(writer);
}

size_t response_write(const struct request *request, struct span text,
                      euro amount, int64_t date_ms, char *out) {
    const struct answer answer = {amount, date_ms};
    const struct writer writer = {out, text.data, text.data + text.len};
    bool as_usual = request->stake.data < request->currency.data &&
                    request->currency.data < request->date.data;
    const char *end = as_usual ? write_as_usual(writer, request, answer)
                               : write_in_any_order(writer, request, answer);
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
