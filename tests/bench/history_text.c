#include "tests/bench/history_text.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/day.h"
#include "common/memory.h"

/* Room for a rate in either form, and for a day without rates. */
enum { RATE_BYTES = 48, ROW_BYTES = 64, HEAD_BYTES = 1024 };

enum { NEWEST_DAY = 20400 };

/* In the order in which the ECB has them. */
static const char codes[HISTORY_CURRENCIES][4] = {
    "USD", "JPY", "BGN", "CYP", "CZK", "DKK", "EEK", "GBP", "HUF", "LTL",
    "LVL", "MTL", "PLN", "ROL", "RON", "SEK", "SIT", "SKK", "CHF", "ISK",
    "NOK", "HRK", "RUB", "TRY", "AUD", "BRL", "CAD", "CNY", "HKD", "IDR",
    "ILS", "INR", "KRW", "MXN", "MYR", "NZD", "PHP", "SGD", "THB", "ZAR"};

/* Six digits, and as many of them behind the point as the ECB is wont to. */
static int print_rate(char *out, unsigned row, unsigned currency) {
    static const struct {
        int digits;
        unsigned power;
    } decimals[] = {{4, 10000}, {2, 100}, {4, 10000}, {5, 100000}, {3, 1000}};
    unsigned digits = (row * 7919 + currency * 104729) % 900000 + 100000;
    unsigned power = decimals[currency % 5].power;
    return sprintf(out, "%u.%0*u", digits / power,
                   decimals[currency % 5].digits, digits % power);
}

static char *room(void) {
    return memory_new(
        HEAD_BYTES +
        HISTORY_DAYS * (ROW_BYTES + HISTORY_CURRENCIES * (size_t)RATE_BYTES));
}

struct span history_text_xml(void) {
    char *text = room(), *at = text, date[DAY_TEXT_SIZE], rate[RATE_BYTES];
    at += sprintf(
        at, "<?xml version=\"1.0\" encoding=\"UTF-8\"?><gesmes:Envelope "
            "xmlns:gesmes=\"http://www.gesmes.org/xml/2002-08-01\" "
            "xmlns=\"http://www.ecb.int/vocabulary/2002-08-01/eurofxref\">"
            "<gesmes:subject>Reference rates</gesmes:subject><gesmes:Sender>"
            "<gesmes:name>European Central Bank</gesmes:name></gesmes:Sender>"
            "<Cube>");
    for (unsigned d = 0; d < HISTORY_DAYS; d++) {
        day_print((day){NEWEST_DAY - (int32_t)d}, date);
        at += sprintf(at, "<Cube time=\"%s\">", date);
        for (unsigned c = 0; c < HISTORY_CURRENCIES; c++) {
            print_rate(rate, d, c);
            at += sprintf(at, "<Cube currency=\"%s\" rate=\"%s\"/>", codes[c],
                          rate);
        }
        at += sprintf(at, "</Cube>\n");
    }
    at += sprintf(at, "</Cube></gesmes:Envelope>");
    return (struct span){text, (size_t)(at - text)};
}

struct span history_text_csv(void) {
    char *text = room(), *at = text, date[DAY_TEXT_SIZE];
    at += sprintf(at, "Date,");
    for (unsigned c = 0; c < HISTORY_CURRENCIES; c++)
        at += sprintf(at, "%s,", codes[c]);
    for (unsigned d = 0; d < HISTORY_DAYS; d++) {
        day_print((day){NEWEST_DAY - (int32_t)d}, date);
        at += sprintf(at, "\n%s,", date);
        for (unsigned c = 0; c < HISTORY_CURRENCIES; c++) {
            at += print_rate(at, d, c);
            *at++ = ',';
        }
    }
    *at++ = '\n';
    return (struct span){text, (size_t)(at - text)};
}
