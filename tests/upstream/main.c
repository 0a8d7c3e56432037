/* The upstream simulator: options, start and summary. */
#include "asker.h"
#include "ecb.h"
#include "hub.h"
#include "listen.h"
#include "script.h"
#include "verdict.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct main_options {
    const char *listen;
    const char *port_file;
    const char *rates;
    uint64_t count;
    double rate; /* questions a second, 0 = no limit */
    uint64_t window;
    uint64_t seed;
    double linger; /* seconds */
    bool show;
};

/* Too large for the stack. */
static struct script main_script;
static struct verdict main_verdict;

static const char MAIN_USAGE[] =
    "usage: upstream --rates FILE.csv [--listen HOST:PORT] [--port-file FILE]\n"
    "                [--count N] [--rate PER_SECOND] [--window N] [--seed N]\n"
    "                [--linger SECONDS] [--show]\n";

static bool main_whole(const char *text, uint64_t *out) {
    char *end;
    errno = 0;
    *out = strtoull(text, &end, 10);
    return *text >= '0' && *text <= '9' && *end == '\0' && errno == 0;
}

static bool main_real(const char *text, double *out) {
    char *end;
    *out = strtod(text, &end);
    return end != text && *end == '\0' && *out >= 0 && *out <= 1e9;
}

static bool main_option(struct main_options *o, int letter) {
    switch (letter) {
    case 'l':
        o->listen = optarg;
        return true;
    case 'p':
        o->port_file = optarg;
        return true;
    case 'f':
        o->rates = optarg;
        return true;
    case 'n':
        return main_whole(optarg, &o->count);
    case 'r':
        return main_real(optarg, &o->rate) &&
               (o->rate == 0 || o->rate >= 0.001);
    case 'w':
        return main_whole(optarg, &o->window) && o->window >= 1 &&
               o->window <= VERDICT_OPEN_MAX;
    case 's':
        return main_whole(optarg, &o->seed);
    case 'g':
        return main_real(optarg, &o->linger);
    case 'v':
        o->show = true;
        return true;
    default:
        return false;
    }
}

static bool main_parse(struct main_options *o, int argc, char **argv) {
    static const struct option names[] = {
        {"listen", required_argument, NULL, 'l'},
        {"port-file", required_argument, NULL, 'p'},
        {"rates", required_argument, NULL, 'f'},
        {"count", required_argument, NULL, 'n'},
        {"rate", required_argument, NULL, 'r'},
        {"window", required_argument, NULL, 'w'},
        {"seed", required_argument, NULL, 's'},
        {"linger", required_argument, NULL, 'g'},
        {"show", no_argument, NULL, 'v'},
        {NULL, 0, NULL, 0},
    };
    int letter;
    while ((letter = getopt_long(argc, argv, "", names, NULL)) != -1)
        if (!main_option(o, letter))
            return false;
    return optind == argc && o->rates;
}

static bool main_prepare(const struct main_options *o) {
    struct ecb ecb;
    bool good = ecb_load(&ecb, o->rates) == 0;
    if (good)
        script_make(&main_script, &ecb, o->seed);
    ecb_free(&ecb);
    verdict_init(&main_verdict, o->show);
    return good;
}

static int main_listen(const struct main_options *o) {
    char host[64];
    char port[16];
    int fd = listen_open(o->listen);
    if (fd < 0)
        return -1;
    listen_name(fd, host, sizeof host, port, sizeof port);
    bool six = strchr(host, ':');
    printf("listening on ws://%s%s%s:%s/\n", six ? "[" : "", host,
           six ? "]" : "", port);
    fflush(stdout);
    if (o->port_file && listen_note(o->port_file, port) < 0) {
        close(fd);
        return -1;
    }
    return fd;
}

static void main_report(const struct main_options *o, const struct hub *h) {
    verdict_report(&main_verdict);
    printf("connections %" PRIu64 "\n", h->connections);
    printf("heartbeats received %" PRIu64 ", largest gap %" PRIu64 " ms\n",
           h->beats, h->gap_ns / 1000000);
    verdict_report_delay(&main_verdict, o->rate == 0);
}

int main(int argc, char **argv) {
    struct main_options o = {
        .listen = "127.0.0.1:0", .rate = 2, .window = 64, .seed = 1};
    if (!main_parse(&o, argc, argv)) {
        fputs(MAIN_USAGE, stderr);
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    if (!main_prepare(&o))
        return 2;
    struct asker asker = {.script = &main_script,
                          .verdict = &main_verdict,
                          .count = o.count,
                          .window = o.window,
                          .period_ns = o.rate > 0 ? 1e9 / o.rate : 0};
    struct hub hub = {.linger_ns = (uint64_t)(o.linger * 1e9),
                      .asker = &asker,
                      .verdict = &main_verdict};
    hub.listener = main_listen(&o);
    int failed = hub.listener < 0 || hub_run(&hub) < 0;
    if (hub.listener >= 0)
        close(hub.listener);
    if (!failed)
        main_report(&o, &hub);
    script_free(&main_script);
    if (failed)
        return 2;
    return main_verdict.wrong > 0 || (o.count > 0 && !asker_done(&asker));
}
