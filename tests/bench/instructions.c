/*
 * Runs the real code of a request, and each of its parts alone, under callgrind
 * (see instructions.py): before each run its counters are set to 0, behind it
 * they are written out under the run's name. Prints what the code was made
 * with, and for each run: PART SHAPE MESSAGES BYTES CLOCK_READINGS.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <valgrind/callgrind.h>

#include "common/json_scan.h"
#include "common/json_shape.h"
#include "common/log.h"
#include "tests/bench/shapes.h"
#include "tests/request_fields.h"
#include "wsclient/day_rates.h"
#include "wsclient/link/inbox.h"
#include "wsclient/pipeline.h"
#include "wsclient/request.h"
#include "wsclient/response.h"

/* So many messages are in hand at once, and about so many bytes are run. */
enum { BATCH = 256, RUN_BYTES = 300000, LEDGER_BYTES = 64 << 20 };

/* What a part needs: all of it made before the part is run. */
struct bench {
    struct span text;
    const char *earlier; /* a message before it, or NULL */
    char *moment;        /* see struct shape */
    struct inbox inbox;
    struct json_found found[FIELDS];
    struct request request;
    struct rate_pair rates;
    euro amount;
    struct day_rates day_rates;
    struct metrics metrics;
    struct ledger *ledger; /* of the pipeline */
    struct ledger *own_ledger;
    struct pipeline *pipeline;
    struct outbox outbox;
    struct message *messages[BATCH];
    char answer[SHAPE_MAX_BYTES + RESPONSE_GROWTH_BYTES];
};

static const monotime now = {INT64_C(1000000000)};
static const int64_t wall_ms = INT64_C(1795262400123); /* 2026-11-21, noon */
static unsigned long clock_readings;

/* Both clocks stand, and are counted: valgrind does not see the kernel's. */
int clock_gettime(clockid_t clock, struct timespec *time) {
    int64_t usec = clock == CLOCK_REALTIME ? wall_ms * 1000 : now.usec;
    clock_readings++;
    time->tv_sec = usec / USEC_PER_SEC;
    time->tv_nsec = usec % USEC_PER_SEC * 1000;
    return 0;
}

/* What must not happen here ends the run. */
static void insist(bool good, const char *what) {
    if (good)
        return;
    fprintf(stderr, "instructions: %s\n", what);
    exit(1);
}

/* Each part is run for `n` messages, at most BATCH. */

/* The next message; those in hand are copies of it. */
static void turn_moment(const struct bench *b, int number) {
    if (b->moment != NULL)
        *b->moment = (char)('0' + number % 10);
}

static void receive(struct bench *b, struct span *message) {
    inbox_begin(&b->inbox);
    insist(inbox_add(&b->inbox, b->text, 0, true, message) == INBOX_MESSAGE,
           "the message is not whole");
}

static void run_inbox(struct bench *b, int n) {
    struct span message;
    for (int i = 0; i < n; i++)
        receive(b, &message);
}

static void run_scan(struct bench *b, int n) {
    enum json_kind top;
    for (int i = 0; i < n; i++)
        insist(json_scan_padded(b->text, fields, FIELDS, b->found, &top) ==
                   JSON_OK,
               "it is not JSON");
}

/* The same for a text that is like the one before. */
static void run_shape(struct bench *b, int n) {
    static struct json_shape shape;
    static const char *known = NULL;
    if (known != b->text.data)
        json_shape_learn(&shape, b->text, b->found, FIELDS,
                         b->found[TYPE].text.data);
    if (known != b->text.data && b->earlier != NULL)
        insist(json_shape_match(&shape, span_of(b->earlier), b->found),
               "the earlier one is of another shape");
    known = b->text.data;
    for (int i = 0; i < n; i++)
        insist(json_shape_match(&shape, b->text, b->found),
               "it is of another shape");
}

static void run_request(struct bench *b, int n) {
    for (int i = 0; i < n; i++) {
        turn_moment(b, i);
        request_read(b->text, wall_ms, &b->request);
    }
}

static void run_date(struct bench *b, int n) {
    struct span date = b->request.date, inside = {date.data + 1, date.len - 2};
    int64_t seconds;
    for (int i = 0; i < n; i++)
        insist(moment_parse(inside, &seconds) == DAY_OK, "it is no date");
}

