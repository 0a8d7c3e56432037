#include "wsclient/audit.h"

/* A text that is known here, without its NUL. */
#define PUT(out, text) put((out), (struct span){(text), sizeof(text) - 1})

/* Of what they are, so that each can have the text of its last moment. */
enum moment { RECEIVED, ANSWERED, SENT, ENDED, MOMENTS };

const char *audit_error_word(enum refusal refusal) {
    static const char *const words[REFUSALS] = {
        [REFUSAL_NONE] = "",
        [REFUSAL_NOT_JSON] = "not_json",
        [REFUSAL_TOO_DEEP] = "too_deep",
        [REFUSAL_NOT_OBJECT] = "not_object",
        [REFUSAL_DUPLICATE] = "duplicate_key",
        [REFUSAL_ID] = "bad_id",
        [REFUSAL_PAYLOAD] = "bad_payload",
        [REFUSAL_STAKE] = "bad_stake",
        [REFUSAL_STAKE_NEGATIVE] = "negative_stake",
        [REFUSAL_STAKE_TOO_LARGE] = "stake_too_large",
        [REFUSAL_STAKE_TOO_PRECISE] = "stake_too_precise",
        [REFUSAL_CURRENCY] = "bad_currency",
        [REFUSAL_DATE] = "bad_date",
        [REFUSAL_DATE_IMPOSSIBLE] = "impossible_date",
        [REFUSAL_DATE_TOO_EARLY] = "date_too_early",
        [REFUSAL_DATE_FUTURE] = "date_in_future",
        [REFUSAL_TOO_LONG] = "too_long",
        [REFUSAL_FULL] = "full",
        [REFUSAL_TOO_LARGE] = "too_large",
        [REFUSAL_NO_RATES] = "no_rates",
        [REFUSAL_NO_CURRENCY] = "no_currency",
        [REFUSAL_TIMEOUT] = "timeout",
        [REFUSAL_QUARANTINED] = "quarantined",
        [REFUSAL_BY_UPSTREAM] = "refused_by_upstream",
    };
    return words[refusal];
}

static struct audit_part part_of(struct span text, struct span part) {
    return (struct audit_part){(uint32_t)(part.data - text.data),
                               (uint32_t)part.len};
}

void audit_note_request(struct audit_note *note, const struct request *request,
                        struct span text) {
    note->stake = part_of(text, request->stake);
    note->currency = part_of(text, request->currency);
    note->date = part_of(text, request->date);
}

static inline char *put(char *out, struct span text) {
    memcpy(out, text.data, text.len);
    return out + text.len;
}

