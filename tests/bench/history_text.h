/* A whole history as the ECB publishes it, made by arithmetic. */
#ifndef FXWIRE_TESTS_BENCH_HISTORY_TEXT_H
#define FXWIRE_TESTS_BENCH_HISTORY_TEXT_H

#include "common/span.h"

enum { HISTORY_DAYS = 7000, HISTORY_CURRENCIES = 40 };

/* Days newest first, each with a rate of each currency; never freed. */
struct span history_text_xml(void);
struct span history_text_csv(void);

#endif
