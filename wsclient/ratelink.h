/*
 * The link to ratefetcher's rates.sock. It is made anew whenever it breaks.
 * Questions that it does not take now it asks the pipeline for when it can:
 * all that are open on a new link, and those not taken when the old one has
 * room again.
 */
#ifndef FXWIRE_WSCLIENT_RATELINK_H
#define FXWIRE_WSCLIENT_RATELINK_H

#include <libwebsockets.h>

#include "common/attributes.h"
#include "common/settings/settings.h"
#include "wsclient/pipeline.h"

struct ratelink;

/* Connects to rates.sock in RUNTIME_DIR; `pipeline` gets the answers. */
MUST_CHECK struct ratelink *ratelink_new(struct lws_context *context,
                                         const struct settings *settings,
                                         struct pipeline *pipeline);
void ratelink_free(struct ratelink **link);

/*
 * Asks for the rates of `when`, with `currency` (empty: any) in them. False:
 * there is no link, or ratefetcher is behind with its reading.
 */
MUST_CHECK bool ratelink_ask(struct ratelink *link, day when,
                             struct span currency);

#endif
