#include "fault.h"

#include "buf.h"

#include <stdlib.h>
#include <string.h>

enum { FAULT_REASON = 160, FAULT_BYTES_MAX = 65536 };

/* `field` is the member that `number` comes from, with what it may be. */
static const struct {
    const char *name;
    enum fault_type type;
    double seconds;
    const char *field;
    unsigned number, least, most;
    const char *help;
} fault_kinds[] = {
    {"silence", FAULT_SILENCE, 3, NULL, 0, 0, 0,
     "neither reads nor sends, \"seconds\" (3)"},
    {"unread", FAULT_UNREAD, 3, NULL, 0, 0, 0,
     "sends, but does not read, \"seconds\" (3)"},
    {"no-beats", FAULT_NO_BEATS, 3, NULL, 0, 0, 0,
     "all but the heartbeats, \"seconds\" (3)"},
    {"no-pongs", FAULT_NO_PONGS, 12, NULL, 0, 0, 0,
     "all but the Pongs to your Pings, \"seconds\" (12)"},
    {"slow", FAULT_SLOW, 5, "bytes", 100, 1, 1000000,
     "sends \"bytes\" (100) a second, \"seconds\" (5)"},
    {"cut", FAULT_CUT, 0, NULL, 0, 0, 0,
     "resets the connection, and new ones for \"seconds\" (0)"},
    {"refuse", FAULT_REFUSE, 2, "status", 503, 300, 599,
     "leaves, then answers handshakes by \"status\" (503), \"seconds\" (2)"},
    {"close", FAULT_CLOSE, 0, "code", 1001, 1000, 4999,
     "closes with \"code\" (1001)"},
    {"frame", FAULT_FRAME, 0, NULL, 0, 0, 0, "sends a bad frame, \"kind\": "},
    {"bytes", FAULT_BYTES, 0, NULL, 0, 0, 0,
     "sends the bytes of \"hex\", as they are"},
};

enum { FAULT_KINDS = sizeof fault_kinds / sizeof *fault_kinds };

/* `more` bytes of zeros follow. */
static const struct {
    const char *kind;
    const char *hex;
    size_t more;
} fault_frames[] = {
    {"reserved-bit", "f100", 0},         {"unknown-opcode", "8300", 0},
    {"masked", "818000000000", 0},       {"bad-utf8", "8102c328", 0},
    {"binary", "82026869", 0},           {"long-ping", "897e007e", 126},
    {"fragmented-ping", "0900", 0},      {"lone-continuation", "8000", 0},
    {"huge", "817f7fffffffffffffff", 0},
};

enum { FAULT_FRAMES = sizeof fault_frames / sizeof *fault_frames };

static char fault_why[FAULT_REASON];

static const char *fault_complain(const char *before, struct json_part what,
                                  const char *behind) {
    snprintf(fault_why, sizeof fault_why, "%s%.*s%s", before,
             (int)(what.len < 64 ? what.len : 64), what.text, behind);
    return fault_why;
}

