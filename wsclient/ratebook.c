#include "wsclient/ratebook.h"

#include <stdlib.h>
#include <string.h>

#include "common/memory.h"

/* More providers than there are; more unknown codes are simply asked again. */
enum { MAX_TABLES = 8, MAX_UNKNOWN = 64 };

/* What is known of one day. */
struct page {
    size_t tables, unknowns;
    struct {
        struct rates *rates;
        monotime expires;
    } table[MAX_TABLES]; /* in the order they came: the first is preferred */
    char unknown[MAX_UNKNOWN][RATES_CODE_LEN];
};

struct ratebook {
    struct page **pages; /* the latest first, then day after day */
    size_t count;
};

struct ratebook *ratebook_new(void) {
    return memory_new(sizeof(struct ratebook));
}

static void free_page(struct page *page) {
    for (size_t i = 0; i < page->tables; i++)
        rates_release(&page->table[i].rates);
    free(page);
}

void ratebook_free(struct ratebook **book) {
    struct ratebook *b = *book;
    *book = NULL;
    for (size_t i = 0; i < b->count; i++)
        if (b->pages[i] != NULL)
            free_page(b->pages[i]);
    free(b->pages);
    free(b);
}

static size_t place_of(day when) {
    return rates_day_is_latest(when)
               ? 0
               : (size_t)(when.number - DAY_FIRST_RATES.number) + 1;
}

static bool is_unknown(const struct page *page, struct span currency) {
    for (size_t i = 0; i < page->unknowns; i++)
        if (memcmp(page->unknown[i], currency.data, RATES_CODE_LEN) == 0)
            return true;
    return false;
}

enum ratebook_result ratebook_find(const struct ratebook *book, day when,
                                   struct span currency, monotime now,
                                   struct rate_pair *rates) {
    size_t place = place_of(when);
    const struct page *page = place < book->count ? book->pages[place] : NULL;
    bool known = false;
    for (size_t i = 0; page != NULL && i < page->tables; i++) {
        if (monotime_reached(now, page->table[i].expires))
            continue;
        known = true;
        if (rates_find_pair(page->table[i].rates, currency, rates))
            return RATEBOOK_FOUND;
    }
    if (!known)
        return RATEBOOK_NO_TABLE;
    return is_unknown(page, currency) ? RATEBOOK_UNKNOWN_CURRENCY
                                      : RATEBOOK_NOT_IN_TABLE;
}

static struct page *make_page(struct ratebook *book, day when) {
    size_t place = place_of(when);
    if (place >= book->count) {
        size_t count = place + 366;
        book->pages = memory_resize(book->pages, count * sizeof *book->pages);
        memset(book->pages + book->count, 0,
               (count - book->count) * sizeof *book->pages);
        book->count = count;
    }
    if (book->pages[place] == NULL)
        book->pages[place] = memory_new(sizeof **book->pages);
    return book->pages[place];
}

/* The place of this provider's table: its old one's, or a new one. */
static size_t table_place(const struct page *page, const struct rates *rates) {
    size_t i = 0;
    while (i < page->tables && strcmp(rates_provider(page->table[i].rates),
                                      rates_provider(rates)) != 0)
        i++;
    return i < MAX_TABLES ? i : MAX_TABLES - 1;
}

void ratebook_enter(struct ratebook *book, day when, struct rates *rates,
                    monotime expires) {
    struct page *page = make_page(book, when);
    size_t i = table_place(page, rates);
    if (i == 0)
        page->unknowns = 0; /* they hold no longer than the day's tables */
    if (i == page->tables)
        page->tables++;
    rates_hold(rates);
    rates_release(&page->table[i].rates);
    page->table[i].rates = rates;
    page->table[i].expires = expires;
}

void ratebook_enter_unknown(struct ratebook *book, day when,
                            struct span currency) {
    struct page *page = make_page(book, when);
    if (page->unknowns < MAX_UNKNOWN && !is_unknown(page, currency))
        memcpy(page->unknown[page->unknowns++], currency.data, RATES_CODE_LEN);
}
