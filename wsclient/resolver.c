#include "wsclient/resolver.h"

#include <stdlib.h>
#include <string.h>

#include "common/memory.h"
#include "wsclient/watch.h"

struct resolver {
    struct lws_context *context;
    char *host;
    struct resolve *running; /* NULL: none runs */
    struct watch watch;
    struct addresses known; /* of the last good look-up */
    bool numeric;           /* `host` is an address itself, the known one */
    bool unused;            /* nobody was told of these yet */
    void (*done)(void *arg, const struct addresses *addresses,
                 const char *why); /* NULL: nobody asks */
    void *arg;
    lws_sorted_usec_list_t answer_later;
};

static void answer(struct resolver *r, const char *why) {
    void (*done)(void *, const struct addresses *, const char *) = r->done;
    if (done == NULL)
        return;
    r->done = NULL;
    r->unused = false;
    done(r->arg, &r->known, why);
}

static void on_looked_up(void *arg) {
    struct resolver *r = arg;
    struct addresses found;
    watch_stop(&r->watch);
    const char *why = resolve_take(&r->running, &found);
    if (why == NULL) {
        r->known = found;
        r->unused = true;
    }
    answer(r, why);
}

static bool start_look_up(struct resolver *r) {
    struct resolve *running = resolve_start(r->host);
    if (running == NULL)
        return false;
    if (watch_start(&r->watch, r->context, resolve_fd(running), on_looked_up,
                    r) < 0) {
        resolve_abandon(&running);
        return false;
    }
    r->running = running;
    return true;
}

static void on_answer_later(lws_sorted_usec_list_t *later) {
    struct resolver *r = lws_container_of(later, struct resolver, answer_later);
    answer(r, "no thread can be started");
}

struct resolver *resolver_new(struct lws_context *context, const char *host) {
    struct resolver *r = memory_new(sizeof *r);
    r->context = context;
    r->host = memory_copy(host, strlen(host));
    r->numeric = resolve_numeric(host, &r->known);
    return r;
}

void resolver_free(struct resolver **resolver) {
    struct resolver *r = *resolver;
    *resolver = NULL;
    lws_sul_cancel(&r->answer_later);
    watch_stop(&r->watch);
    resolve_abandon(&r->running);
    free(r->host);
    free(r);
}

void resolver_ask(struct resolver *resolver,
                  void (*done)(void *arg, const struct addresses *addresses,
                               const char *why),
                  void *arg) {
    struct resolver *r = resolver;
    r->done = done;
    r->arg = arg;
    if (r->numeric || r->unused || (r->running == NULL && !start_look_up(r)))
        lws_sul_schedule(r->context, 0, &r->answer_later, on_answer_later, 1);
}

void resolver_cancel(struct resolver *resolver) {
    resolver->done = NULL;
    lws_sul_cancel(&resolver->answer_later);
}
