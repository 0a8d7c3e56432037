/*
 * Whether kernel, container and file system let the service run at all. What
 * is refused to this process is refused to all that it starts.
 */
#ifndef FXWIRE_SUPERVISOR_FITNESS_H
#define FXWIRE_SUPERVISOR_FITNESS_H

#include <stdbool.h>

#include "common/attributes.h"

/*
 * False: something that nothing can take the place of is missing, and standard
 * error has been told what.
 */
MUST_CHECK bool fitness_check(void);

#endif
