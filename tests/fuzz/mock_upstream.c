/*
 * Scripts of mock-upstream, and what it expects: lines of a script, among them,
 * behind a <, answers to what was sent until then; if the first line begins
 * with #none, there are no rates. A line that is taken is JSON
 * for fxwire too. What is expected of a request is what fxwire answers to it,
 * though the two share no arithmetic: that is how others are judged.
 */
#include <sys/mman.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/json_scan.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/quiet.h"
#include "tests/upstream/fixed.h"
#include "tests/upstream/play.h"
#include "wsclient/response.h"

/* 2021-05-18 and 2021-05-14 */
static const char *codes[] = {"USD", "JPY", "KWD"};
static const char *newest[] = {"1.2222", "133.21", "0.368"},
                  *older[] = {"1.2123", NULL, "0.36444"};
static struct ecb_row rows[] = {{18765, newest}, {18761, older}};
static const struct ecb table = {
    .columns = 3, .code = codes, .rows = 2, .row = rows};

static const char *rate_of(const struct request *request) {
    char code[4] = "";
    memcpy(code, request->code, RATES_CODE_LEN);
    bool latest = rates_day_is_latest(request->day);
    long number = latest ? day_today() : request->day.number;
    const char *fixed = fixed_rate(code, number);
    long column = ecb_column(&table, code);
    if (strcmp(code, "EUR") == 0)
        return "1";
    if (fixed != NULL || column < 0)
        return fixed;
    return latest ? rows[0].rate[column]
                  : ecb_rate(&table, (size_t)column, number);
}

static size_t convert(const struct request *request, struct span text,
                      const char *rate, int64_t now_ms, char *out) {
    struct decimal currency;
    HOLDS(decimal_parse(span_of(rate), &currency) == DECIMAL_OK, "%s", rate);
    struct rate_pair pair = {.currency = currency, .euro = {1, 0}};
    return response_write(request, text, decimal_convert(request->amount, pair),
                          now_ms, out);
}

/* The stand-in compares names and words as they are written, and leaves members
 * that are there twice, and deep ones, to whoever writes the script. Of what is
 * no JSON it reads no id. */
static bool is_beyond(const struct request *request, struct span text) {
    return fuzz_has(text, "\\") ||
           (request->kind == REQUEST_REFUSED &&
            (request->refusal == REFUSAL_DUPLICATE ||
             request->refusal == REFUSAL_TOO_DEEP ||
             (request->refusal == REFUSAL_NOT_JSON && request->id.len > 0)));
}

static void check_expected(struct span line) {
    static struct tally tally;
    struct request request;
    struct expect expect;
    int64_t now_ms = clock_wall_ms();
    const char *rate = NULL;
    struct span text = fuzz_padded(line);
    request_read(text, now_ms, &request);
    if (is_beyond(&request, text)) {
        free((char *)text.data);
        return;
    }
    tally_clock(&tally);
    expect_computed(&expect, (struct json_part){text.data, text.len}, &table);
    char *out = malloc(text.len + RESPONSE_GROWTH_BYTES);
    size_t len = 0;
    if (request.kind == REQUEST_CONVERT)
        rate = rate_of(&request);
    if (rate != NULL)
        len = convert(&request, text, rate, now_ms, out);
    else if (request.kind == REQUEST_REFUSED || request.kind == REQUEST_CONVERT)
        len = response_write_error(request.id,
                                   request.kind == REQUEST_REFUSED
                                       ? request.refusal
                                       : REFUSAL_NO_RATES,
                                   out);
    HOLDS((len == 0) == (expect.kind == EXPECT_NOTHING), "%.*s", SPAN(text));
    HOLDS(len == 0 || expect_matches(&expect, &tally.span, false, out, len),
          "%.*s, not %.*s, for %.*s", (int)len, out, (int)expect.len,
          expect.text, SPAN(text));
    free(out);
    free((char *)text.data);
    expect_free(&expect);
}

