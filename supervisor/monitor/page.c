#include "supervisor/monitor/page.h"

/* Read by the assembler, from the folder in which make runs. */
__asm__(".pushsection .rodata\n"
        "page_html_begin:\n"
        ".incbin \"supervisor/monitor/page.html\"\n"
        "page_html_end:\n"
        ".popsection\n");

extern const char page_html_begin[], page_html_end[];

struct span page_html(void) {
    return (struct span){page_html_begin,
                         (size_t)(page_html_end - page_html_begin)};
}

/* The Makefile has the hashes of what stands between the tags. */
const char *page_policy(void) {
    return "default-src 'none'; script-src '" PAGE_SCRIPT_HASH "'; "
           "style-src '" PAGE_STYLE_HASH "'; img-src data:; "
           "connect-src 'self'; base-uri 'none'; form-action 'none'; "
           "frame-ancestors 'none'; require-trusted-types-for 'script'; "
           "trusted-types 'none'";
}