static int fault_nibble(char c) {
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Reads hexadecimal digits, and adds `more` zeros; false if they are none. */
static bool fault_hex(struct fault *f, const char *hex, size_t len,
                      size_t more) {
    if (len == 0 || len % 2 || len > FAULT_BYTES_MAX)
        return false;
    struct buf b = {0};
    memset(buf_room(&b, len / 2 + more), 0, len / 2 + more);
    f->bytes = buf_head(&b);
    f->len = len / 2 + more;
    for (size_t i = 0; i < len; i++) {
        int n = fault_nibble(hex[i]);
        if (n < 0)
            return false;
        f->bytes[i / 2] = (char)(f->bytes[i / 2] << 4 | n);
    }
    return true;
}

static const char *fault_frame(struct fault *f, struct json_part value) {
    for (int i = 0; i < FAULT_FRAMES; i++)
        if (json_equals(value, fault_frames[i].kind)) {
            fault_hex(f, fault_frames[i].hex, strlen(fault_frames[i].hex),
                      fault_frames[i].more);
            return NULL;
        }
    return fault_complain("\"kind\" is no bad frame: ", value, "");
}

static bool fault_number(struct json_part value, double least, double most,
                         double *out) {
    char text[32] = "";
    if (!json_is_number(value) || value.len >= sizeof text)
        return false;
    memcpy(text, value.text, value.len);
    *out = strtod(text, NULL);
    return *out >= least && *out <= most;
}

static const char *fault_field(struct fault *f, int kind, struct json_part name,
                               struct json_part value) {
    char word[16] = "";
    double number;
    const char *field = fault_kinds[kind].field;
    if (name.len < sizeof word)
        memcpy(word, name.text, name.len);
    if (strcmp(word, "fault") == 0 || strcmp(word, "at") == 0)
        return NULL;
    if (strcmp(word, "seconds") == 0 && f->type < FAULT_LASTING)
        return fault_number(value, 0, 86400, &f->seconds)
                   ? NULL
                   : "\"seconds\" is no number from 0 to 86400";
    if (strcmp(word, "kind") == 0 && f->type == FAULT_FRAME)
        return fault_frame(f, value);
    if (strcmp(word, "hex") == 0 && f->type == FAULT_BYTES)
        return json_is_string(value) &&
                       fault_hex(f, value.text + 1, value.len - 2, 0)
                   ? NULL
                   : "\"hex\" is no string of pairs of hexadecimal digits";
    if (!field || strcmp(word, field) != 0)
        return fault_complain("this fault has no member \"", name, "\"");
    if (!fault_number(value, fault_kinds[kind].least, fault_kinds[kind].most,
                      &number) ||
        number != (unsigned)number)
        return fault_complain("\"", name, "\" has no value that is allowed");
    f->number = (unsigned)number;
    return NULL;
}

static const char *fault_fields(struct fault *f, int kind,
                                struct json_part line) {
    struct json_part name, value;
    size_t at = 0;
    *f = (struct fault){.type = fault_kinds[kind].type,
                        .name = fault_kinds[kind].name,
                        .seconds = fault_kinds[kind].seconds,
                        .number = fault_kinds[kind].number};
    while (json_next(line, &at, &name, &value)) {
        const char *why = fault_field(f, kind, name, value);
        if (why)
            return why;
    }
    if (f->type == FAULT_FRAME && !f->bytes)
        return "the fault \"frame\" needs a \"kind\"";
    return f->type == FAULT_BYTES && !f->bytes
               ? "the fault \"bytes\" needs its \"hex\""
               : NULL;
}

const char *fault_read(struct fault *f, struct json_part line) {
    struct json_part name = {"", 0};
    *f = (struct fault){0};
    json_member(line, "fault", &name);
    for (int i = 0; i < FAULT_KINDS; i++)
        if (json_equals(name, fault_kinds[i].name))
            return fault_fields(f, i, line);
    return fault_complain("no such fault: ", name, "");
}

void fault_free(struct fault *f) {
    free(f->bytes);
    f->bytes = NULL;
}

bool fault_needs_link(const struct fault *f) {
    return f->type != FAULT_CUT && f->type != FAULT_REFUSE;
}

void fault_print_all(FILE *out) {
    for (int i = 0; i < FAULT_KINDS; i++) {
        fprintf(out, "  %-9s %s", fault_kinds[i].name, fault_kinds[i].help);
        for (int j = 0; j < FAULT_FRAMES && fault_kinds[i].type == FAULT_FRAME;
             j++)
            fprintf(out, "%s%s", j % 4 == 0 ? "\n            " : " ",
                    fault_frames[j].kind);
        putc('\n', out);
    }
}

void fault_begin(struct fault_state *s, const struct fault *f,
                 uint64_t now_ns) {
    if (f->type >= FAULT_LASTING)
        return;
    s->until_ns[f->type] = now_ns + (uint64_t)(f->seconds * 1e9);
    s->number[f->type] = f->number;
}

bool fault_is_on(const struct fault_state *s, enum fault_type type,
                 uint64_t now_ns) {
    return now_ns < s->until_ns[type];
}

uint64_t fault_wake(const struct fault_state *s, uint64_t now_ns) {
    uint64_t wake = UINT64_MAX;
    for (int i = 0; i < FAULT_LASTING; i++)
        if (s->until_ns[i] > now_ns && s->until_ns[i] < wake)
            wake = s->until_ns[i];
    return wake;
}
