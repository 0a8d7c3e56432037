/* mock-upstream, the upstream simulator: start and summary. */
#include "asker.h"
#include "ecb.h"
#include "hub.h"
#include "listen.h"
#include "options.h"
#include "play.h"
#include "script.h"
#include "verdict.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

enum { MAIN_NOT_RIGHT = 1 };

/* Too large for the stack. */
static struct script main_script;
static struct verdict main_verdict;
static struct tally main_tally;
static struct ecb main_ecb;
static struct asker main_asker;
static struct play main_play;

static int main_listen(const struct options *o) {
    char host[64];
    char port[16];
    int fd = listen_open(o->listen);
    if (fd < 0)
        return -1;
    listen_name(fd, host, sizeof host, port, sizeof port);
    bool six = strchr(host, ':');
    printf("listening on ws%s://%s%s%s:%s/\n", o->tls_cert ? "s" : "",
           six ? "[" : "", host, six ? "]" : "", port);
    fflush(stdout);
    if (o->port_file && listen_note(o->port_file, port) < 0) {
        close(fd);
        return -1;
    }
    return fd;
}

static int main_load_rates(const struct options *o) {
    if (!o->rates)
        return EX_OK;
    if (access(o->rates, R_OK) < 0) {
        fprintf(stderr, "mock-upstream: %s: %s\n", o->rates, strerror(errno));
        return EX_NOINPUT;
    }
    return ecb_load(&main_ecb, o->rates) == 0 ? EX_OK : EX_DATAERR;
}

/* Reads a file to its end, so that all that is wrong with it is told before the
 * start; from a pipe or a terminal the lines are taken as they come. */
static int main_load_script(const struct options *o, int *fd) {
    struct stat at;
    bool from_stdin = o->script && strcmp(o->script, "-") == 0;
    *fd = -1;
    if (!o->script)
        return EX_OK;
    main_play.name = from_stdin ? "standard input" : o->script;
    *fd = from_stdin ? STDIN_FILENO : open(o->script, O_RDONLY | O_CLOEXEC);
    if (*fd < 0 || fstat(*fd, &at) < 0) {
        fprintf(stderr, "mock-upstream: %s: %s\n", o->script, strerror(errno));
        return EX_NOINPUT;
    }
    if (from_stdin && !S_ISREG(at.st_mode))
        return EX_OK;
    while (!main_play.ended)
        play_read(&main_play, *fd);
    if (!from_stdin)
        close(*fd);
    *fd = -1;
    return main_play.bad > 0 ? EX_DATAERR : EX_OK;
}

static int main_prepare(const struct options *o, int *script_fd) {
    main_tally.show = o->show || (o->script && !o->quiet);
    main_tally.allow_errors = o->allow_errors;
    tally_clock(&main_tally);
    int code = main_load_rates(o);
    if (code != EX_OK)
        return code;
    double rate = o->rate < 0 && o->random ? 2 : o->rate;
    double period_ns = rate > 0 ? 1e9 / rate : 0;
    verdict_init(&main_verdict, &main_tally);
    if (o->random)
        script_make(&main_script, &main_ecb, o->seed);
    main_asker = (struct asker){.script = &main_script,
                                .verdict = &main_verdict,
                                .count = o->count,
                                .window = o->window,
                                .period_ns = period_ns};
    main_play = (struct play){.tally = &main_tally,
                              .ecb = o->rates ? &main_ecb : NULL,
                              .same_date = o->same_date,
                              .window = o->window,
                              .period_ns = o->rate > 0 ? period_ns : 0};
    return main_load_script(o, script_fd);
}

/* Gives whether all is well. */
static bool main_report(const struct options *o, const struct hub *h) {
    const struct tally *t = &main_tally;
    uint64_t wrong = t->count[TALLY_WRONG];
    bool has_end = o->script || o->count > 0 || o->seconds > 0;
    uint64_t doubled = t->count[TALLY_DOUBLED];
    bool well = wrong == 0 && doubled == 0 && (h->complete || !has_end);
    tally_report(t);
    printf("connections %" PRIu64 "\n", h->connections);
    printf("heartbeats received %" PRIu64 ", largest gap %" PRIu64 " ms\n",
           h->beats, h->gap_ns / 1000000);
    tally_report_delay(t, o->random && o->rate == 0);
    if (well)
        puts("result: right");
    else if (wrong > 0)
        printf("result: NOT right, wrong answers: %" PRIu64 "\n", wrong);
    else if (doubled > 0)
        printf("result: NOT right, answered twice without a break, or not by "
               "the same bytes: %" PRIu64 "\n",
               doubled);
    else if (t->open > 0)
        printf("result: NOT right, unanswered: %" PRIu64 "\n", t->open);
    else
        puts("result: NOT right, ended before all was asked");
    return well;
}

static int main_run(const struct options *o, int script_fd) {
    struct hub hub = {.script = script_fd,
                      .linger_ns = (uint64_t)(o->linger * 1e9),
                      .seconds_ns = (uint64_t)(o->seconds * 1e9),
                      .wait_ns = (uint64_t)(o->wait * 1e9),
                      .patience_ns = (uint64_t)(o->patience * 1e9),
                      .tally = &main_tally,
                      .asker = o->random ? &main_asker : NULL,
                      .verdict = &main_verdict,
                      .play = o->script ? &main_play : NULL};
    if (o->tls_cert &&
        !(hub.tls = tls_open("mock-upstream", o->tls_cert, o->tls_key)))
        return EX_NOINPUT;
    hub.listener = main_listen(o);
    int failed = hub.listener >= 0 && hub_run(&hub) < 0;
    SSL_CTX_free(hub.tls);
    if (hub.listener < 0)
        return EX_UNAVAILABLE;
    close(hub.listener);
    if (failed)
        return EX_SOFTWARE;
    bool well = main_report(o, &hub);
    if (main_play.bad > 0)
        return EX_DATAERR;
    if (hub.connections == 0 && o->wait > 0) {
        fputs("mock-upstream: nobody has connected\n", stderr);
        return EX_UNAVAILABLE;
    }
    return well ? EX_OK : MAIN_NOT_RIGHT;
}

int main(int argc, char **argv) {
    struct options o;
    int script_fd;
    if (!options_read(&o, argc, argv))
        return EX_USAGE;
    if (o.help) {
        options_print_help();
        return EX_OK;
    }
    signal(SIGPIPE, SIG_IGN);
    int code = main_prepare(&o, &script_fd);
    if (code == EX_OK)
        code = main_run(&o, script_fd);
    play_free(&main_play);
    script_free(&main_script);
    ecb_free(&main_ecb);
    return code;
}
