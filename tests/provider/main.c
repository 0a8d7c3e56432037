/* mock-provider: a table of rates in the form of each provider of fxwire. */
#include "shop.h"

#include "tests/upstream/listen.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

enum { MAIN_LINES = 16 };

struct main_options {
    const char *tls_cert, *tls_key; /* NULL: no TLS */
    const char *listen, *port_file, *rates, *script, *key;
    const char *fault[MAIN_LINES];
    int faults;
    bool quiet, help;
};

static const struct {
    const char *name, *value, *help;
} main_known[] = {
#define OPTION(...) {__VA_ARGS__},
#include "options.def"
#undef OPTION
};

enum { MAIN_KNOWN = sizeof main_known / sizeof *main_known };

static struct shop main_shop; /* too large for the stack */

static int main_usage(const char *what, const char *why) {
    fprintf(stderr,
            "mock-provider: %s: %s\nSay fxwire mock-provider --help for the "
            "options.\n",
            what, why);
    return EX_USAGE;
}

static void main_help(void) {
    puts("usage: fxwire mock-provider --rates FILE [OPTION...]\n\n"
         "Serves one table of rates over HTTP in the form of each provider "
         "that has rates\nof the euro, each by its path:\n");
    for (int i = 0; i < FORMS; i++)
        printf("  %s=http://HOST:PORT/%s\n", form_setting(i), form_name(i));
    putchar('\n');
    for (int i = 0; i < MAIN_KNOWN; i++)
        printf("  --%s%s%s\n        %s\n", main_known[i].name,
               main_known[i].value ? " " : "",
               main_known[i].value ? main_known[i].value : "",
               main_known[i].help);
    puts("\nA fault is {\"fault\":NAME,...}, with \"provider\" (all), \"at\" "
         "(second from the start;\nat once), \"seconds\" or \"calls\" (no "
         "end). Of several that are on the last one\ncounts.\n");
    trouble_print_all(stdout);
    puts("\nExit codes: 0 stopped by SIGINT or SIGTERM; 64 usage; 65 a bad "
         "line in the script\nor the rates; 66 a file can not be read; 69 "
         "cannot listen; 70 internal.");
}

static int main_enter(struct main_options *o, const char *name) {
    if (strcmp(name, "rates") == 0)
        o->rates = optarg;
    else if (strcmp(name, "listen") == 0)
        o->listen = optarg;
    else if (strcmp(name, "port-file") == 0)
        o->port_file = optarg;
    else if (strcmp(name, "tls-cert") == 0)
        o->tls_cert = optarg;
    else if (strcmp(name, "tls-key") == 0)
        o->tls_key = optarg;
    else if (strcmp(name, "script") == 0)
        o->script = optarg;
    else if (strcmp(name, "key") == 0)
        o->key = optarg;
    else if (strcmp(name, "quiet") == 0)
        o->quiet = true;
    else if (strcmp(name, "help") == 0)
        o->help = true;
    else if (o->faults < MAIN_LINES)
        o->fault[o->faults++] = optarg;
    else
        return main_usage("--fault", "too many, use --script");
    return EX_OK;
}

static int main_parse(struct main_options *o, int argc, char **argv) {
    struct option known[MAIN_KNOWN + 1] = {0};
    for (int i = 0; i < MAIN_KNOWN; i++)
        known[i] = (struct option){
            main_known[i].name,
            main_known[i].value ? required_argument : no_argument, NULL, i};
    *o = (struct main_options){.listen = "127.0.0.1:0"};
    int which;
    opterr = 0;
    while ((which = getopt_long(argc, argv, ":", known, NULL)) != -1) {
        if (which == ':')
            return main_usage(argv[optind - 1], "needs a value");
        if (which < 0 || which >= MAIN_KNOWN)
            return main_usage(argv[optind - 1], "no such option");
        if (main_enter(o, main_known[which].name) != EX_OK)
            return EX_USAGE;
    }
    if (optind < argc)
        return main_usage(argv[optind], "is no option");
    if (!o->tls_cert != !o->tls_key)
        return main_usage("--tls-cert", "goes with --tls-key");
    return o->rates || o->help ? EX_OK : main_usage("--rates", "is needed");
}

