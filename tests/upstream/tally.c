#include "tally.h"

#include "show.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { TALLY_COMPLAINTS = 10 };

void tally_clock(struct tally *t) {
    /* A day to either side: midnight may pass between two clocks, but the date
     * of the question must not come back unchanged. */
    long today = day_today();
    if (today == t->today)
        return;
    t->today = today;
    day_write(today - 1, t->span.first);
    day_write(today + 1, t->span.last);
}

uint64_t tally_ask(struct tally *t, uint64_t now_ns) {
    if (t->asked == 0)
        t->first_ns = now_ns;
    t->last_ns = now_ns;
    t->open++;
    return ++t->asked;
}

void tally_take(struct tally *t, const char *digits, size_t len) {
    uint64_t n = 0;
    for (size_t i = 0; i < len && digits[i] >= '0' && digits[i] <= '9'; i++)
        n = n * 10 + (uint64_t)(digits[i] - '0');
    if (n > t->taken && n <= t->asked)
        t->taken = n;
}

enum tally_word tally_wrong(const struct tally *t, const char *id,
                            size_t id_len, const char *text, size_t len) {
    char head[MATCH_TEXT_MAX];
    int n =
        snprintf(head, sizeof head,
                 "{\"type\":\"error\",\"id\":%.*s,\"message\":\"Unable to "
                 "convert stake. Error: ",
                 (int)(id_len < MATCH_TEXT_MAX ? id_len : MATCH_TEXT_MAX), id);
    bool error = n < (int)sizeof head && len > (size_t)n &&
                 memcmp(text, head, (size_t)n) == 0 &&
                 match_reason(text + n, text + len);
    return t->allow_errors && error ? TALLY_REFUSED : TALLY_WRONG;
}

void tally_answer(struct tally *t, enum tally_word word, uint64_t asked_ns,
                  uint64_t now_ns) {
    t->count[word]++;
    if (word == TALLY_TWICE || word == TALLY_DOUBLED ||
        word == TALLY_UNEXPECTED)
        return;
    t->open--;
    t->last_ns = now_ns;
    delay_add(&t->delay, now_ns - asked_ns);
}

void tally_show(const struct tally *t, enum tally_word word, const char *text,
                size_t len, const char *want, size_t want_len) {
    static const char *const words[TALLY_WORDS] = {
        " right", " right",   " refused",   " WRONG",
        " TWICE", " DOUBLED", " UNEXPECTED"};
    bool bad = word == TALLY_WRONG || word == TALLY_DOUBLED ||
               word == TALLY_UNEXPECTED;
    if (!t->show && (!bad || t->count[TALLY_WRONG] + t->count[TALLY_DOUBLED] +
                                     t->count[TALLY_UNEXPECTED] >
                                 TALLY_COMPLAINTS))
        return;
    FILE *out = t->show ? stdout : stderr;
    show_text(out, "<- ", text, len);
    fputs(words[word], out);
    if (want)
        show_text(out, ", expected ", want, want_len);
    putc('\n', out);
}

void tally_report(const struct tally *t) {
    printf("asked %" PRIu64 ", answered right %" PRIu64
           ", answered by error %" PRIu64 ", wrong %" PRIu64 ", twice %" PRIu64
           ", unanswered %" PRIu64 "\n",
           t->asked, t->count[TALLY_RIGHT], t->count[TALLY_ERROR],
           t->count[TALLY_WRONG], t->count[TALLY_TWICE], t->open);
    printf("asked again %" PRIu64 ", unexpected %" PRIu64, t->again,
           t->count[TALLY_UNEXPECTED]);
    if (t->allow_errors)
        printf(", refused %" PRIu64, t->count[TALLY_REFUSED]);
    if (t->count[TALLY_DOUBLED] > 0)
        printf(", doubled %" PRIu64, t->count[TALLY_DOUBLED]);
    putchar('\n');
}

void tally_report_delay(const struct tally *t, bool speed) {
    if (speed) {
        double seconds = (double)(t->last_ns - t->first_ns) / 1e9;
        double answers = (double)t->delay.count;
        printf("%.0f answers a second\n",
               t->delay.count && seconds > 0 ? answers / seconds : 0.0);
    }
    printf("latency p50 %" PRIu64 " us, p99 %" PRIu64 " us, max %" PRIu64
           " us\n",
           delay_share(&t->delay, 0.50) / 1000,
           delay_share(&t->delay, 0.99) / 1000, t->delay.max / 1000);
}
