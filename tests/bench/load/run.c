#include "tests/bench/load/run.h"

#include "tests/upstream/listen.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

/* What an event is about: a player's place, or this. */
enum { RUN_LISTENER = RUN_LINKS, RUN_STDIN, RUN_EVENTS };

/* The last of a wait is spun: what is due is asked at its moment. */
#define RUN_SPIN_NS UINT64_C(1000000)

static uint64_t run_now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static int run_watch(const struct run *r, int fd, unsigned what, int op,
                     unsigned events) {
    struct epoll_event event = {.events = events, .data.u32 = what};
    return epoll_ctl(r->epoll, op, fd, &event);
}

static void run_accept(struct run *r) {
    int fd = listen_accept(r->listener);
    if (fd < 0)
        return;
    if (r->accepted == r->links) {
        close(fd);
        return;
    }
    struct player *p = &r->player[r->accepted];
    *p = (struct player){
        .ring = r->ring,
        .tally = r->tally,
        .window = r->window,
        .period_ns =
            r->rate > 0 ? (uint64_t)(1e9 * (double)r->links / r->rate) : 0};
    link_start(&p->link, fd, r->tls);
    run_watch(r, fd, r->accepted++, EPOLL_CTL_ADD, EPOLLIN);
}

static void run_receive(struct run *r, struct player *p) {
    bool open = p->link.open;
    link_receive(&p->link);
    uint64_t now = run_now();
    if (p->link.open && !open) {
        player_start(p, now);
        r->started++;
    }
    if (!p->link.open)
        return;
    uint64_t before = r->tally->right + r->tally->refused;
    player_judge(p, r->from_ns ? r->from_ns : UINT64_MAX, now);
    if (r->stage == RUN_MEASURING)
        r->tally->in_time += r->tally->right + r->tally->refused - before;
}

static uint64_t run_open(const struct run *r) {
    uint64_t open = 0;
    for (unsigned i = 0; i < r->accepted; i++)
        open += r->player[i].open;
    return open;
}

static double run_us(const struct run *r, double share) {
    return (double)delay_share(&r->tally->delay, share) / 1e3;
}

static bool run_good(const struct run *r) {
    const struct tally *t = r->tally;
    return !r->broken && r->started == r->links && t->right > 0 &&
           t->wrong + t->refused + t->twice + t->unexpected == 0 &&
           run_open(r) == 0;
}

static void run_report(struct run *r, uint64_t now) {
    const struct tally *t = r->tally;
    uint64_t to_ns = r->to_ns ? r->to_ns : now;
    double seconds = r->from_ns ? (double)(to_ns - r->from_ns) / 1e9 : 0;
    struct timespec cpu;
    for (unsigned i = 0; i < r->accepted; i++)
        if (r->player[i].link.open)
            player_gap(&r->player[i], now);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu);
    printf("{\"good\":%s,\"links\":%u,\"seconds\":%.3f,\"asked\":%" PRIu64
           ",\"right\":%" PRIu64 ",\"wrong\":%" PRIu64 ",\"refused\":%" PRIu64
           ",\"twice\":%" PRIu64 ",\"unexpected\":%" PRIu64
           ",\"unanswered\":%" PRIu64 ",\"broken\":%s,",
           run_good(r) ? "true" : "false", r->started, seconds, t->asked,
           t->right, t->wrong, t->refused, t->twice, t->unexpected, run_open(r),
           r->broken ? "true" : "false");
    printf("\"in_time\":%" PRIu64 ",\"per_second\":%.0f,"
           "\"p50_us\":%.1f,\"p99_us\":%.1f,\"p999_us\":%.1f,\"max_us\":%.1f,"
           "\"ask_bytes\":%zu,\"beats\":%" PRIu64
           ",\"beat_late_ms\":%.1f,\"cpu_seconds\":%.2f}\n",
           t->in_time, seconds > 0 ? (double)t->in_time / seconds : 0,
           run_us(r, 0.5), run_us(r, 0.99), run_us(r, 0.999),
           (double)t->delay.max / 1e3, r->ring->item[0].ask_len, t->beats,
           (double)t->late_ns / 1e6,
           (double)cpu.tv_sec + (double)cpu.tv_nsec / 1e9);
}

static void run_stage(struct run *r, enum run_stage stage, uint64_t now) {
    r->stage = stage;
    r->stage_ns = now;
    if (stage == RUN_READY) {
        puts("ready");
    } else if (stage == RUN_MEASURING) {
        r->from_ns = now;
        puts("measuring");
    } else if (stage == RUN_DRAINING) {
        r->to_ns = now;
        puts("measured");
    } else if (stage == RUN_STAYING) {
        run_report(r, now);
        if (!r->stay)
            r->stage = RUN_OVER;
    }
    fflush(stdout);
}

