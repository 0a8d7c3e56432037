/*
 * What ratefetcher needs to read a whole history of the ECB, in the pieces in
 * which it comes: megabytes of text a second, the longest time that one piece
 * takes (so long another look-up waits), and the peak of memory beside that of
 * the tables which are kept. Beside it the bare libraries on the same text, and
 * a pass that only copies it.
 *
 *     history [xml|csv] [PIECE]     one of them once, as for callgrind
 */
#include <csv.h>
#include <expat.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ratefetcher/providers/ecb_csv.h"
#include "ratefetcher/providers/web.h"
#include "tests/bench/heap.h"
#include "tests/bench/history_text.h"

enum { ROUNDS = 7, MOST_PIECE = 64 * 1024 };

/* How a text is read: what is begun is fed, and ended with its tables. */
struct way {
    const char *name;
    void *(*begin)(void);
    void (*feed)(void *reader, struct span piece);
    struct history *(*end)(void *reader);
};

struct figures {
    double mb_a_second, longest_ms;
    size_t peak, kept; /* bytes */
};

static struct history *xml_tables;
static struct web_faults xml_faults;
static struct ecb_csv_faults csv_faults;

static void *begin_xml(void) {
    xml_tables = history_new();
    return provider_ecb.api->text->begin("ecb", xml_tables, 1, &xml_faults);
}

static void feed_xml(void *reader, struct span piece) {
    provider_ecb.api->text->feed(reader, piece);
}

static struct history *end_xml(void *reader) {
    const char *why = provider_ecb.api->text->end(reader);
    if (why != NULL)
        puts(why);
    return xml_tables;
}

static void *begin_csv(void) {
    return ecb_csv_begin("ecb", 1, &csv_faults);
}

static void feed_csv(void *reader, struct span piece) {
    ecb_csv_feed(reader, piece);
}

static struct history *end_csv(void *reader) {
    struct ecb_csv *csv = reader;
    return ecb_csv_end(&csv);
}

static void on_start(void *arg, const char *name, const char **attributes) {
    (void)arg, (void)name, (void)attributes;
}

static void on_end(void *arg, const char *name) {
    (void)arg, (void)name;
}

static void *begin_expat(void) {
    XML_Parser parser = XML_ParserCreate(NULL);
    XML_SetElementHandler(parser, on_start, on_end);
    return parser;
}

static void feed_expat(void *reader, struct span piece) {
    XML_Parse(reader, piece.data, (int)piece.len, XML_FALSE);
}

static struct history *end_expat(void *reader) {
    XML_ParserFree(reader);
    return NULL;
}

static void on_field(void *field, size_t len, void *arg) {
    (void)field, (void)len, (void)arg;
}

static void on_row(int end, void *arg) {
    (void)end, (void)arg;
}

static void *begin_libcsv(void) {
    static struct csv_parser parser;
    return csv_init(&parser, CSV_REPALL_NL) == 0 ? &parser : NULL;
}

static void feed_libcsv(void *reader, struct span piece) {
    csv_parse(reader, piece.data, piece.len, on_field, on_row, NULL);
}

static struct history *end_libcsv(void *reader) {
    csv_free(reader);
    return NULL;
}

static void *begin_copy(void) {
    static char room[MOST_PIECE];
    return room;
}

static void feed_copy(void *reader, struct span piece) {
    memcpy(reader, piece.data, piece.len);
    for (const char *at = piece.data, *end = at + piece.len; at != NULL;)
        if ((at = memchr(at, '>', (size_t)(end - at))) != NULL)
            at++;
}

static struct history *end_copy(void *reader) {
    (void)reader;
    return NULL;
}

static const struct way xml_way = {"XML", begin_xml, feed_xml, end_xml},
                        expat_way = {"expat alone", begin_expat, feed_expat,
                                     end_expat},
                        csv_way = {"CSV", begin_csv, feed_csv, end_csv},
                        libcsv_way = {"libcsv alone", begin_libcsv, feed_libcsv,
                                      end_libcsv},
                        copy_way = {"memcpy, memchr", begin_copy, feed_copy,
                                    end_copy};

/* Of our own time, so that what else runs on the machine does not count. */
static double now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static void free_tables(struct history *tables) {
    if (tables == NULL)
        return;
    if (history_count(tables) != HISTORY_DAYS)
        printf("%zu tables\n", history_count(tables));
    history_free(&tables);
}

static struct figures read_once(const struct way *way, struct span text,
                                size_t piece) {
    struct figures f = {0};
    size_t before = heap_in_use();
    heap_peak_reset();
    double start = now_ms();
    void *reader = way->begin();
    for (struct span rest = text; rest.len > 0;) {
        size_t len = rest.len < piece ? rest.len : piece;
        double begun = now_ms();
        way->feed(reader, (struct span){rest.data, len});
        double took = now_ms() - begun;
        if (took > f.longest_ms)
            f.longest_ms = took;
        rest = span_from(rest, len);
    }
    struct history *tables = way->end(reader);
    f.mb_a_second = (double)text.len / 1000 / (now_ms() - start);
    f.peak = heap_peak() - before;
    f.kept = heap_in_use() - before;
    free_tables(tables);
    return f;
}

static int by_speed(const void *a, const void *b) {
    const struct figures *x = a, *y = b;
    return (x->mb_a_second > y->mb_a_second) -
           (x->mb_a_second < y->mb_a_second);
}

/* The median of some rounds. */
static void report(const struct way *way, struct span text, size_t piece) {
    struct figures all[ROUNDS], *f = &all[ROUNDS / 2];
    for (size_t i = 0; i < ROUNDS; i++)
        all[i] = read_once(way, text, piece);
    qsort(all, ROUNDS, sizeof *all, by_speed);
    printf("%-15s %5.0f MB/s, longest piece %5.2f ms", way->name,
           f->mb_a_second, f->longest_ms);
    if (f->kept > 0)
        printf(", peak %.1f MB for tables of %.1f MB: %.2f",
               (double)f->peak / 1e6, (double)f->kept / 1e6,
               (double)f->peak / (double)f->kept);
    putchar('\n');
}

static void report_all(struct span xml, struct span csv, size_t piece) {
    printf("pieces of %zu KiB\n", piece / 1024);
    report(&xml_way, xml, piece);
    report(&expat_way, xml, piece);
    report(&copy_way, xml, piece);
    report(&csv_way, csv, piece);
    report(&libcsv_way, csv, piece);
    report(&copy_way, csv, piece);
}

int main(int argc, char *argv[]) {
    struct span xml = history_text_xml(), csv = history_text_csv();
    size_t piece = argc > 2 ? strtoul(argv[2], NULL, 10) : MOST_PIECE / 4;
    if (argc > 1) {
        bool is_xml = strcmp(argv[1], "xml") == 0;
        read_once(is_xml ? &xml_way : &csv_way, is_xml ? xml : csv, piece);
        return 0;
    }
    printf("%d days of %d currencies: %.1f MB of XML, %.1f MB of CSV\n",
           HISTORY_DAYS, HISTORY_CURRENCIES, (double)xml.len / 1e6,
           (double)csv.len / 1e6);
    report_all(xml, csv, MOST_PIECE / 4);
    report_all(xml, csv, MOST_PIECE);
    return 0;
}
