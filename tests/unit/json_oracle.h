/*
 * The second opinions: Python's parser on what is JSON, json-c on what the
 * values of a JSON text are. json-c's versions differ in what they accept.
 */
#ifndef FXWIRE_TESTS_UNIT_JSON_ORACLE_H
#define FXWIRE_TESTS_UNIT_JSON_ORACLE_H

#include <json-c/json.h>
#include <stdio.h>
#include <sys/wait.h>

#include "common/json_scan.h"
#include "tests/unit/unit.h"

enum { JUDGED_AT_ONCE = 4096, MAX_JUDGED_BYTES = 1 << 22 };

/* Texts that wait for Python's verdict, and our own. */
struct judge {
    pid_t child;
    FILE *to, *from;
    uint32_t count;
    uint32_t lens[JUDGED_AT_ONCE];
    bool ours[JUDGED_AT_ONCE];
    char texts[MAX_JUDGED_BYTES]; /* one behind the other */
    size_t len;
};

static inline struct judge *judge_new(void) {
    int to[2], from[2];
    struct judge *judge = calloc(1, sizeof *judge);
    assert_non_null(judge);
    assert_int_equal(pipe(to) | pipe(from), 0);
    judge->child = fork();
    assert_true(judge->child >= 0);
    if (judge->child == 0) {
        dup2(to[0], STDIN_FILENO);
        dup2(from[1], STDOUT_FILENO);
        close(to[1]); /* else the end of the input would not be seen */
        close(from[0]);
        execl("/usr/bin/python3", "python3", "tests/unit/json_judge.py",
              (char *)NULL);
        _exit(127);
    }
    close(to[0]);
    close(from[1]);
    judge->to = fdopen(to[1], "w");
    judge->from = fdopen(from[0], "r");
    return judge;
}

static inline void judge_settle(struct judge *judge) {
    static char verdicts[JUDGED_AT_ONCE];
    const char *text = judge->texts;
    fwrite(&judge->count, sizeof judge->count, 1, judge->to);
    fwrite(judge->lens, sizeof *judge->lens, judge->count, judge->to);
    fwrite(judge->texts, 1, judge->len, judge->to);
    assert_int_equal(fflush(judge->to), 0);
    assert_int_equal(fread(verdicts, 1, judge->count, judge->from),
                     judge->count);
    for (uint32_t i = 0; i < judge->count; text += judge->lens[i++])
        if (judge->ours[i] != (verdicts[i] == 1))
            fail_msg("`%.*s` is %s", (int)judge->lens[i], text,
                     judge->ours[i] ? "accepted" : "refused");
    judge->count = 0;
    judge->len = 0;
}

/* Fails, at some time before the judge is freed, if Python thinks otherwise. */
static inline void judge_compare(struct judge *judge, struct span text,
                                 bool accepted) {
    assert_true(text.len <= sizeof judge->texts);
    if (judge->count == JUDGED_AT_ONCE ||
        judge->len + text.len > sizeof judge->texts)
        judge_settle(judge);
    memcpy(judge->texts + judge->len, text.data, text.len);
    judge->len += text.len;
    judge->lens[judge->count] = (uint32_t)text.len;
    judge->ours[judge->count++] = accepted;
}

static inline void judge_free(struct judge *judge) {
    judge_settle(judge);
    fclose(judge->to);
    fclose(judge->from);
    assert_int_equal(waitpid(judge->child, NULL, 0), judge->child);
    free(judge);
}

/*
 * What json-c reads of a text that is JSON, to be released with
 * json_object_put(). The NUL behind the text, which ends a number at the top
 * level for json-c, is passed with it. It counts a value within the innermost
 * array or object as one level more.
 */
static inline struct json_object *json_c_parse(struct span text) {
    char *copy = malloc(text.len + 1);
    assert_non_null(copy);
    memcpy(copy, text.data, text.len);
    copy[text.len] = '\0';
    struct json_tokener *tokener = json_tokener_new_ex(JSON_MAX_DEPTH + 1);
    struct json_object *value =
        json_tokener_parse_ex(tokener, copy, (int)text.len + 1);
    if (json_tokener_get_error(tokener) != json_tokener_success)
        fail_msg("json-c: `%s`: %s", copy,
                 json_tokener_error_desc(json_tokener_get_error(tokener)));
    json_tokener_free(tokener);
    free(copy);
    return value;
}

static inline enum json_kind kind_of(const struct json_object *value) {
    switch (json_object_get_type(value)) {
    case json_type_object:
        return JSON_OBJECT;
    case json_type_array:
        return JSON_ARRAY;
    case json_type_string:
        return JSON_STRING;
    case json_type_boolean:
        return JSON_BOOLEAN;
    case json_type_null:
        return JSON_NULL;
    default:
        return JSON_NUMBER;
    }
}

#endif