/* Goes from stage to stage. */
static void run_progress(struct run *r, uint64_t now) {
    uint64_t spent = now - r->stage_ns;
    bool all = r->count > 0 && r->tally->asked >= r->count;
    if (r->stage == RUN_WAITING && r->started == r->links)
        run_stage(r, RUN_READY, now);
    else if (r->stage == RUN_READY && (!r->await || r->told))
        run_stage(r, RUN_WARMING, now);
    else if (r->stage == RUN_WARMING && spent >= r->warmup_ns)
        run_stage(r, RUN_MEASURING, now);
    else if (r->stage == RUN_MEASURING && (all || spent >= r->measure_ns))
        run_stage(r, RUN_DRAINING, now);
    else if (r->stage == RUN_DRAINING && run_open(r) == 0)
        run_stage(r, RUN_STAYING, now);
    else if ((r->stage == RUN_DRAINING || r->stage == RUN_WAITING) &&
             spent >= r->patience_ns)
        run_stage(r, RUN_STAYING, now);
}

static uint64_t run_left(const struct run *r) {
    if (r->stage < RUN_WARMING || r->stage >= RUN_DRAINING)
        return 0;
    return r->count > r->tally->asked ? r->count - r->tally->asked
           : r->count                 ? 0
                                      : UINT64_MAX;
}

static void run_play(struct run *r, struct player *p, uint64_t now) {
    if (p->link.open && !p->link.dead) {
        if (r->stage < RUN_WARMING)
            p->due_ns = now;
        player_ask(p, run_left(r), now);
    }
    link_flush(&p->link);
    if (p->link.dead && r->stage < RUN_STAYING) {
        r->broken = true;
        run_stage(r, RUN_STAYING, now);
    }
    unsigned events = EPOLLIN | (buf_len(&p->link.out) > 0 ? EPOLLOUT : 0);
    if (events != p->events)
        run_watch(r, p->link.fd, (unsigned)(p - r->player), EPOLL_CTL_MOD,
                  events);
    p->events = events;
}

/* Milliseconds to wait for events: until shortly before something is due. */
static int run_wait(const struct run *r, uint64_t now) {
    uint64_t wake = now + 100000000;
    uint64_t end = r->stage_ns + (r->stage == RUN_WARMING     ? r->warmup_ns
                                  : r->stage == RUN_MEASURING ? r->measure_ns
                                                              : r->patience_ns);
    if (end < wake)
        wake = end;
    for (unsigned i = 0; i < r->accepted; i++) {
        const struct player *p = &r->player[i];
        if (p->link.open && p->beat_ns < wake)
            wake = p->beat_ns;
        if (p->link.open && p->period_ns && p->open < p->window &&
            r->stage < RUN_DRAINING && p->due_ns < wake)
            wake = p->due_ns;
    }
    if (wake <= now + RUN_SPIN_NS)
        return 0;
    return (int)((wake - now - RUN_SPIN_NS) / 1000000);
}

/* Standard input has a word, or its end. */
static void run_hear(struct run *r) {
    char word[64];
    r->told = read(STDIN_FILENO, word, sizeof word) > 0;
    if (!r->told)
        r->stage = RUN_OVER;
}

static int run_loop(struct run *r) {
    struct epoll_event event[RUN_EVENTS];
    while (r->stage != RUN_OVER) {
        int n = epoll_wait(r->epoll, event, RUN_EVENTS, run_wait(r, run_now()));
        if (n < 0 && errno != EINTR)
            return -1;
        for (int i = 0; i < n; i++) {
            unsigned what = event[i].data.u32;
            if (what == RUN_LISTENER)
                run_accept(r);
            else if (what == RUN_STDIN)
                run_hear(r);
            else
                run_receive(r, &r->player[what]);
        }
        uint64_t now = run_now();
        run_progress(r, now);
        for (unsigned i = 0; i < r->accepted; i++)
            run_play(r, &r->player[i], now);
    }
    return 0;
}

static void run_end(struct run *r) {
    static const char away[] = {WS_AWAY >> 8, (char)(WS_AWAY & 0xff)};
    for (unsigned i = 0; i < r->accepted; i++) {
        struct player *p = &r->player[i];
        if (p->link.open) {
            link_write(&p->link, WS_CLOSE, away, sizeof away);
            link_flush(&p->link);
        }
    }
}

int run_all(struct run *r) {
    r->epoll = epoll_create1(EPOLL_CLOEXEC);
    r->stage_ns = run_now();
    if (r->epoll < 0 ||
        run_watch(r, r->listener, RUN_LISTENER, EPOLL_CTL_ADD, EPOLLIN) < 0 ||
        ((r->stay || r->await) &&
         run_watch(r, STDIN_FILENO, RUN_STDIN, EPOLL_CTL_ADD, EPOLLIN) < 0) ||
        run_loop(r) < 0) {
        perror("load: waiting");
        return 2;
    }
    run_end(r);
    int code = run_good(r) ? 0 : 1;
    for (unsigned i = 0; i < r->accepted; i++)
        player_free(&r->player[i]);
    close(r->epoll);
    return code;
}
