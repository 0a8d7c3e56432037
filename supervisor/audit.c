/*
 * The command `audit`: recomputes the lines of the audit's files, each from its
 * own texts, and names those that differ.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <zlib.h>

#include "common/json_scan.h"
#include "common/memory.h"
#include "common/rates/decimal.h"
#include "common/utf8.h"
#include "supervisor/command.h"

enum {
    BUFFER_BYTES = 1024 * 1024, /* at first; a line is seldom longer */
    MAX_LINE_BYTES = 64 * 1024 * 1024,
    GZ_BUFFER_BYTES = 256 * 1024,
    MAX_SHOWN_BYTES = 64, /* of an id or a number */
    /* The last so many lines, roughly, are remembered. A power of two. */
    REMEMBERED = 1024 * 1024
};

enum field {
    UPSTREAM,
    SEQUENCE,
    RECEIVED,
    ID,
    STAKE,
    CURRENCY,
    RATE,
    EURO_RATE,
    BASE,
    ROUNDING,
    RESULT,
    ERROR,
    ANSWERED,
    INPUTS,
    OUTCOME,
    FIELDS
};

static const struct json_field fields[FIELDS + 1] = {
    [UPSTREAM] = JSON_FIELD(JSON_TOP, "upstream"),
    [SEQUENCE] = JSON_FIELD(JSON_TOP, "sequence"),
    [RECEIVED] = JSON_FIELD(JSON_TOP, "received"),
    [ID] = JSON_FIELD(JSON_TOP, "id"),
    [STAKE] = JSON_FIELD(JSON_TOP, "stake"),
    [CURRENCY] = JSON_FIELD(JSON_TOP, "currency"),
    [RATE] = JSON_FIELD(JSON_TOP, "rate"),
    [EURO_RATE] = JSON_FIELD(JSON_TOP, "euro_rate"),
    [BASE] = JSON_FIELD(JSON_TOP, "base"),
    [ROUNDING] = JSON_FIELD(JSON_TOP, "rounding"),
    [RESULT] = JSON_FIELD(JSON_TOP, "result"),
    [ERROR] = JSON_FIELD(JSON_TOP, "error"),
    [ANSWERED] = JSON_FIELD(JSON_TOP, "answered"),
    [INPUTS] = JSON_FIELD(JSON_TOP, "inputs"),
    [OUTCOME] = JSON_FIELD(JSON_TOP, "outcome"),
    [FIELDS] = JSON_FIELDS_END,
};

struct audit {
    const char *path;
    uint64_t line; /* in this file, from 1 */
    uint64_t lines, recomputed, errors, without_inputs, differ, twice;
    bool unreadable;
    uint64_t *remembered; /* see is_remembered() */
};

struct line {
    struct json_found found[FIELDS];
    char computed[EURO_TEXT_SIZE]; /* empty: nothing was */
};

static bool is_there(const struct line *line, enum field field,
                     enum json_kind kind) {
    const struct json_found *found = &line->found[field];
    return found->kind == kind && !found->duplicate;
}

/* A decimal in a string, from `least` to `most`. */
static bool read_rate(const struct line *line, enum field field,
                      struct decimal most, struct decimal *out) {
    static const struct decimal least = {1, 9};
    struct span text = line->found[field].text;
    return is_there(line, field, JSON_STRING) && text.len > 2 &&
           decimal_parse((struct span){text.data + 1, text.len - 2}, out) ==
               DECIMAL_OK &&
           decimal_compare(*out, least) >= 0 &&
           decimal_compare(*out, most) <= 0;
}

