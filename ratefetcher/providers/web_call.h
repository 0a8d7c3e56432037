/*
 * A call of web's, from its request to what its answer means: for web.c and
 * web_answer.c alone.
 */
#ifndef FXWIRE_RATEFETCHER_PROVIDERS_WEB_CALL_H
#define FXWIRE_RATEFETCHER_PROVIDERS_WEB_CALL_H

#include <sys/queue.h>

#include "ratefetcher/providers/kept.h"
#include "ratefetcher/providers/web.h"
#include "ratefetcher/providers/web_detail.h"

struct web {
    const struct web_api *api;
    const struct provider_context *context;
    char *address; /* as it is set, without slashes at its end */
    struct kept *kept;
    bool falls_back;       /* the other form is asked for first */
    monotime history_from; /* not asked for a past day before */
    struct http_lane lane;
    char why_ahead[HISTORY_WHY_SIZE];
    LIST_HEAD(, web_call) calls;
};

/* Somebody who waits for the table of a day. */
struct web_asker {
    TAILQ_ENTRY(web_asker) entry;
    day when;
    monotime asked;
    duration timeout; /* so long it waits at most, be it for the turn */
    provider_done *done;
    void *arg;
};

/* A call for a resource, and all who wait for it: the first one made it. */
struct web_call {
    LIST_ENTRY(web_call) entry;
    struct web *web;
    int32_t resource;
    day when;                 /* for which it was made */
    struct history *tables;   /* that the answer brings */
    struct web_faults faults; /* that are found in it */
    void *reader;             /* of a text that comes; NULL: none has */
    char *body;               /* of one that is to be kept */
    size_t len, size;
    struct copy_version version;
    struct http_answer answer;     /* whose body is being read on */
    struct event *more;            /* reads it; NULL: it is read */
    struct event *patience;        /* of who waits for it; NULL: nothing has
                                      come, which http ends in time */
    monotime begun;                /* its turn came then */
    bool told;                     /* somebody, for whom the call counts */
    bool late;                     /* that it still comes */
    bool other_form;               /* asks for that of fall_back() */
    bool second;                   /* the second one, for another form: */
    bool in_place;                 /* of one that may soon be had again */
    bool conditional;              /* it may find that nothing has changed */
    char detail[WEB_DETAIL_BYTES]; /* what is said of an answer that is none */
    TAILQ_HEAD(, web_asker) askers;
};

/* The day of the wall clock. */
MUST_CHECK day web_today(void);

MUST_CHECK bool web_has_key(const struct web *web) NONNULL_ALL;

/* Whether it said not long ago that it has no past day for this key. */
MUST_CHECK bool web_lacks(const struct web *web, day when) NONNULL_ALL;

/* Puts the table that serves the day into the answer, or why there is none. */
void web_put_table(struct web *web, struct provider_answer *answer,
                   const struct history *tables, day when) NONNULL_ALL;

/* Begins to read a text; ends it: what is wrong with it, or NULL. */
void web_begin_text(struct web_call *call) NONNULL_ALL;
const char *web_end_text(struct web_call *call) NONNULL_ALL;

/*
 * What an answer means: the tables, with the result OK, or a failure. The body
 * is parsed once; what it refuses counts more than the status.
 */
MUST_CHECK struct provider_answer
web_judge(struct web_call *call, const struct http_answer *http) NONNULL_ALL;

#endif
