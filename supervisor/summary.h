/*
 * The status of the service in one sentence: does it convert, and if not, why;
 * and what else a person should look at. Pure.
 */
#ifndef FXWIRE_SUPERVISOR_SUMMARY_H
#define FXWIRE_SUPERVISOR_SUMMARY_H

#include <json-c/json.h>

#include "common/attributes.h"

/*
 * Adds to a status that is otherwise whole: "attention", an array of sentences
 * on what does not stop it but should be looked at, and "summary", such as
 * "Converting" or "Not ready: upstream HOST is not connected for 12 s".
 */
void summary_add(struct json_object *status) NONNULL_ALL;

#endif