/* The rates of the line. NULL, or what is wrong with them. */
static const char *read_rates(const struct line *line, struct rate_pair *pair) {
    static const struct decimal most = {10000000000, 0},
                                most_euro = {1000000000, 0};
    *pair = (struct rate_pair){{1, 0}, {1, 0}};
    if (line->found[RATE].kind == JSON_ABSENT)
        return is_there(line, CURRENCY, JSON_STRING) &&
                       json_string_equals(line->found[CURRENCY].text, "EUR")
                   ? NULL
                   : "it has no rate";
    if (!read_rate(line, RATE, most, &pair->currency))
        return "its rate is none";
    if (!is_there(line, BASE, JSON_STRING))
        return "it has no base";
    if (json_string_equals(line->found[BASE].text, "EUR"))
        return line->found[EURO_RATE].kind == JSON_ABSENT
                   ? NULL
                   : "its base is the euro, but the euro has a rate";
    return read_rate(line, EURO_RATE, most_euro, &pair->euro)
               ? NULL
               : "its base is another, but the euro's rate is none";
}

/* NULL, or what is wrong. */
static const char *recompute(struct line *line) {
    static const struct decimal limit = {1000000000000000, 0};
    struct rate_pair pair;
    struct decimal stake;
    struct span result = line->found[RESULT].text;
    if (!is_there(line, STAKE, JSON_NUMBER) ||
        decimal_parse(line->found[STAKE].text, &stake) != DECIMAL_OK ||
        decimal_compare(stake, limit) >= 0)
        return "its stake is none";
    if (!is_there(line, ROUNDING, JSON_STRING) ||
        !json_string_equals(line->found[ROUNDING].text, "half_up 5"))
        return "its rounding is not known";
    const char *fault = read_rates(line, &pair);
    if (fault != NULL)
        return fault;
    euro_print(decimal_convert(stake, pair), line->computed);
    return is_there(line, RESULT, JSON_NUMBER) &&
                   span_equals(result, line->computed)
               ? NULL
               : "its result is another";
}

/* NULL, or what is wrong; counts what the line is. */
static const char *judge(struct audit *a, struct span text, struct line *line) {
    enum json_kind top;
    struct utf8 utf8 = {0};
    if (!utf8_feed(&utf8, text) || !utf8_complete(&utf8) ||
        json_scan(text, fields, FIELDS, line->found, &top) != JSON_OK ||
        top != JSON_OBJECT || !is_there(line, OUTCOME, JSON_STRING))
        return "it is no line of an audit";
    bool result = line->found[RESULT].kind != JSON_ABSENT;
    bool error = line->found[ERROR].kind != JSON_ABSENT;
    bool no_inputs = line->found[INPUTS].kind != JSON_ABSENT;
    if (result + error + no_inputs != 1)
        return "it has not one of a result and an error";
    const char *fault = result ? recompute(line) : NULL;
    if (fault != NULL)
        return fault;
    a->recomputed += result;
    a->errors += error;
    a->without_inputs += no_inputs;
    return NULL;
}

/* FNV-1a, with more of it at once. */
static uint64_t hash(uint64_t sum, struct span text) {
    uint64_t word;
    for (; text.len >= sizeof word; text = span_from(text, sizeof word)) {
        memcpy(&word, text.data, sizeof word);
        sum = (sum ^ word) * UINT64_C(0x9E3779B97F4A7C15);
        sum ^= sum >> 29;
    }
    for (size_t i = 0; i < text.len; i++)
        sum = (sum ^ (unsigned char)text.data[i]) * UINT64_C(0x100000001B3);
    return sum;
}

/* Whether a line of the same answer was among the last; it is from now on. */
static bool is_remembered(struct audit *a, const struct line *line) {
    static const enum field key[] = {UPSTREAM, SEQUENCE, RECEIVED, ANSWERED};
    uint64_t sum = 1;
    if (line->found[SEQUENCE].kind == JSON_ABSENT)
        return false;
    for (size_t i = 0; i < sizeof key / sizeof *key; i++)
        if (line->found[key[i]].kind != JSON_ABSENT)
            sum = hash(sum, line->found[key[i]].text);
    uint64_t *place = &a->remembered[(sum >> 40) % REMEMBERED];
    bool known = *place == sum;
    *place = sum;
    return known;
}

