/* The audit's lines: what is in them, and that a kill does not double one. */
#include "wsclient/audit_trail.h"

#include <sys/wait.h>

#include "common/line_ring.h"
#include "common/memory.h"
#include "tests/unit/ledger_folder.h"
#include "tests/unit/pipeline_bench.h"

#define PAST "2021-05-18"

struct audited {
    struct bench bench;
    struct audit_trail *trail;
    char ring[80];
};

static void begin(struct audited *a, const struct room *room) {
    snprintf(a->ring, sizeof a->ring, "%s/ring", room->folder);
    bench_begin(&a->bench, room->path, BENCH_LEDGER_BYTES);
    a->trail = audit_trail_new(a->ring, "host:1/\"p\"", a->bench.ledger);
    pipeline_set_audit(a->bench.pipeline, a->trail);
    pipeline_recover(a->bench.pipeline, bench_now(0));
    pipeline_connected(a->bench.pipeline);
}

static void end(struct audited *a) {
    bench_end(&a->bench);
    audit_trail_free(&a->trail);
}

/* All lines that wait have to be these. */
static void expect_lines(const struct audited *a, const char *wanted) {
    struct line_ring ring;
    assert_true(line_ring_attach(&ring, a->ring));
    struct span lines = line_ring_lines(&ring);
    if (!span_equals(lines, wanted))
        fail_msg("%.*s\nis not\n%s", (int)lines.len, lines.data, wanted);
    line_ring_taken(&ring, lines.len);
    line_ring_detach(&ring);
}

#define LINE_BEGIN(sequence, id)                                               \
    "{\"upstream\":\"host:1/\\\"p\\\"\",\"sequence\":" sequence                \
    ",\"received\":\"2026-11-21T12:00:00.000Z\",\"id\":" id
#define REQUESTED(currency)                                                    \
    ",\"stake\":12,\"currency\":\"" currency "\",\"date\":\"" PAST "\""
#define LINE_END                                                               \
    ",\"answered\":\"2026-11-21T12:00:00.000Z\","                              \
    "\"sent\":\"2026-11-21T12:00:00.000Z\",\"sends\":1,"                       \
    "\"confirmed\":\"2026-11-21T12:00:00.000Z\",\"outcome\":\"confirmed\"}\n"

static void a_line_has_all_inputs(void **state) {
    const struct room *room = *state;
    struct audited a;
    bench_set_up(&a.bench, "request");
    begin(&a, room);
    bench_request(&a.bench, 1, "EUR", PAST, 0);
    bench_expect_euro(&a.bench, 1, "12", PAST, 0);
    bench_request(&a.bench, 2, "GBP", PAST, 0);
    bench_rates_of_base(&a.bench, "USD", PAST, "", "one\"", "EUR 0.80 GBP 1.2",
                        0, SECOND);
    bench_expect_euro(&a.bench, 2, "8", PAST, 0);
    bench_request(&a.bench, 3, "euro", PAST, 0);
    bench_expect_error(&a.bench, "3",
                       "currency must be three upper-case letters", 0);
    expect_lines(
        &a,
        LINE_BEGIN("1", "1") REQUESTED(
            "EUR") ",\"layer\":\"none\",\"rounding\":\"half_up "
                   "5\",\"result\":12" LINE_END LINE_BEGIN("2", "2")
                       REQUESTED("GBP") ",\"rate\":\"1.2\",\"euro_rate\":\"0."
                                        "80\",\"base\":\"USD\","
                                        "\"as_of\":\"2021-05-18\",\"provider\":"
                                        "\"one_\",\"layer\":\"memory\","
                                        "\"rounding\":\"half_up "
                                        "5\",\"result\":8" LINE_END LINE_BEGIN(
                                            "3", "3") ",\"error\":\"bad_"
                                                      "currency\"" LINE_END);
    end(&a);
    settings_free(&a.bench.settings);
    unlink(a.ring);
}

/* Its line is put, but the ledger does not come to release the message. */
static _Noreturn void die_before_the_release(const struct room *room) {
    static struct audited a;
    struct pipeline_item item;
    const struct now now = bench_now(0);
    bench_set_up(&a.bench, "request");
    begin(&a, room);
    bench_request(&a.bench, 1, "EUR", PAST, 0);
    bench_request(&a.bench, 2, "EUR", PAST, 0);
    if (!pipeline_next(a.bench.pipeline, bench_at(0), &item))
        _exit(1);
    audit_trail_confirmed(a.trail, item.message, &now);
    _exit(0);
}

static void a_line_is_not_put_again_after_a_kill(void **state) {
    struct room *room = *state;
    struct audited a;
    int status;
    pid_t pid = fork();
    if (pid == 0)
        die_before_the_release(room);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    bench_set_up(&a.bench, "request");
    begin(&a, room);
    assert_int_equal(pipeline_pending(a.bench.pipeline), 1);
    bench_expect_euro(&a.bench, 2, "12", PAST, 0);
    bench_expect_nothing(&a.bench, 0);
    struct line_ring ring;
    assert_true(line_ring_attach(&ring, a.ring));
    struct span lines = line_ring_lines(&ring);
    size_t count = 0;
    for (size_t i = 0; i < lines.len; i++)
        count += lines.data[i] == '\n';
    assert_int_equal(count, 2);
    line_ring_detach(&ring);
    end(&a);
    settings_free(&a.bench.settings);
    unlink(a.ring);
}

/* A damaged ledger may have parts that are each the whole request. */
static void a_line_keeps_within_its_room(void **state) {
    (void)state;
    static const char request[60000];
    const struct audit_part all = {0, sizeof request};
    const struct audit_note note = {.stake = all, .currency = all, .date = all};
    const struct audit_end over = {.outcome = "confirmed", .confirmed = true};
    const struct message message = {.request = {request, sizeof request}};
    char *line = memory_new(4 * sizeof request); /* seen, not overrun */
    size_t len =
        audit_write((struct span){"", 0}, &message, &note, &over, line);
    free(line);
    assert_true(len <= sizeof request + AUDIT_GROWTH_BYTES);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_line_has_all_inputs, room_open,
                                        room_close),
        cmocka_unit_test_setup_teardown(a_line_is_not_put_again_after_a_kill,
                                        room_open, room_close),
        cmocka_unit_test(a_line_keeps_within_its_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
