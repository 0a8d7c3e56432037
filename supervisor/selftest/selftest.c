#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/process.h"
#include "supervisor/command.h"
#include "supervisor/selftest/chaos.h"
#include "supervisor/selftest/stand.h"

enum {
    NOT_PASSED = 1,
    SECONDS_UNLESS_SAID = 60,
    TICK_MS = 50,
    LINE = 8192,
    /* Beyond the time that was asked for: start, last answers, patience. */
    EXTRA_SECONDS = 60
};

/* What the upstream has printed: its report, in the end. */
struct report {
    char line[LINE]; /* one that is not whole yet */
    size_t len;
    unsigned long asked, right, error, wrong, twice, unanswered;
    unsigned long again, unexpected, refused;
    char latency[80];
    bool answered; /* since this was last looked at */
    bool complete, ended;
};

static void take_line(struct report *r) {
    if (strncmp(r->line, "<- ", 3) == 0) {
        r->answered = true;
        return;
    }
    sscanf(r->line,
           "asked %lu, answered right %lu, answered by error %lu, wrong %lu, "
           "twice %lu, unanswered %lu",
           &r->asked, &r->right, &r->error, &r->wrong, &r->twice,
           &r->unanswered);
    sscanf(r->line, "asked again %lu, unexpected %lu, refused %lu", &r->again,
           &r->unexpected, &r->refused);
    if (strncmp(r->line, "latency ", 8) == 0)
        snprintf(r->latency, sizeof r->latency, "%.79s", r->line);
    if (strncmp(r->line, "result: ", 8) == 0)
        r->complete = true;
}

static void take(struct report *r, const char *text, size_t len) {
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '\n') {
            r->line[r->len] = '\0';
            take_line(r);
            r->len = 0;
        } else if (r->len < LINE - 1) {
            r->line[r->len++] = text[i];
        }
    }
}

/* Waits for what the upstream prints, or a tick; false: a signal to end came.
 */
static bool listen_on(const struct stand *s, struct report *r, int ends) {
    char text[LINE];
    struct pollfd fds[] = {{.fd = s->upstream_out, .events = POLLIN},
                           {.fd = ends, .events = POLLIN}};
    if (poll(fds, 2, TICK_MS) < 0 && errno != EINTR)
        return false;
    if (fds[1].revents != 0)
        return false;
    if (fds[0].revents == 0)
        return true;
    ssize_t got = read(s->upstream_out, text, sizeof text);
    r->ended = got == 0;
    take(r, text, got > 0 ? (size_t)got : 0);
    return true;
}

/* Runs until the upstream has told its report. */
static void work(struct stand *s, struct chaos *c, struct report *r,
                 double seconds, bool chaos) {
    int ends = process_catch_ends();
    monotime begin = clock_monotonic();
    monotime last =
        monotime_add(begin, (duration){(int64_t)(seconds * USEC_PER_SEC)});
    monotime limit = monotime_add(last, SECONDS(EXTRA_SECONDS));
    bool begun = false;
    while (!r->ended && listen_on(s, r, ends)) {
        monotime now = clock_monotonic();
        if (monotime_reached(now, limit))
            break;
        /* Killed, it is started again; what it ends with itself is an error. */
        if (stand_service_ended(s) && (!chaos || s->service_code == EX_CONFIG))
            break;
        if (r->answered)
            chaos_answered(c, now);
        begun = begun || r->answered;
        r->answered = false;
        if (chaos && begun)
            chaos_tick(c, now, monotime_reached(now, last));
    }
}

static bool print(const struct report *r, const struct chaos *c, bool chaos,
                  int code) {
    /* A refusal is no fault where look-ups are made to fail. */
    unsigned long refused = chaos ? 0 : r->refused;
    bool passed = r->complete && r->asked > 0 && r->wrong == 0 &&
                  r->unanswered == 0 && refused == 0 && code == EX_OK;
    if (chaos)
        chaos_print(c);
    printf("  asked %lu, right %lu, error %lu, refused %lu, wrong %lu, twice "
           "%lu, lost %lu\n",
           r->asked, r->right, r->error, r->refused, r->wrong, r->twice,
           r->unanswered);
    if (*r->latency != '\0')
        printf("  %s\n", r->latency);
    if (code != EX_OK)
        printf("  the service ended with %d\n", code);
    else if (!r->complete)
        puts("  it was ended before its time");
    puts(passed ? "passed" : "NOT passed");
    return passed;
}

int command_selftest(const struct options *options) {
    static struct chaos chaos; /* too large for the stack */
    static struct report report;
    struct stand stand;
    double seconds =
        options->seconds > 0 ? options->seconds : SECONDS_UNLESS_SAID;
    bool passed = false;
    bool good = stand_begin(&stand, seconds, options->chaos);
    if (good) {
        printf("%.0f s of %s against stand-ins on this machine%s\n", seconds,
               options->chaos ? "faults" : "work",
               options->chaos && !stand.has_redis
                   ? " (without Redis: no redis-server is in PATH)"
                   : "");
        fflush(stdout);
        chaos_begin(&chaos, &stand);
        work(&stand, &chaos, &report, seconds, options->chaos);
        passed =
            print(&report, &chaos, options->chaos, stand_stop_service(&stand));
        if (!passed)
            printf("what was logged is in %s\n", stand.folder);
    }
    stand_end(&stand, good && !passed);
    if (!good)
        return EX_SOFTWARE;
    return passed ? EX_OK : NOT_PASSED;
}