static void run_stake(struct bench *b, int n) {
    struct decimal amount;
    for (int i = 0; i < n; i++)
        insist(decimal_parse(b->request.stake, &amount) == DECIMAL_OK,
               "it is no stake");
}

static void run_rates(struct bench *b, int n) {
    struct span code = {b->request.code, RATES_CODE_LEN};
    for (int i = 0; i < n; i++)
        insist(day_rates_find(&b->day_rates, b->request.day, code, now,
                              &b->rates) == DAY_RATES_FOUND,
               "there is no rate");
}

static void run_convert(struct bench *b, int n) {
    for (int i = 0; i < n; i++)
        b->amount = decimal_convert(b->request.amount, b->rates);
}

static void run_print(struct bench *b, int n) {
    char text[EURO_TEXT_SIZE];
    for (int i = 0; i < n; i++)
        euro_print(b->amount, text);
}

static void run_response(struct bench *b, int n) {
    for (int i = 0; i < n; i++)
        response_write(&b->request, b->text, b->amount, wall_ms, b->answer);
}

static void run_ledger(struct bench *b, int n) {
    for (int i = 0; i < n; i++) {
        struct message *message = ledger_take(b->own_ledger, b->text, now);
        insist(message != NULL, "the ledger is full");
        ledger_work_begins(b->own_ledger, message);
        ledger_note_id(message,
                       (struct span){message->request.data, SHAPE_ID_BYTES});
        ledger_answered(message, b->text.len);
        ledger_work_ends(b->own_ledger);
        b->messages[i] = message;
    }
    for (int i = 0; i < n; i++)
        ledger_release(b->own_ledger, b->messages[i]);
}

static void run_outbox(struct bench *b, int n) {
    static struct message messages[BATCH];
    for (int i = 0; i < n; i++) {
        messages[i] = (struct message){.answer = b->text, .connection = 1};
        outbox_add(&b->outbox, &messages[i]);
    }
    for (int i = 0; i < n; i++) {
        insist(outbox_take_old(&b->outbox, now) == NULL, "it is old");
        outbox_sent(&b->outbox, outbox_next(&b->outbox));
    }
    for (int i = 0; i < n; i++)
        insist(outbox_take_confirmed(&b->outbox, UINT64_MAX) != NULL,
               "it was not sent");
}

static void run_all(struct bench *b, int n) {
    const struct now both = {now, wall_ms};
    struct pipeline_item item = {.position = 0};
    struct span message;
    for (int i = 0; i < n; i++) {
        turn_moment(b, i);
        receive(b, &message);
        insist(pipeline_receive(b->pipeline, message, both) == PIPELINE_TAKEN,
               "it was not taken");
    }
    for (int i = 0; i < n; i++) {
        insist(pipeline_next(b->pipeline, now, &item), "there is no answer");
        pipeline_sent(b->pipeline, &item, now);
    }
    pipeline_confirmed(b->pipeline, item.position);
}

static const struct part {
    const char *name;
    void (*run)(struct bench *, int messages);
    size_t shapes; /* for so many of them, the typical one first */
} parts[] = {
    {"inbox", run_inbox, SHAPES},   {"scan", run_scan, SHAPES},
    {"shape", run_shape, 2},        {"request", run_request, SHAPES},
    {"date", run_date, 1},          {"stake", run_stake, 1},
    {"rates", run_rates, 1},        {"convert", run_convert, 1},
    {"print", run_print, 1},        {"response", run_response, SHAPES},
    {"ledger", run_ledger, SHAPES}, {"outbox", run_outbox, 1},
    {"all", run_all, SHAPES},
};

static void run(struct bench *b, const struct part *part,
                const struct shape *shape) {
    char name[64];
    int batch = (int)(RUN_BYTES / 4 / b->text.len) + 1;
    int batches = 4;
    if (batch > BATCH) {
        batches = batch * batches / BATCH;
        batch = BATCH;
    }
    part->run(b, batch); /* what is made at the first use is there then */
    if (b->earlier != NULL)
        request_read(span_of(b->earlier), wall_ms, &b->request);
    request_read(b->text, wall_ms, &b->request);
    clock_readings = 0;
    CALLGRIND_START_INSTRUMENTATION;
    CALLGRIND_ZERO_STATS;
    for (int i = 0; i < batches; i++)
        part->run(b, batch);
    snprintf(name, sizeof name, "%s %s", part->name, shape->name);
    CALLGRIND_DUMP_STATS_AT(name);
    CALLGRIND_STOP_INSTRUMENTATION;
    printf("%s %d %zu %lu\n", name, batch * batches, b->text.len,
           clock_readings);
}

