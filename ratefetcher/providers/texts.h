/* The kinds of bodies of many days. Pure. */
#ifndef FXWIRE_RATEFETCHER_PROVIDERS_TEXTS_H
#define FXWIRE_RATEFETCHER_PROVIDERS_TEXTS_H

#include "ratefetcher/providers/web.h"

/* The ECB's CSV form, plain or as the one file of a ZIP archive. */
extern const struct web_text_reader csv_text;

/* The ECB's XML. */
extern const struct web_text_reader xml_text;

#endif
