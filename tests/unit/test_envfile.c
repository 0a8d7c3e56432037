/* The text of a .env file, line by line. */
#include <stdio.h>

#include "common/settings/envfile.h"
#include "tests/unit/unit.h"

#define NO_VALUE                                                               \
    "a $NAME without a value (a $ that stands for itself is written \\$, or "  \
    "in "                                                                      \
    "single quotes)"
#define BAD_BRACES "${ must be followed by NAME} or NAME:-otherwise}"

/*
 * A text, and what is called for it: "LINE NAME=[value];" for an assignment,
 * with a * if it was referred to, "LINE! why;" for a fault. These come first.
 */
static const struct envfile_case {
    const char *text, *events;
} envfile_cases[] = {
    {"", ""},
    {"\n\n", ""},
    {"A=1", "1 A=[1];"},
    {"A=1\n", "1 A=[1];"},
    {"A=1\nB=2\n", "1 A=[1];2 B=[2];"},
    {"\n \t\nA=1\n", "3 A=[1];"},
    {"A=1\r\nB=2\r\n", "1 A=[1];2 B=[2];"},
    {"A=\nB=2", "1 A=[];2 B=[2];"},
    {"A= \t \nB=2", "1 A=[];2 B=[2];"},
    {"A=", "1 A=[];"},
    {"A=1\nA=2\n", "1 A=[1];2 A=[2];"},
    /* Blanks. */
    {"  A\t =  a b  \t\n", "1 A=[a b];"},
    {"A =1", "1 A=[1];"},
    {"A= 1", "1 A=[1];"},
    {"A=a=b==", "1 A=[a=b==];"},
    /* Comments. */
    {"# A=1\n  # B=2\nC=3", "3 C=[3];"},
    {"#\nA=1", "2 A=[1];"},
    {"A=1 # one", "1 A=[1];"},
    {"A=1\t#one", "1 A=[1];"},
    {"A=1#one", "1 A=[1#one];"},
    {"A=# none", "1 A=[];"},
    {"A= # none", "1 A=[];"},
    {"A=a #b\nB=2", "1 A=[a];2 B=[2];"},
    {"A=##", "1 A=[];"},
    {"A='x' # c", "1 A=[x];"},
    {"A=\"x\"# c", "1 A=[x];"},
    {"A='#x'", "1 A=[#x];"},
    {"A=\"a # b\"", "1 A=[a # b];"},
    /* Quotes: single ones take all as it is. */
    {"A='a b'", "1 A=[a b];"},
    {"A=''", "1 A=[];"},
    {"A='  '", "1 A=[  ];"},
    {"A='$x \\n \"q\" \\'", "1 A=[$x \\n \"q\" \\];"},
    {"A='a\nb'\nB=1", "1 A=[a\nb];3 B=[1];"},
    {"A=\"a\"", "1 A=[a];"},
    {"A=\"\"", "1 A=[];"},
    {"A=\"it's\"", "1 A=[it's];"},
    {"A=\"a\\nb\\tc\\\\d\\\"e\\$f\"", "1 A=[a\nb\tc\\d\"e$f];"},
    {"A=\"\\a\\'\\x\"", "1 A=[\\a\\'\\x];"},
    {"A=\"a\n\nb\"\nB=1", "1 A=[a\n\nb];4 B=[1];"},
    {"A=a\"b\"c", "1 A=[a\"b\"c];"},
    {"A=it's", "1 A=[it's];"},
    {"A=a\\nb", "1 A=[a\\nb];"},
    {"A=\"a\" \t\r\nB=1", "1 A=[a];2 B=[1];"},
    /* export. */
    {"export A=1", "1 A=[1];"},
    {"export\tA=1", "1 A=[1];"},
    {"  export   A = 1", "1 A=[1];"},
    {"export=1", "1 export=[1];"},
    {"export =1", "1! no NAME=value;"},
    {"exporter=1", "1 exporter=[1];"},
    {"exportA=1", "1 exportA=[1];"},
    {"export export=1", "1 export=[1];"},
    /* Names. */
    {"a_B9=1", "1 a_B9=[1];"},
    {"_=1", "1 _=[1];"},
    /* Lines that are none, and the others go on. */
    {"A\nB=2", "1! no NAME=value;2 B=[2];"},
    {"=1\nB=2", "1! no NAME=value;2 B=[2];"},
    {"A B=1\nB=2", "1! no NAME=value;2 B=[2];"},
    {"A-B=1\nB=2", "1! no NAME=value;2 B=[2];"},
    {"A: 1\nB=2", "1! no NAME=value;2 B=[2];"},
    {"export\nB=2", "1! no NAME=value;2 B=[2];"},
    {"export A\nB=2", "1! no NAME=value;2 B=[2];"},
    {"\xc3\x84=1\nB=2", "1! no NAME=value;2 B=[2];"},
    {"A='x' y\nB=2", "1! something behind the closing quote;2 B=[2];"},
    {"A=\"x\"y\nB=2", "1! something behind the closing quote;2 B=[2];"},
    {"A='x''y'\nB=2", "1! something behind the closing quote;2 B=[2];"},
    {"A=\"a\nb\" c\nB=2", "1! something behind the closing quote;3 B=[2];"},
    {"B=1\nA='x", "2! a quote that is not closed;1 B=[1];"},
    {"A='x\nB=2\n", "1! a quote that is not closed;"},
    {"A=\"x\\\"", "1! a quote that is not closed;"},
    {"A=\"x\\", "1! a quote that is not closed;"},
    {"A='", "1! a quote that is not closed;"},
    {"A", "1! no NAME=value;"},
    /* What stands for other values: from outside, else from an earlier line. */
    {"A=$OUT", "1 A=[o];"},
    {"A=a${OUT}b$OUT-$OUT", "1 A=[aobo-o];"},
    {"A=\"${OUT} # $OUT\"", "1 A=[o # o];"},
    {"A='$OUT ${OUT}'", "1 A=[$OUT ${OUT}];"},
    {"A=1\nB=x$A", "1 A=[1]*;2 B=[x1];"},
    {"A=1\nA=2\nB=$A", "1 A=[1];2 A=[2]*;3 B=[2];"},
    {"OUT=1\nB=$OUT", "1 OUT=[1]*;2 B=[o];"},
    {"export A = ' 1 '\nB= $A # c", "1 A=[ 1 ]*;2 B=[ 1 ];"},
    {"A=${EMPTY}.${EMPTY:-b}${OUT:-b}${NONE:-a b}", "1 A=[.boa b];"},
    {"A=${NONE:-}", "1 A=[];"},
    {"A=$$ $1 $- a$", "1 A=[$$ $1 $- a$];"},
    {"A=a\\$OUT \"\\$OUT", "1 A=[a$OUT \"$OUT];"},
    {"A=#$OUT", "1 A=[];"},
    {"A=1#$OUT", "1 A=[1#o];"},
    {"A=x $EMPTY \nB=2", "1 A=[x ];2 B=[2];"},
    {"A=$OUTER\nB=2", "1! " NO_VALUE ";2 B=[2];"},
    {"A=$A", "1! " NO_VALUE ";"},
    {"A=$B\nB=2", "1! " NO_VALUE ";2 B=[2];"},
    {"A=\"${NONE}\"\nB=2", "1! " NO_VALUE ";2 B=[2];"},
    {"A=${OUT\nB=2", "1! " BAD_BRACES ";2 B=[2];"},
    {"A=${}", "1! " BAD_BRACES ";"},
    {"A=${OUT:+x}", "1! " BAD_BRACES ";"},
    {"A=${NONE:-${OUT}}.${NONE:-$OUT}.${NONE:-${NIL:-${OUT:-x}y}z}",
     "1 A=[o.o.oyz];"},
    {"A=${OUT:-${NONE}}${OUT:-${NONE:-x}}", "1 A=[oo];"},
    {"A=\"${NONE:-${OUT} b}\" # c", "1 A=[o b];"},
    {"A=1\nB=${NONE:-$A}", "1 A=[1]*;2 B=[1];"},
    {"A=${NONE:-${NIL}}\nB=2", "1! " NO_VALUE ";2 B=[2];"},
    {"A=${NONE:-${OUT}\nB=2", "1! " BAD_BRACES ";2 B=[2];"},
    {"A=${OUT:-${OUT}\nB=2", "1! " BAD_BRACES ";2 B=[2];"},
    {"A=${OUT:-x\nB=2", "1! " BAD_BRACES ";2 B=[2];"},
};

