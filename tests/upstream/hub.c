#include "hub.h"

#include "listen.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

/* What an event is about: a peer's place, or one of these. */
enum { HUB_LISTENER = HUB_PEERS, HUB_SIGNALS, HUB_EVENTS };

#define HUB_BEAT_NS 1000000000u
enum { HUB_NAP_MS = 60000 };
static const char HUB_BEAT[] = "{\"type\":\"heartbeat\"}";

static uint64_t hub_now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static int hub_watch(struct hub *h, int fd, unsigned what, int op,
                     unsigned events) {
    struct epoll_event event = {.events = events, .data.u32 = what};
    return epoll_ctl(h->epoll, op, fd, &event);
}

static int hub_open(struct hub *h) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigprocmask(SIG_BLOCK, &set, NULL);
    h->epoll = epoll_create1(EPOLL_CLOEXEC);
    h->signals = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    if (h->epoll < 0 || h->signals < 0 ||
        hub_watch(h, h->signals, HUB_SIGNALS, EPOLL_CTL_ADD, EPOLLIN) < 0 ||
        hub_watch(h, h->listener, HUB_LISTENER, EPOLL_CTL_ADD, EPOLLIN) < 0) {
        perror("upstream: epoll");
        return -1;
    }
    return 0;
}

static void hub_accept(struct hub *h, uint64_t now) {
    int fd = listen_accept(h->listener);
    if (fd < 0)
        return;
    for (unsigned i = 0; i < HUB_PEERS && !h->stopping; i++) {
        struct peer *p = &h->peer[i];
        if (p->stage == PEER_FREE &&
            hub_watch(h, fd, i, EPOLL_CTL_ADD, EPOLLIN) == 0) {
            peer_start(p, fd, now);
            return;
        }
    }
    close(fd);
}

/* Notes how long the client has been silent, at a heartbeat and at its end:
 * a client that stopped its heartbeats is not to look good. */
static void hub_gap(struct hub *h, const struct peer *p, uint64_t now) {
    if (now - p->heard_ns > h->gap_ns)
        h->gap_ns = now - p->heard_ns;
}

/* A new client takes the place of the one before and gets what that one did
 * not answer. */
static void hub_activate(struct hub *h, struct peer *p, uint64_t now) {
    if (h->active) {
        hub_gap(h, h->active, now);
        peer_close(h->active, WS_AWAY, now);
    }
    h->active = p;
    h->connections++;
    peer_write(p, WS_TEXT, HUB_BEAT, sizeof HUB_BEAT - 1);
    p->beat_ns += HUB_BEAT_NS;
    asker_again(h->asker, &p->out, now);
}

static void hub_message(struct hub *h, struct peer *p,
                        const struct ws_frame *frame, uint64_t now) {
    if (p != h->active)
        return;
    if (frame->len == sizeof HUB_BEAT - 1 &&
        memcmp(frame->data, HUB_BEAT, frame->len) == 0) {
        hub_gap(h, p, now);
        p->heard_ns = now;
        h->beats++;
        return;
    }
    verdict_judge(h->verdict, frame->data, frame->len, now);
}

static void hub_receive(struct hub *h, struct peer *p) {
    struct ws_frame frame;
    peer_fill(p);
    uint64_t now = hub_now();
    if (p->stage == PEER_DEAD)
        return;
    if (peer_greet(p, now))
        hub_activate(h, p, now);
    while (peer_next(p, now, &frame))
        hub_message(h, p, &frame, now);
}

static void hub_stop(struct hub *h, uint64_t now) {
    if (h->stopping)
        return;
    h->stopping = true;
    /* Answers on their way still count, so the active peer stays that. */
    if (h->active)
        hub_gap(h, h->active, now);
    for (int i = 0; i < HUB_PEERS; i++)
        peer_close(&h->peer[i], WS_AWAY, now);
}

static void hub_signal(struct hub *h, uint64_t now) {
    struct signalfd_siginfo info;
    while (read(h->signals, &info, sizeof info) == sizeof info)
        hub_stop(h, now);
}

