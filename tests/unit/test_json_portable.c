/* All that is said of the scanner holds without SSE2, too. */
#define JSON_WITHOUT_SSE2
#include "common/json_scan.c"
#include "tests/unit/test_json_scan.c"