static int main_no_input(const char *path) {
    fprintf(stderr, "mock-provider: %s: %s\n", path, strerror(errno));
    return EX_NOINPUT;
}

static int main_load_script(const struct main_options *o) {
    struct stat at;
    bool from_stdin = o->script && strcmp(o->script, "-") == 0;
    for (int i = 0; i < o->faults; i++)
        shop_take(&main_shop, o->fault[i], strlen(o->fault[i]), 0);
    if (main_shop.bad > 0 || !o->script)
        return main_shop.bad > 0 ? EX_DATAERR : EX_OK;
    main_shop.script = from_stdin ? "standard input" : o->script;
    int fd = from_stdin ? STDIN_FILENO : open(o->script, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &at) < 0)
        return main_no_input(o->script);
    shop_read(&main_shop, fd, !from_stdin || S_ISREG(at.st_mode));
    if (!from_stdin)
        close(fd);
    return main_shop.bad > 0 ? EX_DATAERR : EX_OK;
}

/* Tells where what is, as settings that can be pasted. */
static void main_greet(int fd) {
    const char *scheme = main_shop.tls ? "https" : "http";
    char host[64], port[16];
    listen_name(fd, host, sizeof host, port, sizeof port);
    bool six = strchr(host, ':');
    const char *open = six ? "[" : "", *end = six ? "]" : "";
    printf("listening on %s://%s%s%s:%s/\n", scheme, open, host, end, port);
    for (int i = 0; i < FORMS; i++)
        printf("%s=%s://%s%s%s:%s/%s\n", form_setting(i), scheme, open, host,
               end, port, form_name(i));
    fflush(stdout);
}

static int main_note(const struct main_options *o, int fd) {
    char host[64], port[16];
    listen_name(fd, host, sizeof host, port, sizeof port);
    return o->port_file ? listen_note(o->port_file, port) : 0;
}

static void main_on_signal(evutil_socket_t number, short what, void *arg) {
    (void)number;
    (void)what;
    event_base_loopbreak(arg);
}

static int main_run(const struct main_options *o, struct event_base *base) {
    if (o->tls_cert &&
        !(main_shop.tls = tls_open("mock-provider", o->tls_cert, o->tls_key)))
        return EX_NOINPUT;
    int fd = listen_open(o->listen);
    if (fd < 0)
        return EX_UNAVAILABLE;
    struct event *term = evsignal_new(base, SIGTERM, main_on_signal, base);
    struct event *interrupt = evsignal_new(base, SIGINT, main_on_signal, base);
    struct evhttp *http = shop_open(&main_shop, fd);
    int code = http ? main_load_script(o) : EX_SOFTWARE;
    if (code == EX_OK) {
        event_add(term, NULL);
        event_add(interrupt, NULL);
        main_greet(fd);
        if (main_note(o, fd) == 0)
            event_base_dispatch(base);
        shop_report(&main_shop);
        code = main_shop.bad > 0 ? EX_DATAERR : EX_OK;
    }
    if (http)
        evhttp_free(http);
    event_free(term);
    event_free(interrupt);
    return code;
}

int main(int argc, char **argv) {
    struct main_options o;
    struct ecb ecb;
    int code = main_parse(&o, argc, argv);
    if (code == EX_OK && o.help)
        main_help();
    if (code != EX_OK || o.help)
        return code;
    signal(SIGPIPE, SIG_IGN);
    if (access(o.rates, R_OK) < 0)
        return main_no_input(o.rates);
    code = EX_DATAERR;
    if (ecb_load(&ecb, o.rates) == 0) {
        struct event_base *base = event_base_new();
        main_shop.ecb = &ecb;
        main_shop.key = o.key;
        main_shop.quiet = o.quiet;
        main_shop.base = base;
        code = base ? main_run(&o, base) : EX_SOFTWARE;
        shop_close(&main_shop);
        if (base)
            event_base_free(base);
    }
    ecb_free(&ecb);
    return code;
}