static void hub_event(struct hub *h, const struct epoll_event *event) {
    unsigned what = event->data.u32;
    if (what == HUB_LISTENER) {
        hub_accept(h, hub_now());
    } else if (what == HUB_SIGNALS) {
        hub_signal(h, hub_now());
    } else if (event->events & (EPOLLIN | EPOLLHUP | EPOLLERR)) {
        struct peer *p = &h->peer[what];
        if (p->stage != PEER_FREE && p->stage != PEER_DEAD)
            hub_receive(h, p);
    }
}

/* Sends what a peer has waiting, and buries it if it is at its end. */
static void hub_settle(struct hub *h, struct peer *p, uint64_t now) {
    bool timed = p->stage == PEER_GREETING || p->stage == PEER_CLOSING;
    if (timed && now >= p->deadline_ns)
        p->stage = PEER_DEAD;
    peer_flush(p);
    if (p == h->active && p->stage != PEER_OPEN && !h->stopping) {
        hub_gap(h, p, now);
        h->active = NULL;
    }
    if (p->stage == PEER_DEAD) {
        if (p == h->active)
            h->active = NULL;
        peer_free(p);
        return;
    }
    bool waits = buf_len(&p->out) > 0;
    if (waits != p->watched) {
        hub_watch(h, p->fd, (unsigned)(p - h->peer), EPOLL_CTL_MOD,
                  waits ? EPOLLIN | EPOLLOUT : EPOLLIN);
        p->watched = waits;
    }
}

/* What is to be done by the clock. */
static void hub_tick(struct hub *h, uint64_t now) {
    struct peer *p = h->active;
    verdict_clock(h->verdict);
    if (p && p->stage == PEER_OPEN) {
        if (now >= p->beat_ns) {
            peer_write(p, WS_TEXT, HUB_BEAT, sizeof HUB_BEAT - 1);
            p->beat_ns += HUB_BEAT_NS;
        }
        asker_run(h->asker, &p->out, now);
    }
    if (asker_done(h->asker)) {
        if (h->done_ns == 0)
            h->done_ns = now;
        if (now - h->done_ns >= h->linger_ns)
            hub_stop(h, now);
    }
    for (int i = 0; i < HUB_PEERS; i++)
        if (h->peer[i].stage != PEER_FREE)
            hub_settle(h, &h->peer[i], now);
}

static uint64_t hub_sooner(uint64_t a, uint64_t b) {
    return a < b ? a : b;
}

/* Milliseconds to wait for events, -1 for no end; 0 never, unless due. */
static int hub_wait(const struct hub *h, uint64_t now) {
    uint64_t wake = UINT64_MAX;
    for (int i = 0; i < HUB_PEERS; i++) {
        const struct peer *p = &h->peer[i];
        if (p->stage == PEER_GREETING || p->stage == PEER_CLOSING)
            wake = hub_sooner(wake, p->deadline_ns);
    }
    if (h->active && !h->stopping) {
        wake = hub_sooner(wake, h->active->beat_ns);
        if (buf_len(&h->active->out) == 0)
            wake = hub_sooner(wake, asker_wake(h->asker));
    }
    if (h->done_ns && !h->stopping)
        wake = hub_sooner(wake, h->done_ns + h->linger_ns);
    if (wake == UINT64_MAX)
        return -1;
    if (wake <= now)
        return 0;
    return (int)hub_sooner((wake - now + 999999) / 1000000, HUB_NAP_MS);
}

static bool hub_idle(const struct hub *h) {
    for (int i = 0; i < HUB_PEERS; i++)
        if (h->peer[i].stage != PEER_FREE)
            return false;
    return true;
}

int hub_run(struct hub *h) {
    struct epoll_event event[HUB_EVENTS];
    if (hub_open(h) < 0)
        return -1;
    while (!h->stopping || !hub_idle(h)) {
        fflush(stdout);
        int n = epoll_wait(h->epoll, event, HUB_EVENTS, hub_wait(h, hub_now()));
        if (n < 0 && errno != EINTR) {
            perror("upstream: epoll");
            return -1;
        }
        for (int i = 0; i < n; i++)
            hub_event(h, &event[i]);
        hub_tick(h, hub_now());
    }
    close(h->epoll);
    close(h->signals);
    return 0;
}
