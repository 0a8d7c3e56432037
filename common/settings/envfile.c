#include "common/settings/envfile.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>

#include "common/memory.h"

struct reader {
    const char *at;
    const char *end;
    int line;
    char *value; /* as long as the rest of the file: no value is longer */
    size_t len;
};

static bool more(const struct reader *r) {
    return r->at < r->end;
}

static bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\r';
}

static void skip_blanks(struct reader *r) {
    while (more(r) && is_blank(*r->at))
        r->at++;
}

static void skip_line(struct reader *r) {
    while (more(r) && *r->at != '\n')
        r->at++;
}

static bool is_name_char(char c) {
    return isalnum((unsigned char)c) || c == '_';
}

static struct span take_name(struct reader *r) {
    const char *start = r->at;
    while (more(r) && is_name_char(*r->at))
        r->at++;
    return (struct span){start, (size_t)(r->at - start)};
}

static char escape_meaning(char c) {
    switch (c) {
    case 'n':
        return '\n';
    case 't':
        return '\t';
    default:
        return c;
    }
}

/* Takes a quoted value; false if its quote never ends. */
static bool take_quoted(struct reader *r, char quote) {
    for (r->at++; more(r); r->at++) {
        char c = *r->at;
        if (c == quote) {
            r->at++;
            return true;
        }
        if (c == '\n')
            r->line++;
        if (quote == '"' && c == '\\' && r->at + 1 < r->end &&
            memchr("nt\"\\$", r->at[1], 5) != NULL)
            c = escape_meaning(*++r->at);
        r->value[r->len++] = c;
    }
    return false;
}

static void take_bare(struct reader *r) {
    bool after_blank = true;
    for (; more(r) && *r->at != '\n'; r->at++) {
        if (*r->at == '#' && after_blank)
            break;
        after_blank = is_blank(*r->at);
        r->value[r->len++] = *r->at;
    }
    while (r->len > 0 && is_blank(r->value[r->len - 1]))
        r->len--;
}

/* NULL, or why the value is none. */
static const char *take_value(struct reader *r) {
    r->len = 0;
    skip_blanks(r);
    if (more(r) && (*r->at == '"' || *r->at == '\'')) {
        if (!take_quoted(r, *r->at))
            return "a quote that is not closed";
        skip_blanks(r);
        if (more(r) && *r->at != '\n' && *r->at != '#')
            return "something behind the closing quote";
    } else {
        take_bare(r);
    }
    if (memchr(r->value, '\0', r->len) != NULL)
        return "a NUL byte";
    r->value[r->len] = '\0';
    return NULL;
}

static void read_line(struct reader *r, const struct envfile_events *events) {
    int line = r->line;
    struct span name = take_name(r);
    if (span_equals(name, "export") && more(r) && is_blank(*r->at)) {
        skip_blanks(r);
        name = take_name(r);
    }
    skip_blanks(r);
    if (name.len == 0 || !more(r) || *r->at != '=') {
        events->fault(events->arg, "no NAME=value", line);
        return;
    }
    r->at++;
    const char *why = take_value(r);
    if (why != NULL) {
        events->fault(events->arg, why, line);
        return;
    }
    char *name_text = memory_copy(name.data, name.len);
    events->assigned(events->arg, name_text, r->value, line);
    free(name_text);
}

void envfile_read(struct span text, const struct envfile_events *events) {
    struct reader r = {
        .at = text.data,
        .end = text.data + text.len,
        .line = 1,
        .value = memory_new(text.len + 1),
    };
    while (more(&r)) {
        skip_blanks(&r);
        if (more(&r) && *r.at != '\n' && *r.at != '#')
            read_line(&r, events);
        skip_line(&r);
        if (more(&r)) {
            r.at++;
            r.line++;
        }
    }
    explicit_bzero(r.value, text.len); /* a secret, it may be */
    free(r.value);
}
