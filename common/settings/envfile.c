#include "common/settings/envfile.h"

#include <ctype.h>
#include <stdlib.h>
#include <sys/queue.h>

#include "common/memory.h"

/* So many ${NAME:-${NAME:-...}} are read. */
enum { MAX_DEPTH = 16 };

struct variable {
    TAILQ_ENTRY(variable) entry;
    char *name, *value;
    int line;
    bool referred;
};

struct reader {
    const struct envfile_events *events;
    const char *at;
    const char *end;
    int line;
    TAILQ_HEAD(variables, variable) variables; /* of the lines so far */
    char *value;
    size_t len, size;
    const char *why; /* the value is none; NULL: it is one */
    int depth;       /* of ${ within each other */
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

/* What may be a secret is left nowhere in memory. */
static void put(struct reader *r, const char *bytes, size_t len) {
    if (len > r->size - r->len) {
        char *old = r->value;
        size_t size = 2 * r->size + len;
        r->value = memory_new(size);
        memcpy(r->value, old, r->len);
        explicit_bzero(old, r->size);
        free(old);
        r->size = size;
    }
    memcpy(r->value + r->len, bytes, len);
    r->len += len;
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

static void fail(struct reader *r, const char *why) {
    if (r->why == NULL)
        r->why = why;
}

static const char *find_value(struct reader *r, const char *name) {
    struct variable *variable;
    const char *outside = r->events->outside(r->events->arg, name);
    TAILQ_FOREACH_REVERSE(variable, &r->variables, variables, entry)
    if (strcmp(variable->name, name) == 0) {
        variable->referred = true;
        return outside != NULL ? outside : variable->value;
    }
    return outside;
}

/* Puts what `name` stands for. */
static void put_value_of(struct reader *r, struct span name) {
    char *text = memory_copy(name.data, name.len);
    const char *value = find_value(r, text);
    if (value != NULL)
        put(r, value, strlen(value));
    else /* not by its name, which may be a piece of a password */
        fail(r, "a $NAME without a value (a $ that stands for itself is "
                "written \\$, or in single quotes)");
    free(text);
}

static bool skip_text(struct reader *r, const char *text) {
    size_t len = strlen(text);
    if ((size_t)(r->end - r->at) < len || memcmp(r->at, text, len) != 0)
        return false;
    r->at += len;
    return true;
}

static void take_dollar(struct reader *r);

/* Puts what is said behind :-, up to the closing brace. */
static void take_otherwise(struct reader *r) {
    bool deep = ++r->depth > MAX_DEPTH;
    if (deep)
        fail(r, "too many ${ within each other");
    while (!deep && more(r) && *r->at != '}' && *r->at != '\n')
        if (*r->at == '$')
            take_dollar(r);
        else
            put(r, r->at++, 1);
    r->depth--;
}

/* Puts the value of `name`, or else what stands behind :-. */
static void take_value_or_otherwise(struct reader *r, struct span name) {
    char *text = memory_copy(name.data, name.len);
    const char *value = find_value(r, text), *why = r->why;
    size_t len = r->len;
    take_otherwise(r);
    if (value != NULL && *value != '\0') {
        bool closed = more(r) && *r->at == '}';
        r->why = closed ? why : r->why; /* what does not serve is no matter */
        r->len = len;
        put(r, value, strlen(value));
    }
    free(text);
}

/* Takes what stands in the braces behind ${. */
static void take_braces(struct reader *r) {
    struct span name = take_name(r);
    if (name.len > 0 && skip_text(r, ":-"))
        take_value_or_otherwise(r, name);
    else if (name.len > 0 && more(r) && *r->at == '}')
        put_value_of(r, name);
    if (name.len == 0 || !skip_text(r, "}"))
        fail(r, "${ must be followed by NAME} or NAME:-otherwise}");
}

/* Takes a $ and what it stands for; alone it is a $. */
static void take_dollar(struct reader *r) {
    r->at++;
    if (skip_text(r, "{"))
        take_braces(r);
    else if (more(r) && is_name_char(*r->at) && !isdigit((unsigned char)*r->at))
        put_value_of(r, take_name(r));
    else
        put(r, "$", 1);
}

/* Takes one character, which may be written by two. */
static void take_char(struct reader *r, const char *escaped) {
    char c = *r->at++;
    if (c == '\n')
        r->line++;
    if (c == '\\' && more(r) && *r->at != '\0' &&
        strchr(escaped, *r->at) != NULL)
        c = escape_meaning(*r->at++);
    put(r, &c, 1);
}

static void take_quoted(struct reader *r) {
    char quote = *r->at++;
    while (more(r) && *r->at != quote)
        if (quote == '"' && *r->at == '$')
            take_dollar(r);
        else
            take_char(r, quote == '"' ? "nt\"\\$" : "");
    if (!more(r)) {
        fail(r, "a quote that is not closed");
        return;
    }
    r->at++;
    skip_blanks(r);
    if (more(r) && *r->at != '\n' && *r->at != '#')
        fail(r, "something behind the closing quote");
}

static void take_bare(struct reader *r) {
    size_t end = 0; /* of what is no blank */
    bool after_blank = true;
    while (more(r) && *r->at != '\n' && !(*r->at == '#' && after_blank)) {
        after_blank = is_blank(*r->at);
        if (*r->at == '$')
            take_dollar(r);
        else
            take_char(r, "$");
        if (!after_blank)
            end = r->len;
    }
    r->len = end;
}

/* NULL, or why the value is none. */
static const char *take_value(struct reader *r) {
    r->len = 0;
    r->why = NULL;
    skip_blanks(r);
    if (more(r) && (*r->at == '"' || *r->at == '\''))
        take_quoted(r);
    else
        take_bare(r);
    if (memchr(r->value, '\0', r->len) != NULL)
        fail(r, "a NUL byte");
    put(r, "", 1);
    return r->why;
}

static void add_variable(struct reader *r, struct span name, int line) {
    struct variable *variable = memory_new(sizeof *variable);
    *variable = (struct variable){.name = memory_copy(name.data, name.len),
                                  .value = memory_copy(r->value, r->len - 1),
                                  .line = line};
    TAILQ_INSERT_TAIL(&r->variables, variable, entry);
}

static void read_line(struct reader *r) {
    const struct envfile_events *events = r->events;
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
    if (why != NULL)
        events->fault(events->arg, why, line);
    else
        add_variable(r, name, line);
}

static void hand_over(struct reader *r) {
    struct variable *variable;
    while ((variable = TAILQ_FIRST(&r->variables)) != NULL) {
        TAILQ_REMOVE(&r->variables, variable, entry);
        r->events->assigned(r->events->arg, variable->name, variable->value,
                            variable->line, variable->referred);
        free(variable->name);
        memory_wipe(variable->value);
        free(variable);
    }
}

void envfile_read(struct span text, const struct envfile_events *events) {
    struct reader r = {
        .events = events,
        .at = text.data,
        .end = text.data + text.len,
        .line = 1,
        .size = text.len + 1,
    };
    r.value = memory_new(r.size);
    TAILQ_INIT(&r.variables);
    while (more(&r)) {
        skip_blanks(&r);
        if (more(&r) && *r.at != '\n' && *r.at != '#')
            read_line(&r);
        skip_line(&r);
        if (more(&r)) {
            r.at++;
            r.line++;
        }
    }
    hand_over(&r);
    explicit_bzero(r.value, r.size);
    free(r.value);
}
