#include "wsclient/refusals.h"

#include <stdlib.h>

#include "common/memory.h"
#include "wsclient/response.h"

struct refused {
    TAILQ_ENTRY(refused) entry;
    size_t len;
    char text[];
};

void refusals_init(struct refusals *refusals) {
    *refusals = (struct refusals){.count = 0};
    TAILQ_INIT(&refusals->queue);
}

void refusals_clear(struct refusals *refusals) {
    while (!TAILQ_EMPTY(&refusals->queue))
        refusals_sent(refusals);
}

void refusals_add(struct refusals *refusals, struct span id,
                  enum refusal refusal) {
    struct refused *refused =
        memory_new(sizeof *refused + id.len + RESPONSE_GROWTH_BYTES);
    refused->len = response_write_error(id, refusal, refused->text);
    refusals->bytes += refused->len;
    refusals->count++;
    TAILQ_INSERT_TAIL(&refusals->queue, refused, entry);
}

bool refusals_next(const struct refusals *refusals, struct span *answer) {
    const struct refused *refused = TAILQ_FIRST(&refusals->queue);
    if (refused == NULL)
        return false;
    *answer = (struct span){refused->text, refused->len};
    return true;
}

void refusals_sent(struct refusals *refusals) {
    struct refused *refused = TAILQ_FIRST(&refusals->queue);
    TAILQ_REMOVE(&refusals->queue, refused, entry);
    refusals->bytes -= refused->len;
    refusals->count--;
    free(refused);
}

bool refusals_allow_nameless(struct refusals *refusals, monotime now) {
    size_t oldest = refusals->nameless_count % REFUSALS_NAMELESS_PER_SECOND;
    if (refusals->nameless_count >= REFUSALS_NAMELESS_PER_SECOND &&
        monotime_between(refusals->nameless[oldest], now).usec < USEC_PER_SEC)
        return false;
    refusals->nameless[oldest] = now;
    refusals->nameless_count++;
    return true;
}
