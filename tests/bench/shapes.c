#include "tests/bench/shapes.h"

#include <stdio.h>
#include <string.h>

/* How long the long ones are. */
enum { LONG_BYTES = 60000 };

#define DATE "\"" SHAPE_DAY "T21:32:42.324Z\""

static void put(struct shape *shape, const char *text) {
    size_t len = strlen(text);
    memcpy(shape->text + shape->len, text, len);
    shape->len += len;
}

static void put_times(struct shape *shape, const char *text, int times) {
    for (int i = 0; i < times; i++)
        put(shape, text);
}

/*
 * The typical one, of a stream whose ids, odds and stakes are of any length,
 * and whose dates all differ.
 */
static void make_varied(struct shape *shape, const struct shape *typical) {
    *shape = *typical;
    shape->moment = shape->text + shape->len - sizeof "Z\"}}";
    shape->name = "varied";
    shape->earlier = "{\"type\":\"message\",\"id\":4,\"payload\":{"
                     "\"marketId\":123456,\"selectionId\":987654,"
                     "\"odds\":12.25,\"stake\":1000,\"currency\":\"GBP\","
                     "\"date\":\"2021-05-18T21:32:42.324Z\"}}"
                     "\0              "; /* padded */
}

static void begin(struct shape *shape, const char *name) {
    shape->name = name;
    shape->len = 0;
    shape->earlier = NULL;
}

/* A request with `piece` so often in front of its payload. */
static void make(struct shape *shape, const char *name, const char *before,
                 const char *piece, int times, const char *after) {
    begin(shape, name);
    put(shape, "{\"type\":\"message\",\"id\":456,");
    put(shape, before);
    put_times(shape, piece, times);
    put(shape, after);
    put(shape, "\"payload\":{\"marketId\":123456,\"selectionId\":987654,"
               "\"odds\":2.2,\"stake\":253.67,\"currency\":\"USD\","
               "\"date\":" DATE "}}");
}

static void make_long(struct shape *shape, const char *name, const char *before,
                      const char *piece, const char *after) {
    make(shape, name, before, piece, LONG_BYTES / (int)strlen(piece), after);
}

/* As Python's json.dumps() has it. */
static void make_spaced(struct shape *shape) {
    begin(shape, "spaced");
    put(shape, "{\"type\": \"message\", \"id\": 456, "
               "\"payload\": {\"marketId\": 123456, \"selectionId\": 987654, "
               "\"odds\": 2.2, \"stake\": 253.67, \"currency\": \"USD\", "
               "\"date\": " DATE "}}");
}

static void make_pretty(struct shape *shape) {
    begin(shape, "pretty");
    put(shape, "{\n  \"type\": \"message\",\n  \"id\": 456,\n"
               "  \"payload\": {\n"
               "    \"marketId\": 123456,\n    \"selectionId\": 987654,\n"
               "    \"odds\": 2.2,\n    \"stake\": 253.67,\n"
               "    \"currency\": \"USD\",\n    \"date\": " DATE "\n  }\n}\n");
}

void shapes_make(struct shape shapes[static SHAPES]) {
    struct shape *s = shapes;
    make(s++, "typical", "", "", 0, "");
    make_varied(s++, shapes);
    make_spaced(s++);
    make_pretty(s++);
    make(s++, "deep", "\"a\":", "[{\"b\":", 15,
         "0}]}]}]}]}]}]}]}]}]}]}]}]}]}]}],");
    make_long(s++, "text", "\"a\":\"",
              "All of it is plain text, as remarks of people are. ", "\",");
    make_long(s++, "cyrillic", "\"a\":\"",
              "\u0412\u0441\u0451 \u044d\u0442\u043e \u0442\u0435\u043a\u0441"
              "\u0442 \u043b\u044e\u0434\u0435\u0439. ",
              "\",");
    make_long(s++, "chinese", "\"a\":\"",
              "\u8fd9\u4e9b\u90fd\u662f\u4eba\u4eec\u5199\u7684\u8bdd\u3002",
              "\",");
    make_long(s++, "escapes", "\"a\":\"", "\\\"\\u0041\\n, \\u00e9t\\u00e9 ",
              "\",");
    make_long(s++, "numbers", "\"a\":[", "-1234.56,0,17e-3,4711,", "0],");
    make_long(s++, "members", "", "\"marketName\":\"Match odds\",\"x\":true,",
              "");
}
