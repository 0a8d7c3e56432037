/* Texts that were JSON, or nearly so, before something was done to them. */
#ifndef FXWIRE_TESTS_UNIT_JSON_MUTANTS_H
#define FXWIRE_TESTS_UNIT_JSON_MUTANTS_H

#include "tests/unit/json_corpus.h"
#include "tests/unit/random.h"
#include "tests/unit/unit.h"

static const char *const messages[] = {
    ("{\"type\":\"message\",\"id\":456,\"payload\":{\"marketId\":123456,"
     "\"odds\":2.2,\"stake\":253.67,\"currency\":\"USD\","
     "\"date\":\"2021-05-18T21:32:42.324Z\"}}"),
    (" { \"id\" : \"\\u0069\\n\" , \"payload\" : { \"stake\" : -0.5e+10 ,"
     " \"currency\" : [ true , null ] } , \"type\" : false }\r\n"),
    "[[],{},\"\xE2\x82\xAC\",\"\\ud83d\\udcb6\",0,-1,1.5,1e5,true,false,null]",
};

struct mutant {
    char text[2048];
    size_t len;
};

/* Puts bytes at `at` in place of `gone` ones; nothing if they do not fit. */
static inline void splice(struct mutant *m, size_t at, size_t gone,
                          struct span bytes) {
    if (gone > m->len - at)
        gone = m->len - at;
    if (m->len - gone + bytes.len > sizeof m->text / 2)
        return;
    memmove(m->text + at + bytes.len, m->text + at + gone, m->len - at - gone);
    memcpy(m->text + at, bytes.data, bytes.len);
    m->len += bytes.len - gone;
}

static inline struct span any_text(struct random *random) {
    uint64_t i = random_below(random, COUNT_OF(corpus) + 60);
    return i < COUNT_OF(corpus) ? corpus[i].text
                                : span_of(messages[i % COUNT_OF(messages)]);
}

static inline void mutate(struct mutant *m, struct random *random) {
    static const char *const tokens[] = {
        "{",          "}",        "[",
        "]",          ",",        ":",
        "\"",         "\\",       " ",
        "0",          "-",        ".",
        "e",          "1",        "true",
        "null",       "\n",       "\\u",
        "\"id\"",     "\"a\":",   "{}",
        "[]",         "\"\"",     ",\"id\":1",
        "'",          "\xC3\xA9", "\\u0061",
        "\\\"",       "E+1",      "0.1",
        "//",         "\t",       "\"payload\":{",
        "\"stake\":", "\"type\":"};
    size_t at = (size_t)random_below(random, m->len + 1);
    size_t some = (size_t)random_below(random, 8);
    char byte = (char)random_below(random, 128);
    char copy[64];
    switch (random_below(random, 6)) {
    case 0:
        splice(m, at, 1, (struct span){&byte, 1});
        break;
    case 1:
        splice(m, at, some, span_of(""));
        break;
    case 2: /* a piece doubled */
        some = some > m->len - at ? m->len - at : some;
        memcpy(copy, m->text + at, some);
        splice(m, at, 0, (struct span){copy, some});
        break;
    case 3: /* a whole text within another */
        splice(m, at, some, any_text(random));
        break;
    default:
        splice(m, at, some > 4 ? some - 4 : 0,
               span_of(tokens[random_below(random, COUNT_OF(tokens))]));
        break;
    }
}

#endif
