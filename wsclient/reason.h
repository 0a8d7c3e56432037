/* Why a connection ended, once: its word in the log and its counter. */
#ifndef FXWIRE_WSCLIENT_REASON_H
#define FXWIRE_WSCLIENT_REASON_H

#include "common/metrics.h"

enum reason {
    REASON_CLOSED,
    REASON_FAILED,
    REASON_TIMEOUT,
    REASON_SILENT,
    REASON_STALLED,
    REASON_PROTOCOL,
    REASON_OVERLOAD,
    REASON_STOPPED,
    REASONS
};

static const struct {
    const char *name;
    enum metric metric;
} reasons[REASONS] = {
    [REASON_CLOSED] = {"closed", METRIC_RECONNECTS_CLOSED},
    [REASON_FAILED] = {"failed", METRIC_RECONNECTS_FAILED},
    [REASON_TIMEOUT] = {"timeout", METRIC_RECONNECTS_TIMEOUT},
    [REASON_SILENT] = {"silent", METRIC_RECONNECTS_SILENT},
    [REASON_STALLED] = {"stalled", METRIC_RECONNECTS_STALLED},
    [REASON_PROTOCOL] = {"protocol", METRIC_RECONNECTS_PROTOCOL},
    [REASON_OVERLOAD] = {"overload", METRIC_RECONNECTS_OVERLOAD},
    [REASON_STOPPED] = {"stopped", METRIC_RECONNECTS_CLOSED},
};

#endif
