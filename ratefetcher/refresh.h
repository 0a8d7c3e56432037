/*
 * Keeps today's table at hand: it is fetched at the start and, while it is in
 * use, before it expires. The old one serves meanwhile.
 */
#ifndef FXWIRE_RATEFETCHER_REFRESH_H
#define FXWIRE_RATEFETCHER_REFRESH_H

#include "common/clock.h"
#include "ratefetcher/lookup.h"

struct refresh {
    struct lookup *lookup;
    int64_t ahead_usec; /* so long before it expires */
    bool running;
    monotime next; /* not before */
};

void refresh_init(struct refresh *refresh, struct lookup *lookup,
                  const struct settings *settings);

/* To be called now and then. */
void refresh_step(struct refresh *refresh);

#endif