static char events[1024];

static void on_assigned(void *arg, const char *name, const char *value,
                        int line, bool referred) {
    assert_ptr_equal(arg, events);
    size_t len = strlen(events);
    snprintf(events + len, sizeof events - len, "%d %s=[%s]%s;", line, name,
             value, referred ? "*" : "");
}

static void on_fault(void *arg, const char *why, int line) {
    assert_ptr_equal(arg, events);
    size_t len = strlen(events);
    snprintf(events + len, sizeof events - len, "%d! %s;", line, why);
}

static const char *on_outside(void *arg, const char *name) {
    assert_ptr_equal(arg, events);
    if (strcmp(name, "EMPTY") == 0)
        return "";
    return strcmp(name, "OUT") == 0 ? "o" : NULL;
}

static const char *read_text(const char *text, size_t len) {
    struct envfile_events calls = {on_assigned, on_fault, on_outside, events};
    events[0] = '\0';
    envfile_read(exact_copy(text, len), &calls);
    return events;
}

static void texts(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(envfile_cases); i++) {
        const struct envfile_case *c = &envfile_cases[i];
        const char *found = read_text(c->text, strlen(c->text));
        if (strcmp(found, c->events) != 0)
            fail_msg("`%s` gives `%s`, not `%s`", c->text, found, c->events);
    }
}

static void nul_bytes(void **state) {
    (void)state;
    assert_string_equal(read_text("A=a\0b\nB=2", 9), "1! a NUL byte;2 B=[2];");
    assert_string_equal(read_text("A='a\0b'\nB=2", 11),
                        "1! a NUL byte;2 B=[2];");
    assert_string_equal(read_text("A\0=1\nB=2", 8),
                        "1! no NAME=value;2 B=[2];");
}

/* No prefix of a text is read beyond its end. */
static void cut_texts(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(envfile_cases); i++)
        for (size_t len = 0; len < strlen(envfile_cases[i].text); len++)
            read_text(envfile_cases[i].text, len);
    assert_string_equal(read_text("export A = \"b\" # c", 10), "1 A=[];");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts),
        cmocka_unit_test(nul_bytes),
        cmocka_unit_test(cut_texts),
    };
    return cmocka_run_group_tests_name("envfile", tests, NULL, NULL);
}
