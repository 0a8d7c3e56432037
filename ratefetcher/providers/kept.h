/*
 * The resources of many days that a provider has sent: in memory, and as files
 * in STATE_DIR, so that they serve at a start without network. What is past its
 * time is kept, too: the provider is then asked whether it has another one.
 */
#ifndef FXWIRE_RATEFETCHER_PROVIDERS_KEPT_H
#define FXWIRE_RATEFETCHER_PROVIDERS_KEPT_H

#include "ratefetcher/providers/copy_file.h"
#include "ratefetcher/providers/web.h"

struct kept;

/* So many resources are kept: ninety days, and all. */
enum { KEPT_RESOURCES = 2 };

/*
 * Reads the files that are there; `address`: where all of it comes from. All is
 * lent.
 */
MUST_CHECK struct kept *kept_new(const struct web_api *api,
                                 const struct provider_context *context,
                                 const char *address) NONNULL_ALL;
void kept_free(struct kept **kept) NONNULL_ALL;

/*
 * The tables of the resource while they are fresh, lent, and since when; NULL:
 * there are none. The latest table is not as long fresh as the others, or who
 * wants a newer one before it expires would never get it.
 */
MUST_CHECK const struct history *kept_find(const struct kept *kept,
                                           int32_t resource, day when,
                                           monotime *since) NONNULL_ALL;

/*
 * What version is kept of the resource, lent; NULL: none, it has no name, or
 * its file was removed, so that a whole body is wanted.
 */
MUST_CHECK const struct copy_version *
kept_version(const struct kept *kept, int32_t resource) NONNULL_ALL;

/* Keeps tables, which are taken over, and the body that they came in. */
void kept_put(struct kept *kept, int32_t resource, struct history *tables,
              const struct copy_version *version, struct span body) NONNULL_ALL;

/*
 * The provider has no other version: the tables are as good as if they had come
 * now. Lent; NULL: there are none.
 */
MUST_CHECK const struct history *kept_confirm(struct kept *kept,
                                              int32_t resource) NONNULL_ALL;

/*
 * The table that serves a day, past its age or not, and since when it is
 * known; lent. NULL: there is none.
 */
MUST_CHECK struct rates *kept_old(const struct kept *kept, day when,
                                  monotime *since) NONNULL_ALL;

#endif
