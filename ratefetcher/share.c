#include "ratefetcher/share.h"

#include <stdlib.h>

#include "common/memory.h"

/* So often is looked whether the other machine has put its table there. */
enum { LOOK_AGAIN_MS = 25 };

/* A day that somebody waits for. */
struct turn {
    LIST_ENTRY(turn) entry;
    struct share *share;
    day when;
    struct event *again;
    TAILQ_HEAD(share_waiters, share_waiter) waiters;
};

/* A day that is ours to be fetched. */
struct held {
    LIST_ENTRY(held) entry;
    day when;
};

struct share {
    const struct provider_context *context;
    struct cache_redis *redis;
    void (*settle)(void *arg, day when);
    void *arg;
    LIST_HEAD(, turn) turns;
    LIST_HEAD(, held) held;
};

struct share *share_new(const struct provider_context *context,
                        struct providers *providers,
                        void (*settle)(void *arg, day when), void *arg) {
    struct cache_redis *redis = cache_redis_new(context, providers);
    if (redis == NULL)
        return NULL;
    struct share *share = memory_new(sizeof *share);
    share->context = context;
    share->redis = redis;
    share->settle = settle;
    share->arg = arg;
    LIST_INIT(&share->turns);
    LIST_INIT(&share->held);
    return share;
}

static void free_turn(struct turn *turn) {
    LIST_REMOVE(turn, entry);
    event_free(turn->again);
    free(turn);
}

static void free_held(struct held *held) {
    LIST_REMOVE(held, entry);
    free(held);
}

void share_free(struct share **share) {
    struct share *s = *share;
    *share = NULL;
    if (s == NULL)
        return;
    cache_redis_free(&s->redis);
    struct turn *turn;
    while ((turn = LIST_FIRST(&s->turns)) != NULL)
        free_turn(turn);
    struct held *held;
    while ((held = LIST_FIRST(&s->held)) != NULL)
        free_held(held);
    free(s);
}

static struct held *find_held(const struct share *share, day when) {
    struct held *held;
    LIST_FOREACH (held, &share->held, entry)
        if (held->when.number == when.number)
            return held;
    return NULL;
}

static void hold(struct share *share, day when) {
    if (find_held(share, when) != NULL)
        return;
    struct held *held = memory_new(sizeof *held);
    held->when = when;
    LIST_INSERT_HEAD(&share->held, held, entry);
}

/* Tells all who wait what a look has brought; some may go on waiting. */
static void tell(struct turn *turn, uint32_t came, bool over) {
    struct share_waiters told = TAILQ_HEAD_INITIALIZER(told);
    struct share_waiter *waiter;
    monotime now = clock_monotonic();
    TAILQ_CONCAT(&told, &turn->waiters, entry);
    while ((waiter = TAILQ_FIRST(&told)) != NULL) {
        TAILQ_REMOVE(&told, waiter, entry);
        if (!waiter->looked(waiter, came,
                            over || monotime_reached(now, waiter->until)))
            TAILQ_INSERT_TAIL(&turn->waiters, waiter, entry);
    }
}

/* Looks again later if somebody still waits; else the turn is over. */
static void go_on(struct turn *turn) {
    static const struct timeval later = {.tv_usec = LOOK_AGAIN_MS * 1000};
    struct share *share = turn->share;
    day when = turn->when;
    if (!TAILQ_EMPTY(&turn->waiters)) {
        evtimer_add(turn->again, &later);
        return;
    }
    free_turn(turn);
    share->settle(share->arg, when);
}

static void on_looked(void *arg, const struct cache_redis_found *found) {
    struct turn *turn = arg;
    if (found->lock == REDIS_LOCK_OURS)
        hold(turn->share, turn->when);
    tell(turn, found->came, found->lock != REDIS_LOCK_OTHERS);
    go_on(turn);
}

static void on_again(evutil_socket_t fd, short what, void *arg) {
    (void)fd, (void)what;
    struct turn *turn = arg;
    if (cache_redis_is_usable(turn->share->redis)) {
        cache_redis_look(turn->share->redis, turn->when, on_looked, turn);
    } else {
        tell(turn, 0, true);
        go_on(turn);
    }
}

static struct turn *find_turn(const struct share *share, day when) {
    struct turn *turn;
    LIST_FOREACH (turn, &share->turns, entry)
        if (turn->when.number == when.number)
            return turn;
    return NULL;
}

static struct turn *begin_turn(struct share *share, day when) {
    struct turn *turn = memory_new(sizeof *turn);
    turn->share = share;
    turn->when = when;
    turn->again = evtimer_new(share->context->base, on_again, turn);
    TAILQ_INIT(&turn->waiters);
    LIST_INSERT_HEAD(&share->turns, turn, entry);
    cache_redis_look(share->redis, when, on_looked, turn);
    return turn;
}

bool share_join(struct share *share, day when, struct share_waiter *waiter) {
    if (share == NULL || find_held(share, when) != NULL)
        return false;
    struct turn *turn = find_turn(share, when);
    if (turn == NULL && !cache_redis_is_usable(share->redis))
        return false;
    if (turn == NULL)
        turn = begin_turn(share, when);
    TAILQ_INSERT_TAIL(&turn->waiters, waiter, entry);
    return true;
}

void share_store(struct share *share, day when, const struct rates *rates) {
    if (share != NULL)
        cache_redis_store(share->redis, when, rates);
}

void share_settle(struct share *share, day when) {
    struct held *held = share != NULL ? find_held(share, when) : NULL;
    if (held == NULL)
        return;
    free_held(held);
    cache_redis_release(share->redis, when);
}

const char *share_state(const struct share *share) {
    return cache_redis_state(share != NULL ? share->redis : NULL);
}
