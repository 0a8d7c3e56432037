/* The fields that requests are asked for, as wsclient/request.c has them. */
#ifndef FXWIRE_TESTS_REQUEST_FIELDS_H
#define FXWIRE_TESTS_REQUEST_FIELDS_H

#include "common/json_scan.h"

enum { TYPE, ID, PAYLOAD, STAKE, CURRENCY, DATE, FIELDS };

static const struct json_field fields[FIELDS + 1] = {
    [TYPE] = JSON_FIELD(JSON_TOP, "type"),
    [ID] = JSON_FIELD(JSON_TOP, "id"),
    [PAYLOAD] = JSON_FIELD(JSON_TOP, "payload"),
    [STAKE] = JSON_FIELD(PAYLOAD, "stake"),
    [CURRENCY] = JSON_FIELD(PAYLOAD, "currency"),
    [DATE] = JSON_FIELD(PAYLOAD, "date"),
    [FIELDS] = JSON_FIELDS_END,
};

#endif