/* A word that others may have chosen: nothing that would end the string. */
static char *put_word(char *out, const char *word, size_t size) {
    for (size_t i = 0; i < size && word[i] != '\0'; i++) {
        char c = word[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                     (c >= '0' && c <= '9') || c == '.' || c == '-';
        *out++ = plain ? c : '_';
    }
    return out;
}

static char *put_number(char *out, uint64_t number) {
    char digits[20];
    int count = 0;
    do
        digits[count++] = (char)('0' + number % 10);
    while ((number /= 10) > 0);
    while (count > 0)
        *out++ = digits[--count];
    return out;
}

static char *put_signed(char *out, int64_t number) {
    if (number < 0)
        *out++ = '-';
    return put_number(out, number < 0 ? -(uint64_t)number : (uint64_t)number);
}

/* Most that follow one another are of the same millisecond. */
static char *put_moment(char *out, enum moment which, int64_t ms) {
    static struct {
        int64_t ms;
        char text[MOMENT_TEXT_SIZE];
    } last[MOMENTS];
    if (ms != last[which].ms || last[which].text[0] == '\0') {
        moment_print_ms(ms, last[which].text);
        last[which].ms = ms;
    }
    *out++ = '"';
    out = put(out, (struct span){last[which].text, MOMENT_TEXT_SIZE - 1});
    *out++ = '"';
    return out;
}

/* As it was published. */
static char *put_rate(char *out, const struct rates *rates,
                      struct span currency) {
    char text[RATE_TEXT_SIZE];
    rates_print(rates, currency, text);
    *out++ = '"';
    out = put(out, span_of(text));
    *out++ = '"';
    return out;
}

size_t audit_put_table(const struct rates *rates, struct span currency,
                       char out[static AUDIT_TABLE_SIZE]) {
    if (rates_find(rates, currency) == NULL)
        return 0;
    char *end = PUT(out, ",\"rate\":");
    end = put_rate(end, rates, currency);
    if (strcmp(rates_base(rates), "EUR") != 0) {
        end = PUT(end, ",\"euro_rate\":");
        end = put_rate(end, rates, span_of("EUR"));
    }
    end = PUT(end, ",\"base\":\"");
    end = put_word(end, rates_base(rates), RATES_CODE_LEN);
    end = PUT(end, "\",\"as_of\":\"");
    day_print(rates_as_of(rates), end);
    end = PUT(end + DAY_TEXT_SIZE - 1, "\",\"provider\":\"");
    end = put_word(end, rates_provider(rates), 64);
    end = PUT(end, "\"");
    return (size_t)(end - out);
}

/* A part of the request, or null if it is not known. */
static char *put_part(char *out, struct span request, struct audit_part part) {
    if (part.len == 0 || part.at > request.len ||
        part.len > request.len - part.at)
        return PUT(out, "null");
    return put(out, (struct span){request.data + part.at, part.len});
}

static char *put_id(char *out, struct span id) {
    out = PUT(out, ",\"id\":");
    return id.len > 0 ? put(out, id) : PUT(out, "null");
}

static char *put_begin(char *out, struct span upstream) {
    out = PUT(out, "{\"upstream\":");
    return put(out, upstream);
}

static char *put_table(char *out, const struct audit_note *note) {
    size_t len = note->table_len;
    if (len == 0 || len > AUDIT_TABLE_SIZE)
        return PUT(out, ",\"layer\":\"none\"");
    out = put(out, (struct span){note->table, len});
    out = PUT(out, ",\"layer\":\"");
    out = put_word(out, note->layer, sizeof note->layer);
    out = PUT(out, "\"");
    if (note->fetched_ms == 0)
        return out;
    out = PUT(out, ",\"age\":");
    return put_signed(out,
                      (note->answered_ms - note->fetched_ms) / MSEC_PER_SEC);
}

static char *put_result(char *out, const struct audit_note *note) {
    if (note->error[0] != '\0') {
        out = PUT(out, ",\"error\":\"");
        out = put_word(out, note->error, sizeof note->error);
        return PUT(out, "\"");
    }
    out = put_table(out, note);
    out = PUT(out, ",\"rounding\":\"half_up 5\",\"result\":");
    return out +
           euro_print((euro){(decimal_uint128)note->high << 64 | note->low},
                      out);
}

/* Each is a part of the request, but the room is for one of them all. */
static bool parts_fit(const struct audit_note *note, size_t request_len) {
    return (uint64_t)note->stake.len + note->currency.len + note->date.len <=
           request_len;
}

/* What was noted on the message. */
static char *put_note(char *out, const struct message *message,
                      const struct audit_note *note) {
    if (note->stake.len > 0 && parts_fit(note, message->request.len)) {
        out = PUT(out, ",\"stake\":");
        out = put_part(out, message->request, note->stake);
        out = PUT(out, ",\"currency\":");
        out = put_part(out, message->request, note->currency);
        out = PUT(out, ",\"date\":");
        out = put_part(out, message->request, note->date);
    }
    out = put_result(out, note);
    out = PUT(out, ",\"answered\":");
    out = put_moment(out, ANSWERED, note->answered_ms);
    return out;
}

/* When something was that the monotonic clock told. */
static int64_t wall_ms(const struct now *now, monotime then) {
    return now->wall_ms -
           monotime_between(then, now->monotonic).usec / USEC_PER_MSEC;
}

static char *put_end(char *out, const struct audit_note *note,
                     const struct audit_end *end) {
    if (note != NULL && note->sends > 0) {
        out = PUT(out, ",\"sent\":");
        out = put_moment(out, SENT, wall_ms(&end->now, note->sent));
    }
    out = PUT(out, ",\"sends\":");
    out = put_number(out, note != NULL ? note->sends : 0);
    out =
        end->confirmed ? PUT(out, ",\"confirmed\":") : PUT(out, ",\"ended\":");
    out = put_moment(out, ENDED, end->now.wall_ms);
    out = PUT(out, ",\"outcome\":\"");
    out = put(out, span_of(end->outcome));
    return PUT(out, "\"}\n");
}

size_t audit_write(struct span upstream, const struct message *message,
                   const struct audit_note *note, const struct audit_end *end,
                   char *out) {
    char *at = put_begin(out, upstream);
    at = PUT(at, ",\"sequence\":");
    at = put_number(at, message->sequence);
    at = PUT(at, ",\"received\":");
    at = put_moment(at, RECEIVED,
                    note != NULL ? note->received_ms
                                 : wall_ms(&end->now, message->arrived));
    at = put_id(at, message->id);
    at = note != NULL ? put_note(at, message, note)
                      : PUT(at, ",\"inputs\":null");
    return (size_t)(put_end(at, note, end) - out);
}

size_t audit_write_unkept(struct span upstream, struct span id,
                          enum refusal refusal, int64_t now_ms, char *out) {
    char *at = put_begin(out, upstream);
    at = PUT(at, ",\"received\":");
    at = put_moment(at, RECEIVED, now_ms);
    at = put_id(at, id);
    at = PUT(at, ",\"error\":\"");
    at = put(at, span_of(audit_error_word(refusal)));
    at = PUT(at, "\",\"answered\":");
    at = put_moment(at, ANSWERED, now_ms);
    at = PUT(at, ",\"outcome\":\"not_kept\"}\n");
    return (size_t)(at - out);
}
