/* The short environment that a helper is given. */
#ifndef FXWIRE_SUPERVISOR_ENVIRONMENT_H
#define FXWIRE_SUPERVISOR_ENVIRONMENT_H

#include "common/settings.h"

/*
 * The settings in force that `reader` reads, with `upstream` in the place of
 * REQUESTS_WS_URL if it is not NULL, and of this process's own environment
 * what the C library and its tools look at. NULL-terminated; released with
 * environment_free().
 */
char **environment_new(const struct settings *settings,
                       enum settings_reader reader, const char *upstream);
void environment_free(char ***environment);

#endif