/* Both say the same of what JSON is, but for depth. */
static void check_json(struct span text) {
    struct json_found none[1];
    enum json_kind top;
    enum json_error error = json_scan(text, NULL, 0, none, &top);
    bool valid = json_is_valid((struct json_part){text.data, text.len});
    HOLDS(error == JSON_TOO_DEEP || valid == (error == JSON_OK), "%.*s",
          SPAN(text));
}

static void feed(struct play *play, struct span text) {
    int fd = memfd_create("script", 0);
    HOLDS(write(fd, text.data, text.len) == (ssize_t)text.len, "no room");
    lseek(fd, 0, SEEK_SET);
    for (play->ended = false; !play->ended;)
        play_read(play, fd);
    close(fd);
}

/* It is on for its seconds, which may be none. */
static void go_wrong(const struct fault *fault, uint64_t now_ns) {
    struct fault_state state = {.number = {0}};
    fault_begin(&state, fault, now_ns);
    uint64_t wake = fault_wake(&state, now_ns);
    bool lasts = fault->type < FAULT_LASTING && fault->seconds * 1e9 >= 1;
    HOLDS((wake != UINT64_MAX) == lasts, "%s", fault->name);
    HOLDS(!lasts || (fault_is_on(&state, fault->type, wake - 1) &&
                     !fault_is_on(&state, fault->type, wake)),
          "%s", fault->name);
    HOLDS(fault->type == FAULT_BYTES || fault->type == FAULT_FRAME
              ? fault->len > 0 && fault->len <= 65536
              : fault->bytes == NULL,
          "%s", fault->name);
}

/* All that is due by now is sent, twice; where a fault needs none, without a
 * client. */
static void send_all(struct play *play, uint64_t now_ns) {
    struct buf out = {0};
    uint64_t open = play->open;
    const struct fault *fault = play_run(play, NULL, now_ns);
    HOLDS(fault == NULL || !fault_needs_link(fault), "%s", fault->name);
    for (; fault != NULL; fault = play_run(play, &out, now_ns))
        go_wrong(fault, now_ns);
    while ((fault = play_run(play, &out, now_ns)) != NULL)
        go_wrong(fault, now_ns);
    HOLDS(play_wake(play, &out) > now_ns || play_done(play), "%zu", play->next);
    HOLDS(play->open >= open && play->open <= play->count, "%lu",
          (unsigned long)play->open);
    play_again(play, &out, now_ns);
    buf_free(&out);
}

static void judge(struct play *play, struct span text, uint64_t now_ns) {
    uint64_t before = play->open;
    bool answers = play_judge(play, text.data, text.len, now_ns);
    HOLDS(play->open == before || (answers && play->open + 1 == before), "%.*s",
          SPAN(text));
}

static void play_all(struct span text) {
    struct tally tally = {.show = true};
    struct play play = {.tally = &tally,
                        .ecb = span_begins(text, "#none") ? NULL : &table,
                        .name = "script",
                        .window = 1000};
    uint64_t now_ns = 1000000000;
    tally_clock(&tally);
    play_start(&play, now_ns);
    while (text.len > 0) {
        struct span line = fuzz_take(&text, '\n');
        if (span_begins(line, "<"))
            judge(&play, span_from(line, 1), now_ns);
        else
            feed(&play, line);
        send_all(&play, now_ns += 1000000000);
    }
    HOLDS(play_done(&play) || play.next < play.count || !play.ended, "%zu",
          play.next);
    HOLDS(tally.asked == tally.open + tally.count[TALLY_RIGHT] +
                             tally.count[TALLY_ERROR] +
                             tally.count[TALLY_WRONG],
          "%lu asked", (unsigned long)tally.asked);
    play_free(&play);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct span text = fuzz_text(data, size);
    quiet(true);
    fault_print_all(stdout);
    play_all(text);
    quiet(false);
    while (text.len > 0) {
        struct span line = fuzz_copy(fuzz_take(&text, '\n'));
        if (fuzz_is_utf8(line)) {
            check_json(line);
            check_expected(line);
        }
        free((char *)line.data);
    }
    return 0;
}
