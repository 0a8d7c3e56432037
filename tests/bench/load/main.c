/*
 * The load generator: serves clients with all that they can take, judges each
 * answer and prints one line of JSON.
 */
#include "tests/bench/load/run.h"

#include "tests/upstream/ecb.h"
#include "tests/upstream/listen.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct main_options {
    const char *listen;
    const char *port_file;
    const char *rates;
    const char *certificate;
    uint64_t pairs;
    uint64_t seed;
    struct ring_how how;
    struct run run;
};

/* Too large for the stack. */
static struct script main_script;
static struct ring main_ring;
static struct tally main_tally;
static struct main_options main_options = {.listen = "127.0.0.1:0",
                                           .seed = 1,
                                           .how = {.fragments = 1},
                                           .run = {.links = 1,
                                                   .window = 256,
                                                   .warmup_ns = 500000000,
                                                   .measure_ns = 3000000000,
                                                   .patience_ns = 20000000000,
                                                   .listener = -1,
                                                   .ring = &main_ring,
                                                   .tally = &main_tally}};

static const char MAIN_USAGE[] =
    "usage: load --rates FILE.csv [--listen HOST:PORT] [--port-file FILE]\n"
    "            [--tls CERTIFICATE_AND_KEY.pem] [--links N] [--window N]\n"
    "            [--rate PER_SECOND] [--count N] [--warmup SECONDS]\n"
    "            [--seconds SECONDS] [--patience SECONDS] [--await] [--stay]\n"
    "            [--echo] [--pairs N] [--size BYTES] [--fragments N] [--seed "
    "N]\n";

/* `to` is a const char *, a bool, a uint64_t, a uint64_t of nanoseconds, or a
 * double. */
enum main_kind { MAIN_TEXT, MAIN_FLAG, MAIN_COUNT, MAIN_SECONDS, MAIN_REAL };

static const struct main_option {
    const char *name;
    enum main_kind kind;
    void *to;
    double least;
    double most;
} MAIN_OPTIONS[] = {
    {"--rates", MAIN_TEXT, &main_options.rates, 0, 0},
    {"--listen", MAIN_TEXT, &main_options.listen, 0, 0},
    {"--port-file", MAIN_TEXT, &main_options.port_file, 0, 0},
    {"--tls", MAIN_TEXT, &main_options.certificate, 0, 0},
    {"--links", MAIN_COUNT, &main_options.run.links, 1, RUN_LINKS},
    {"--window", MAIN_COUNT, &main_options.run.window, 1, 1 << 24},
    {"--rate", MAIN_REAL, &main_options.run.rate, 0, 1e9},
    {"--count", MAIN_COUNT, &main_options.run.count, 0, 1e9},
    {"--warmup", MAIN_SECONDS, &main_options.run.warmup_ns, 0, 1e6},
    {"--seconds", MAIN_SECONDS, &main_options.run.measure_ns, 0, 1e6},
    {"--patience", MAIN_SECONDS, &main_options.run.patience_ns, 0, 1e6},
    {"--await", MAIN_FLAG, &main_options.run.await, 0, 0},
    {"--stay", MAIN_FLAG, &main_options.run.stay, 0, 0},
    {"--echo", MAIN_FLAG, &main_options.how.echo, 0, 0},
    {"--pairs", MAIN_COUNT, &main_options.pairs, 0, SCRIPT_ITEMS},
    {"--size", MAIN_COUNT, &main_options.how.size, 0, WS_PAYLOAD_MAX},
    {"--fragments", MAIN_COUNT, &main_options.how.fragments, 1, 1000},
    {"--seed", MAIN_COUNT, &main_options.seed, 0, 1e9},
};

static const struct main_option *main_find(const char *name) {
    size_t count = sizeof MAIN_OPTIONS / sizeof MAIN_OPTIONS[0];
    for (size_t i = 0; i < count; i++)
        if (strcmp(MAIN_OPTIONS[i].name, name) == 0)
            return &MAIN_OPTIONS[i];
    return NULL;
}

static bool main_number(const struct main_option *o, const char *text) {
    char *end;
    double n = strtod(text, &end);
    if (end == text || *end != '\0' || !(n >= o->least && n <= o->most))
        return false;
    if (o->kind == MAIN_REAL)
        *(double *)o->to = n;
    else
        *(uint64_t *)o->to = (uint64_t)(o->kind == MAIN_SECONDS ? n * 1e9 : n);
    return true;
}

static bool main_parse(char **argv) {
    while (*argv) {
        const struct main_option *o = main_find(*argv++);
        if (!o)
            return false;
        if (o->kind == MAIN_FLAG) {
            *(bool *)o->to = true;
            continue;
        }
        const char *value = *argv;
        if (!value || (o->kind != MAIN_TEXT && !main_number(o, value)))
            return false;
        if (o->kind == MAIN_TEXT)
            *(const char **)o->to = value;
        argv++;
    }
    return main_options.rates;
}

static bool main_prepare(struct main_options *o) {
    struct ecb ecb;
    bool good = ecb_load(&ecb, o->rates) == 0;
    if (good && o->pairs) {
        good = script_make_pairs(&main_script, &ecb, o->seed, o->pairs);
        if (!good)
            fprintf(stderr, "load: %s has fewer pairs\n", o->rates);
    } else if (good) {
        script_make(&main_script, &ecb, o->seed);
    }
    ecb_free(&ecb);
    if (good)
        ring_make(&main_ring, &main_script, &o->how);
    return good;
}

static bool main_tls(struct main_options *o) {
    if (!o->certificate)
        return true;
    SSL_CTX *tls = SSL_CTX_new(TLS_server_method());
    o->run.tls = tls;
    if (!tls || SSL_CTX_use_certificate_chain_file(tls, o->certificate) != 1 ||
        SSL_CTX_use_PrivateKey_file(tls, o->certificate, SSL_FILETYPE_PEM) !=
            1) {
        fprintf(stderr, "load: %s: no certificate with its key\n",
                o->certificate);
        return false;
    }
    SSL_CTX_set_mode(tls, SSL_MODE_ENABLE_PARTIAL_WRITE |
                              SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    return true;
}

static bool main_listen(struct main_options *o) {
    char host[64];
    char port[16];
    int fd = listen_open(o->listen);
    o->run.listener = fd;
    if (fd < 0)
        return false;
    listen_name(fd, host, sizeof host, port, sizeof port);
    return !o->port_file || listen_note(o->port_file, port) == 0;
}

int main(int argc, char **argv) {
    struct main_options *o = &main_options;
    if (argc < 1 || !main_parse(argv + 1)) {
        fputs(MAIN_USAGE, stderr);
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    int code = 2;
    if (main_prepare(o) && main_tls(o) && main_listen(o))
        code = run_all(&o->run);
    if (o->run.listener >= 0)
        close(o->run.listener);
    SSL_CTX_free(o->run.tls);
    script_free(&main_script);
    ring_free(&main_ring);
    return code;
}
