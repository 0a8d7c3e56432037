#include "trouble.h"

#include "forms.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

enum { TROUBLE_REASON = 128, TROUBLE_NUMBER = 32 };

static const struct {
    const char *name;
    enum trouble_type type;
    const char *fields; /* beside those that all have */
    const char *help;
} trouble_kinds[] = {
    {"status", TROUBLE_STATUS, "status retry_after",
     "answers by \"status\" (503), with \"retry_after\" seconds if that is "
     "said"},
    {"silence", TROUBLE_SILENCE, "", "does not answer"},
    {"slow", TROUBLE_SLOW, "bytes", "sends \"bytes\" (100) a second"},
    {"cut", TROUBLE_CUT, "", "ends the connection in the middle of the body"},
    {"garbage", TROUBLE_GARBAGE, "", "sends a page of HTML by 200"},
    {"wrong-base", TROUBLE_WRONG_BASE, "", "says that the rates are dollars'"},
    {"wrong-rate", TROUBLE_WRONG_RATE, "percent",
     "sends rates that are \"percent\" (10) higher"},
};

static const struct {
    const char *name;
    size_t place;
    double least, most;
} trouble_numbers[] = {
    {"at", offsetof(struct trouble, at), 0, 1e9},
    {"seconds", offsetof(struct trouble, seconds), 0, 1e9},
    {"calls", offsetof(struct trouble, calls), 1, 1e9},
    {"retry_after", offsetof(struct trouble, retry_after), 0, 1e9},
    {"bytes", offsetof(struct trouble, bytes), 10, 1e9},
    {"percent", offsetof(struct trouble, percent), -99, 1000},
};

enum {
    TROUBLE_KINDS = sizeof trouble_kinds / sizeof *trouble_kinds,
    TROUBLE_NUMBERS = sizeof trouble_numbers / sizeof *trouble_numbers
};

static char trouble_why[TROUBLE_REASON];

static const char *trouble_complain(const char *before, struct json_part what,
                                    const char *behind) {
    snprintf(trouble_why, sizeof trouble_why, "%s%.*s%s", before,
             (int)(what.len < 48 ? what.len : 48), what.text, behind);
    return trouble_why;
}

static bool trouble_number(struct json_part value, double least, double most,
                           double *out) {
    char text[TROUBLE_NUMBER] = "";
    if (!json_is_number(value) || value.len >= sizeof text)
        return false;
    memcpy(text, value.text, value.len);
    *out = strtod(text, NULL);
    return *out >= least && *out <= most;
}

/* Whether the fault takes a member of that name. */
static bool trouble_takes(int kind, const char *name) {
    const char *at = strstr(trouble_kinds[kind].fields, name);
    return strcmp(name, "at") == 0 || strcmp(name, "seconds") == 0 ||
           strcmp(name, "calls") == 0 || (at && *name);
}

static const char *trouble_member(struct trouble *t, int kind,
                                  struct json_part name,
                                  struct json_part value) {
    char word[16] = "";
    double status;
    if (name.len < sizeof word)
        memcpy(word, name.text, name.len);
    if (strcmp(word, "fault") == 0)
        return NULL;
    if (strcmp(word, "provider") == 0) {
        for (int i = 0; i < FORMS; i++)
            if (json_equals(value, form_name(i))) {
                snprintf(t->provider, sizeof t->provider, "%s", form_name(i));
                return NULL;
            }
        return trouble_complain("no such provider here: ", value, "");
    }
    if (!trouble_takes(kind, word))
        return trouble_complain("this fault has no member \"", name, "\"");
    for (int i = 0; i < TROUBLE_NUMBERS; i++)
        if (strcmp(word, trouble_numbers[i].name) == 0 &&
            trouble_number(value, trouble_numbers[i].least,
                           trouble_numbers[i].most,
                           (double *)((char *)t + trouble_numbers[i].place)))
            return NULL;
    if (strcmp(word, "status") == 0 &&
        trouble_number(value, 300, 599, &status)) {
        t->status = (unsigned)status;
        return NULL;
    }
    return trouble_complain("\"", name, "\" has no value that is allowed");
}

const char *trouble_read(struct trouble *t, struct json_part line, double now) {
    struct json_part name = {"", 0}, value;
    size_t at = 0;
    int kind = 0;
    if (!json_is_valid(line) || !json_member(line, "fault", &name))
        return "it is no JSON object with a \"fault\"";
    while (kind < TROUBLE_KINDS && !json_equals(name, trouble_kinds[kind].name))
        kind++;
    if (kind == TROUBLE_KINDS)
        return trouble_complain("no such fault: ", name, "");
    *t = (struct trouble){.type = trouble_kinds[kind].type,
                          .name = trouble_kinds[kind].name,
                          .at = now,
                          .seconds = -1,
                          .calls = -1,
                          .status = 503,
                          .retry_after = -1,
                          .bytes = 100,
                          .percent = 10};
    while (json_next(line, &at, &name, &value)) {
        const char *why = trouble_member(t, kind, name, value);
        if (why)
            return why;
    }
    return NULL;
}

void trouble_print_all(FILE *out) {
    for (int i = 0; i < TROUBLE_KINDS; i++)
        fprintf(out, "  %-10s %s\n", trouble_kinds[i].name,
                trouble_kinds[i].help);
}
