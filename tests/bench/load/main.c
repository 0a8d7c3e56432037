/*
 * The load generator: serves clients with all that they can take, judges each
 * answer and prints one line of JSON.
 */
#include "tests/bench/load/run.h"

#include "tests/upstream/ecb.h"
#include "tests/upstream/listen.h"

#include <getopt.h>
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
static struct main_options main_options;

static const char MAIN_USAGE[] =
    "usage: load --rates FILE.csv [--listen HOST:PORT] [--port-file FILE]\n"
    "            [--tls CERTIFICATE_AND_KEY.pem] [--links N] [--window N]\n"
    "            [--rate PER_SECOND] [--count N] [--warmup SECONDS]\n"
    "            [--seconds SECONDS] [--patience SECONDS] [--await] [--stay]\n"
    "            [--echo] [--pairs N] [--size BYTES] [--fragments N] [--seed "
    "N]\n";

static const struct option MAIN_NAMES[] = {
    {"rates", required_argument, NULL, 'f'},
    {"listen", required_argument, NULL, 'l'},
    {"port-file", required_argument, NULL, 'p'},
    {"tls", required_argument, NULL, 't'},
    {"links", required_argument, NULL, 'k'},
    {"window", required_argument, NULL, 'w'},
    {"rate", required_argument, NULL, 'r'},
    {"count", required_argument, NULL, 'n'},
    {"warmup", required_argument, NULL, 'u'},
    {"seconds", required_argument, NULL, 's'},
    {"patience", required_argument, NULL, 'a'},
    {"await", no_argument, NULL, 'h'},
    {"echo", no_argument, NULL, 'e'},
    {"stay", no_argument, NULL, 'y'},
    {"pairs", required_argument, NULL, 'd'},
    {"size", required_argument, NULL, 'b'},
    {"fragments", required_argument, NULL, 'g'},
    {"seed", required_argument, NULL, 'x'},
    {NULL, 0, NULL, 0},
};

/* The texts and the flags. */
static bool main_text(struct main_options *o, int letter) {
    const char **text = letter == 'f'   ? &o->rates
                        : letter == 'l' ? &o->listen
                        : letter == 'p' ? &o->port_file
                        : letter == 't' ? &o->certificate
                                        : NULL;
    if (text)
        *text = optarg;
    o->how.echo |= letter == 'e';
    o->run.await |= letter == 'h';
    o->run.stay |= letter == 'y';
    return text || letter == 'e' || letter == 'h' || letter == 'y';
}

/* The numbers, which all may be fractions where that makes sense. */
static bool main_number(struct main_options *o, int letter) {
    char *end;
    double n = strtod(optarg, &end);
    if (end == optarg || *end != '\0' || !(n >= 0 && n <= 1e9))
        return false;
    switch (letter) {
    case 'k':
        o->run.links = (unsigned)n;
        return n >= 1 && n <= RUN_LINKS;
    case 'w':
        o->run.window = (uint64_t)n;
        return n >= 1 && n <= 1 << 24;
    case 'r':
        o->run.rate = n;
        return true;
    case 'n':
        o->run.count = (uint64_t)n;
        return true;
    case 'u':
        o->run.warmup_ns = (uint64_t)(n * 1e9);
        return true;
    case 's':
        o->run.measure_ns = (uint64_t)(n * 1e9);
        return true;
    case 'a':
        o->run.patience_ns = (uint64_t)(n * 1e9);
        return true;
    case 'd':
        o->pairs = (uint64_t)n;
        return n <= SCRIPT_ITEMS;
    case 'b':
        o->how.size = (size_t)n;
        return n <= WS_PAYLOAD_MAX;
    case 'g':
        o->how.fragments = (size_t)n;
        return n >= 1 && n <= 1000;
    case 'x':
        o->seed = (uint64_t)n;
        return true;
    default:
        return false;
    }
}

static bool main_parse(struct main_options *o, int argc, char **argv) {
    int letter;
    while ((letter = getopt_long(argc, argv, "", MAIN_NAMES, NULL)) != -1)
        if (letter == '?' || (!main_text(o, letter) && !main_number(o, letter)))
            return false;
    return optind == argc && o->rates;
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
    *o = (struct main_options){.listen = "127.0.0.1:0",
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
    if (!main_parse(o, argc, argv)) {
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
