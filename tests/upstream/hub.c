#include "hub.h"

#include "listen.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

/* What an event is about: a peer's place, or one of these. */
enum { HUB_LISTENER = HUB_PEERS, HUB_SIGNALS, HUB_SCRIPT, HUB_EVENTS };

#define HUB_BEAT_NS 1000000000u
enum { HUB_NAP_MS = 60000, HUB_NUMBER = 24 };
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
        hub_watch(h, h->listener, HUB_LISTENER, EPOLL_CTL_ADD, EPOLLIN) < 0 ||
        (h->script >= 0 &&
         hub_watch(h, h->script, HUB_SCRIPT, EPOLL_CTL_ADD, EPOLLIN) < 0)) {
        perror("mock-upstream: epoll");
        return -1;
    }
    h->begun_ns = hub_now();
    return 0;
}

static bool hub_has(const struct hub *h, enum fault_type type, uint64_t now) {
    return fault_is_on(&h->faults, type, now);
}

static void hub_accept(struct hub *h, uint64_t now) {
    int fd = listen_accept(h->listener);
    if (fd < 0)
        return;
    for (unsigned i = 0; i < HUB_PEERS && !h->stopping; i++) {
        struct peer *p = &h->peer[i];
        if (p->stage == PEER_FREE &&
            hub_watch(h, fd, i, EPOLL_CTL_ADD, EPOLLIN) == 0) {
            peer_start(p, fd, h->tls, now);
            p->watched = EPOLLIN;
            if (hub_has(h, FAULT_CUT, now))
                peer_reset(p);
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

/* A Ping whose Pong will say that all asked so far is received. */
static void hub_ping(struct hub *h, struct peer *p) {
    char number[HUB_NUMBER];
    int len = snprintf(number, sizeof number, "%" PRIu64, h->tally->asked);
    peer_write(p, WS_PING, number, (size_t)len);
}

static void hub_again(struct hub *h, struct peer *p, uint64_t now) {
    size_t before = buf_len(&p->out);
    if (h->play)
        play_again(h->play, &p->out, now);
    if (h->asker)
        asker_again(h->asker, &p->out, now);
    if (buf_len(&p->out) > before)
        hub_ping(h, p);
}

/* A new client takes the place of the one before and gets what that one is not
 * known to have received. */
static void hub_activate(struct hub *h, struct peer *p, uint64_t now) {
    if (h->active) {
        hub_gap(h, h->active, now);
        peer_note(h->active, "a newer one took its place");
        peer_close(h->active, WS_AWAY, now);
    }
    h->active = p;
    h->link_ns = now;
    if (h->connections++ == 0)
        h->first_ns = now;
    p->number = (unsigned)h->connections;
    h->verdict->link = h->connections;
    if (h->tally->show)
        printf("-- link %u is open\n", p->number);
    if (h->play)
        play_start(h->play, now);
    peer_write(p, WS_TEXT, HUB_BEAT, sizeof HUB_BEAT - 1);
    p->beat_ns += HUB_BEAT_NS;
    hub_again(h, p, now);
}

static bool hub_is_beat(const struct ws_frame *frame) {
    struct json_part whole = {frame->data, frame->len}, type;
    if (frame->len == sizeof HUB_BEAT - 1 &&
        memcmp(frame->data, HUB_BEAT, frame->len) == 0)
        return true;
    return json_member(whole, "type", &type) && json_equals(type, "heartbeat");
}

static void hub_judge(struct hub *h, const struct ws_frame *frame,
                      uint64_t now) {
    if ((h->play && play_judge(h->play, frame->data, frame->len, now)) ||
        (h->asker && verdict_judge(h->verdict, frame->data, frame->len, now)))
        return;
    tally_answer(h->tally, TALLY_UNEXPECTED, 0, now);
    tally_show(h->tally, TALLY_UNEXPECTED, frame->data, frame->len, NULL, 0);
}

static void hub_message(struct hub *h, struct peer *p,
                        const struct ws_frame *frame, uint64_t now) {
    if (frame->kind == WS_PING) {
        if (p->stage == PEER_OPEN && !hub_has(h, FAULT_NO_PONGS, now))
            peer_write(p, WS_PONG, frame->data, frame->len);
    } else if (frame->kind == WS_PONG) {
        tally_take(h->tally, frame->data, frame->len);
    } else if (p == h->active) {
        if (!hub_is_beat(frame)) {
            hub_judge(h, frame, now);
            return;
        }
        hub_gap(h, p, now);
        p->heard_ns = now;
        h->beats++;
    }
}

static void hub_receive(struct hub *h, struct peer *p) {
    struct ws_frame frame;
    peer_fill(p);
    uint64_t now = hub_now();
    if (p->stage == PEER_DEAD)
        return;
    unsigned refuse =
        hub_has(h, FAULT_REFUSE, now) ? h->faults.number[FAULT_REFUSE] : 0;
    if (peer_greet(p, refuse, now))
        hub_activate(h, p, now);
    while (peer_next(p, now, &frame))
        hub_message(h, p, &frame, now);
}

/* Does what a line of the script says. */
static void hub_perform(struct hub *h, const struct fault *f, uint64_t now) {
    fault_begin(&h->faults, f, now);
    if (h->tally->show)
        printf("-- fault %s%s\n", f->name, h->active ? "" : ", without a link");
    if (!h->active)
        return;
    h->active->sent_ns = now; /* for a slow one: nothing is saved up */
    if (f->type == FAULT_CUT)
        peer_reset(h->active);
    if (f->type == FAULT_CLOSE || f->type == FAULT_REFUSE) {
        unsigned code = f->type == FAULT_CLOSE ? f->number : WS_AWAY;
        peer_note(h->active, "closed by %u", code);
        peer_close(h->active, (enum ws_code)code, now);
    }
    if (f->bytes)
        buf_add(&h->active->out, f->bytes, f->len);
}

static void hub_stop(struct hub *h, uint64_t now) {
    if (h->stopping)
        return;
    h->stopping = true;
    /* Answers on their way still count, so the active peer stays that. */
    if (h->active)
        hub_gap(h, h->active, now);
    for (int i = 0; i < HUB_PEERS; i++) {
        peer_note(&h->peer[i], "the run is over");
        peer_close(&h->peer[i], WS_AWAY, now);
    }
}

static void hub_signal(struct hub *h, uint64_t now) {
    struct signalfd_siginfo info;
    while (read(h->signals, &info, sizeof info) == sizeof info)
        hub_stop(h, now);
}

static void hub_script(struct hub *h) {
    play_read(h->play, h->script);
    if (!h->play->ended)
        return;
    epoll_ctl(h->epoll, EPOLL_CTL_DEL, h->script, NULL);
    h->script = -1;
}

static void hub_event(struct hub *h, const struct epoll_event *event) {
    unsigned what = event->data.u32;
    struct peer *p = what < HUB_PEERS ? &h->peer[what] : NULL;
    if (what == HUB_LISTENER)
        hub_accept(h, hub_now());
    else if (what == HUB_SIGNALS)
        hub_signal(h, hub_now());
    else if (what == HUB_SCRIPT)
        hub_script(h);
    else if (p->stage == PEER_FREE || p->stage == PEER_DEAD)
        return;
    else if (p->watched & EPOLLIN)
        hub_receive(h, p);
    else if (event->events & (EPOLLHUP | EPOLLERR))
        peer_reset(p); /* not reading, we only hear that it has gone */
}

static bool hub_is_slow(const struct hub *h, const struct peer *p,
                        uint64_t now) {
    return p == h->active && hub_has(h, FAULT_SLOW, now);
}

/* How many bytes may be sent now. */
static size_t hub_most(const struct hub *h, const struct peer *p,
                       uint64_t now) {
    if (p == h->active && hub_has(h, FAULT_SILENCE, now))
        return 0;
    if (!hub_is_slow(h, p, now))
        return SIZE_MAX;
    double since = (double)(now - p->sent_ns) / 1e9;
    double most = since * h->faults.number[FAULT_SLOW];
    return most < (double)SIZE_MAX ? (size_t)most : SIZE_MAX;
}

/* The events to wait for. */
static unsigned hub_wants(const struct hub *h, const struct peer *p,
                          uint64_t now) {
    bool silent = p == h->active && hub_has(h, FAULT_SILENCE, now);
    bool unread = p == h->active && hub_has(h, FAULT_UNREAD, now);
    bool waits = buf_len(&p->out) > 0 && !hub_is_slow(h, p, now);
    return (silent || unread ? 0 : (unsigned)EPOLLIN) |
           (waits && !silent ? (unsigned)EPOLLOUT : 0);
}

static void hub_bury(struct hub *h, struct peer *p) {
    if (p == h->active)
        h->active = NULL;
    if (p->number > 0 && h->tally->show)
        printf("-- link %u ended: %s\n", p->number, p->end);
    peer_free(p);
}

/* Sends what a peer has waiting, and buries it if it is at its end. */
static void hub_settle(struct hub *h, struct peer *p, uint64_t now) {
    bool timed = p->stage == PEER_GREETING || p->stage == PEER_CLOSING;
    if (timed && now >= p->deadline_ns)
        p->stage = PEER_DEAD;
    peer_flush(p, hub_most(h, p, now), now);
    if (p == h->active && p->stage != PEER_OPEN && !h->stopping) {
        hub_gap(h, p, now);
        h->active = NULL;
    }
    if (p->stage == PEER_DEAD) {
        hub_bury(h, p);
        return;
    }
    unsigned wants = hub_wants(h, p, now);
    if (wants != p->watched) {
        hub_watch(h, p->fd, (unsigned)(p - h->peer), EPOLL_CTL_MOD, wants);
        p->watched = wants;
    }
}

/* Whether nothing more will be asked. */
static bool hub_is_asked(const struct hub *h, uint64_t now) {
    if (h->seconds_ns > 0)
        return h->first_ns > 0 && now >= h->first_ns + h->seconds_ns;
    return (!h->asker || asker_done(h->asker)) &&
           (!h->play || play_done(h->play));
}

static void hub_beat(struct hub *h, struct peer *p, uint64_t now) {
    if (now < p->beat_ns)
        return;
    if (!hub_has(h, FAULT_NO_BEATS, now))
        peer_write(p, WS_TEXT, HUB_BEAT, sizeof HUB_BEAT - 1);
    p->beat_ns = now < p->beat_ns + HUB_BEAT_NS ? p->beat_ns + HUB_BEAT_NS
                                                : now + HUB_BEAT_NS;
}

/* Asks what is due of the active peer. */
static void hub_ask(struct hub *h, struct peer *p, uint64_t now) {
    const struct fault *f;
    uint64_t asked = h->tally->asked;
    while (h->play && (f = play_run(h->play, p ? &p->out : NULL, now))) {
        hub_perform(h, f, now);
        if (hub_has(h, FAULT_SILENCE, now) || (p && p->stage != PEER_OPEN))
            break;
    }
    if (!p || p->stage != PEER_OPEN)
        return;
    if (h->asker)
        asker_run(h->asker, &p->out, now);
    if (h->tally->asked > asked)
        hub_ping(h, p);
}

static bool hub_is_late(uint64_t since, uint64_t limit, uint64_t now) {
    return limit > 0 && now >= since && now - since >= limit;
}

/* When patience began: nothing has come from then on. */
static uint64_t hub_quiet_since(const struct hub *h) {
    uint64_t since =
        h->link_ns > h->tally->last_ns ? h->link_ns : h->tally->last_ns;
    uint64_t over = h->first_ns + h->seconds_ns;
    return h->seconds_ns > 0 && over > since ? over : since;
}

/* Whether it is time to end. */
static void hub_end(struct hub *h, uint64_t now) {
    bool asked = hub_is_asked(h, now);
    h->complete = asked && h->tally->open == 0;
    if (h->complete && h->done_ns == 0)
        h->done_ns = now;
    if ((h->complete && now - h->done_ns >= h->linger_ns) ||
        (asked && h->connections > 0 &&
         hub_is_late(hub_quiet_since(h), h->patience_ns, now)) ||
        (h->connections == 0 && hub_is_late(h->begun_ns, h->wait_ns, now)) ||
        (h->play && h->play->bad > 0))
        hub_stop(h, now);
}

/* What is to be done by the clock. */
static void hub_tick(struct hub *h, uint64_t now) {
    struct peer *p = h->active;
    tally_clock(h->tally);
    if (p && p->stage == PEER_OPEN && !hub_has(h, FAULT_SILENCE, now))
        hub_beat(h, p, now);
    if (!h->stopping && !hub_has(h, FAULT_SILENCE, now) &&
        (h->seconds_ns == 0 || !hub_is_asked(h, now)))
        hub_ask(h, p && p->stage == PEER_OPEN ? p : NULL, now);
    hub_end(h, now);
    for (int i = 0; i < HUB_PEERS; i++)
        if (h->peer[i].stage != PEER_FREE)
            hub_settle(h, &h->peer[i], now);
}

static uint64_t hub_sooner(uint64_t a, uint64_t b) {
    return a < b ? a : b;
}

/* When the active peer, or the script without one, has something to do. */
static uint64_t hub_wake_active(const struct hub *h, uint64_t now) {
    uint64_t wake = fault_wake(&h->faults, now);
    if (hub_has(h, FAULT_SILENCE, now))
        return wake;
    bool asks = h->seconds_ns == 0 || !hub_is_asked(h, now);
    if (h->play && asks)
        wake = hub_sooner(
            wake, play_wake(h->play, h->active ? &h->active->out : NULL));
    if (!h->active)
        return wake;
    wake = hub_sooner(wake, h->active->beat_ns);
    if (buf_len(&h->active->out) > 0 && hub_is_slow(h, h->active, now))
        wake = hub_sooner(wake, h->active->sent_ns +
                                    1000000000u / h->faults.number[FAULT_SLOW] +
                                    1000000u);
    if (h->asker && asks && buf_len(&h->active->out) == 0)
        wake = hub_sooner(wake, asker_wake(h->asker));
    return wake;
}

/* When it may be time to end. */
static uint64_t hub_wake_end(const struct hub *h, uint64_t now) {
    if (h->done_ns)
        return h->done_ns + h->linger_ns;
    uint64_t wake = UINT64_MAX;
    if (h->connections == 0 && h->wait_ns > 0)
        return h->begun_ns + h->wait_ns;
    if (h->connections > 0 && h->seconds_ns > 0)
        wake = h->first_ns + h->seconds_ns;
    if (!hub_is_asked(h, now))
        return wake;
    return h->patience_ns > 0 ? hub_quiet_since(h) + h->patience_ns
                              : UINT64_MAX;
}

/* Milliseconds to wait for events, -1 for no end; 0 never, unless due. */
static int hub_wait(const struct hub *h, uint64_t now) {
    uint64_t wake = UINT64_MAX;
    for (int i = 0; i < HUB_PEERS; i++) {
        const struct peer *p = &h->peer[i];
        if (p->stage == PEER_GREETING || p->stage == PEER_CLOSING)
            wake = hub_sooner(wake, p->deadline_ns);
    }
    if (!h->stopping) {
        wake = hub_sooner(wake, hub_wake_active(h, now));
        wake = hub_sooner(wake, hub_wake_end(h, now));
    }
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
            perror("mock-upstream: epoll");
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
