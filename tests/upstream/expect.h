/* What has to be answered to a request of somebody's own. */
#ifndef UPSTREAM_EXPECT_H
#define UPSTREAM_EXPECT_H

#include "ecb.h"
#include "json.h"
#include "match.h"

/* `text` is the whole answer but for the date at date_at or, of an error, its
 * start. `id` is the answer's id, as it is written. */
struct expect {
    enum { EXPECT_STAKE, EXPECT_ERROR, EXPECT_NOTHING } kind;
    char *text;
    size_t len;
    size_t date_at;
    struct json_part id;   /* of the request's text */
    struct json_part date; /* likewise, without quotes */
};

/* What the script says itself: a plain decimal, "error" or "nothing". NULL, or
 * why it can not be; `ask` lives as long as `e`. */
const char *expect_given(struct expect *e, struct json_part ask,
                         struct json_part given);

/* By the rules of fxwire's messages and these rates. `ask` as above. */
void expect_computed(struct expect *e, struct json_part ask,
                     const struct ecb *ecb);

/* Whether it is the right answer: to the byte but for the date, which must lie
 * in the span or, with `same_date`, be the request's, and the reason of an
 * error. */
bool expect_matches(const struct expect *e, const struct match_span *span,
                    bool same_date, const char *text, size_t len);

void expect_free(struct expect *e);

#endif
