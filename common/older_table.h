/* What is said of a table that is older than the one in hand. */
#ifndef FXWIRE_COMMON_OLDER_TABLE_H
#define FXWIRE_COMMON_OLDER_TABLE_H

#include "common/attributes.h"
#include "common/clock.h"
#include "common/rates/rates.h"

/* Better is looked for after so long at the soonest. */
#define OLDER_TABLE_PAUSE SECONDS(15)

/* A line in the log: of whom it is, by what way it came, and both days. */
void older_table_log(const struct rates *older, const char *layer,
                     const struct rates *in_hand) NONNULL_ALL;

#endif