static void no_call(void *arg) {
    (void)arg;
}

static bool no_question(void *arg, day when, struct span currency) {
    (void)arg, (void)when, (void)currency;
    insist(false, "a rate is asked for");
    return false;
}

/* A table as the ECB has them. */
static struct rates *make_rates(day when) {
    static const char *const codes[] = {
        "AUD", "BGN", "BRL", "CAD", "CHF", "CNY", "CZK", "DKK", "GBP", "HKD",
        "HUF", "IDR", "ILS", "INR", "ISK", "JPY", "KRW", "MXN", "MYR", "NOK",
        "NZD", "PHP", "PLN", "RON", "SEK", "SGD", "THB", "TRY", "USD", "ZAR"};
    struct rates *rates = rates_new("ecb", "EUR", when, wall_ms);
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        insist(rates_add(rates, span_of(codes[i]), span_of("1.2222")) ==
                   RATES_ADDED,
               "it is no rate");
    return rates;
}

static void open_pipeline(struct bench *b) {
    static char url[] = "REQUESTS_WS_URL=ws://localhost/";
    char *const environment[] = {url, NULL};
    struct pipeline_ports ports = {.answers_ready = no_call,
                                   .ask = no_question};
    struct settings *settings =
        settings_load(environment, NULL, false, SETTINGS_WSCLIENT);
    b->pipeline = pipeline_new(settings, b->ledger, &b->metrics, &ports, false);
    settings_free(&settings);
    insist(pipeline_connected(b->pipeline) == 1, "it was connected before");
}

static void open_bench(struct bench *b) {
    const struct now both = {now, wall_ms};
    const monotime expires = {INT64_MAX};
    day when;
    insist(rates_day_parse(span_of(SHAPE_DAY), &when), "no day");
    struct rates *rates = make_rates(when);
    inbox_init(&b->inbox, SHAPE_MAX_BYTES);
    day_rates_init(&b->day_rates);
    day_rates_enter(&b->day_rates, when, rates, expires, &both);
    outbox_init(&b->outbox);
    insist(outbox_connected(&b->outbox) == 1, "it was connected before");
    b->ledger = ledger_open(NULL, LEDGER_BYTES);
    b->own_ledger = ledger_open(NULL, LEDGER_BYTES);
    insist(b->ledger != NULL && b->own_ledger != NULL, "no memory");
    open_pipeline(b);
    pipeline_rates(b->pipeline, when, span_of(""), rates, "memory", expires);
    rates_release(&rates);
}

static void close_bench(struct bench *b) {
    pipeline_free(&b->pipeline);
    ledger_close(&b->ledger);
    ledger_close(&b->own_ledger);
    day_rates_clear(&b->day_rates);
    inbox_clear(&b->inbox);
}

/* Figures are good for one compiler, machine and kind of build. */
static void print_build(void) {
#if defined __clang__
    const char *compiler = "clang";
#else
    const char *compiler = "gcc";
#endif
#if defined __x86_64__
    const char *machine = "x86_64";
#else
    const char *machine = "another machine";
#endif
#if defined __OPTIMIZE__
    const char *kind = "optimised";
#else
    const char *kind = "not optimised";
#endif
    printf("%s %d, %s, %s\n", compiler, __GNUC__, machine, kind);
}

int main(void) {
    static struct bench b;
    static struct shape shapes[SHAPES];
    print_build();
    log_open("instructions", "error", "text", 2);
    open_bench(&b);
    shapes_make(shapes);
    for (size_t i = 0; i < SHAPES; i++) {
        b.text = (struct span){shapes[i].text, shapes[i].len};
        b.earlier = shapes[i].earlier;
        b.moment = shapes[i].moment;
        for (size_t j = 0; j < sizeof parts / sizeof *parts; j++)
            if (i < parts[j].shapes)
                run(&b, &parts[j], &shapes[i]);
    }
    close_bench(&b);
    return 0;
}
