/* libwebsockets, set up for one link to an upstream. */
#ifndef FXWIRE_WSCLIENT_CONTEXT_H
#define FXWIRE_WSCLIENT_CONTEXT_H

#include <libwebsockets.h>

#include "common/attributes.h"
#include "common/settings/settings.h"

/* The protocol of the link, whose callback is context_new()'s. */
#define CONTEXT_PROTOCOL "fxwire-upstream"

/*
 * The process's one context, with `user` as its lws_context_user(); NULL: the
 * library can not begin. What it logs is heard by hearsay and pings.
 */
MUST_CHECK struct lws_context *context_new(const struct settings *settings,
                                           lws_callback_function *on_upstream,
                                           void *user) NONNULL_ALL;

#endif