/* So much of it is shown: no character is cut in two. */
static int shown(struct span text) {
    if (text.len <= MAX_SHOWN_BYTES)
        return (int)text.len;
    int len = MAX_SHOWN_BYTES;
    while ((text.data[len] & 0xC0) == 0x80)
        len--;
    return len;
}

/* Nothing of it but what was scanned, which has no control characters. */
static void tell(const struct audit *a, const struct line *line,
                 const char *why) {
    printf("%s:%" PRIu64 ": ", a->path, a->line);
    if (is_there(line, ID, JSON_STRING) || is_there(line, ID, JSON_NUMBER))
        printf("id %.*s: ", shown(line->found[ID].text),
               line->found[ID].text.data);
    printf("%s", why);
    if (line->computed[0] != '\0')
        printf(": %.*s, not %s", shown(line->found[RESULT].text),
               line->found[RESULT].text.data, line->computed);
    putchar('\n');
}

static void take_line(struct audit *a, struct span text, const char *fault) {
    struct line line = {.computed = ""};
    a->line++;
    a->lines++;
    if (fault == NULL)
        fault = judge(a, text, &line);
    if (fault != NULL) {
        a->differ++;
        tell(a, &line, fault);
    } else if (is_remembered(a, &line)) {
        a->twice++;
    }
}

/* Takes the lines that are whole; gives how many bytes those have. */
static size_t take_lines(struct audit *a, struct span text) {
    size_t at = 0;
    const char *end;
    while ((end = memchr(text.data + at, '\n', text.len - at)) != NULL) {
        size_t next = (size_t)(end + 1 - text.data);
        take_line(a, (struct span){text.data + at, next - 1 - at}, NULL);
        at = next;
    }
    return at;
}

static void tell_unreadable(struct audit *a, const char *why) {
    fprintf(stderr, "%s: %s\n", a->path, why);
    a->unreadable = true;
}

/* Why there is no more to be read, or NULL if that is all. */
static const char *end_of(gzFile file) {
    int number;
    const char *why = gzerror(file, &number);
    if (number == Z_ERRNO)
        return strerror(errno);
    return number == Z_OK || number == Z_STREAM_END ? NULL : why;
}

static void read_lines(struct audit *a, gzFile file) {
    size_t size = BUFFER_BYTES, len = 0;
    char *buffer = memory_new(size);
    int n;
    while ((n = gzread(file, buffer + len, (unsigned)(size - len))) > 0) {
        len += (size_t)n;
        size_t done = take_lines(a, (struct span){buffer, len});
        len -= done;
        memmove(buffer, buffer + done, len);
        if (len == size && size < MAX_LINE_BYTES)
            buffer = memory_resize(buffer, size *= 2);
        else if (len == size)
            break;
    }
    const char *why =
        n > 0 ? "it has a line of more than 64 MiB" : end_of(file);
    if (why != NULL)
        tell_unreadable(a, why);
    else if (len > 0)
        take_line(a, (struct span){buffer, len}, "it has no end");
    free(buffer);
}

static void read_file(struct audit *a, const char *path) {
    a->path = path;
    a->line = 0;
    gzFile file = gzopen(path, "rb");
    if (file == NULL) {
        tell_unreadable(a, strerror(errno));
        return;
    }
    gzbuffer(file, GZ_BUFFER_BYTES);
    read_lines(a, file);
    gzclose(file);
}

int command_audit(const struct options *options) {
    struct audit a = {.remembered = memory_new(REMEMBERED * sizeof(uint64_t))};
    for (int i = 0; i < options->argument_count; i++)
        read_file(&a, options->arguments[i]);
    printf("%" PRIu64 " lines: %" PRIu64 " recomputed, %" PRIu64
           " errors, %" PRIu64 " without inputs, %" PRIu64 " differ; %" PRIu64
           " twice\n",
           a.lines, a.recomputed, a.errors, a.without_inputs, a.differ,
           a.twice);
    free(a.remembered);
    if (a.differ > 0)
        return EX_DATAERR;
    return a.unreadable ? EX_NOINPUT : EX_OK;
}
