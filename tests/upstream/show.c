#include "show.h"

static void show_char(FILE *out, unsigned char c) {
    if (c >= ' ' && c != 0x7f)
        putc(c, out);
    else if (c == '\n')
        fputs("\\n", out);
    else if (c == '\r')
        fputs("\\r", out);
    else if (c == '\t')
        fputs("\\t", out);
    else
        fprintf(out, "\\x%02x", c);
}

void show_text(FILE *out, const char *prefix, const char *text, size_t len) {
    fputs(prefix, out);
    for (size_t i = 0; i < len; i++)
        show_char(out, (unsigned char)text[i]);
}
