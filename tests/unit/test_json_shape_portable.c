/* All that is said of shapes holds without SSE2, too. */
#define JSON_WITHOUT_SSE2
#include "common/json_shape.c"
#include "tests/unit/test_json_shape.c"
