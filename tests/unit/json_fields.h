/* Where wanted fields stand in a text, and where they do not. */
#ifndef FXWIRE_TESTS_UNIT_JSON_FIELDS_H
#define FXWIRE_TESTS_UNIT_JSON_FIELDS_H

#include "common/json_scan.h"

/* What requests are asked for. */
enum { TYPE, ID, PAYLOAD, STAKE, CURRENCY, FIELDS };

static const struct json_field fields[FIELDS + 1] = {
    [TYPE] = JSON_FIELD(JSON_TOP, "type"),
    [ID] = JSON_FIELD(JSON_TOP, "id"),
    [PAYLOAD] = JSON_FIELD(JSON_TOP, "payload"),
    [STAKE] = JSON_FIELD(PAYLOAD, "stake"),
    [CURRENCY] = JSON_FIELD(PAYLOAD, "currency"),
    [FIELDS] = JSON_FIELDS_END,
};

/*
 * What a scan has to find; fields not named are absent. The span must begin
 * where its text first stands within the whole, so no other value may be
 * written alike before it.
 */
struct field_case {
    const char *text;
    enum json_error error;
    struct wanted_field {
        const char *text;
        enum json_kind kind;
        bool duplicate;
    } wanted[FIELDS];
};

/* 32 levels within "x", one too many with the object around them. */
#define TOO_DEEP "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["

static const struct field_case field_cases[] = {
    {"{\"type\":\"message\",\"id\":456,\"payload\":{\"stake\":253.67,"
     "\"currency\":\"USD\"}}",
     JSON_OK,
     {{"\"message\"", JSON_STRING, false},
      {"456", JSON_NUMBER, false},
      {"{\"stake\":253.67,\"currency\":\"USD\"}", JSON_OBJECT, false},
      {"253.67", JSON_NUMBER, false},
      {"\"USD\"", JSON_STRING, false}}},
    /* Any order, unknown fields between, white space at each place. */
    {"{\"payload\":{\"odds\":2.20,\"currency\":\"GBP\",\"stake\":7},\"id\":8,"
     "\"a\":[],\"type\":9}",
     JSON_OK,
     {{"9", JSON_NUMBER, false},
      {"8", JSON_NUMBER, false},
      {"{\"odds\":2.20,\"currency\":\"GBP\",\"stake\":7}", JSON_OBJECT, false},
      {"7", JSON_NUMBER, false},
      {"\"GBP\"", JSON_STRING, false}}},
    {"\t{ \"id\" \n:\r\n 12 \t,  \"payload\" : { \"stake\" :  -0.50e1  } , "
     "\"type\":\" x \" } ",
     JSON_OK,
     {{"\" x \"", JSON_STRING, false},
      {"12", JSON_NUMBER, false},
      {"{ \"stake\" :  -0.50e1  }", JSON_OBJECT, false},
      {"-0.50e1", JSON_NUMBER, false}}},
    {"{}", JSON_OK, {{0}}},
    {"{\"payload\":{}}", JSON_OK, {[PAYLOAD] = {"{}", JSON_OBJECT, false}}},
    /* Values of each kind. */
    {"{\"id\":\"\"}", JSON_OK, {[ID] = {"\"\"", JSON_STRING, false}}},
    {"{\"id\":\"a\\\"b\\\\\"}",
     JSON_OK,
     {[ID] = {"\"a\\\"b\\\\\"", JSON_STRING, false}}},
    {"{\"id\":0}", JSON_OK, {[ID] = {"0", JSON_NUMBER, false}}},
    {"{\"id\":true}", JSON_OK, {[ID] = {"true", JSON_BOOLEAN, false}}},
    {"{\"id\":false}", JSON_OK, {[ID] = {"false", JSON_BOOLEAN, false}}},
    {"{\"id\":null}", JSON_OK, {[ID] = {"null", JSON_NULL, false}}},
    {"{\"id\":[1, 2 ]}", JSON_OK, {[ID] = {"[1, 2 ]", JSON_ARRAY, false}}},
    {"{\"id\":[ ]}", JSON_OK, {[ID] = {"[ ]", JSON_ARRAY, false}}},
    {"{\"id\":{\"id\":{}}}",
     JSON_OK,
     {[ID] = {"{\"id\":{}}", JSON_OBJECT, false}}},
    {"{\"payload\":null}", JSON_OK, {[PAYLOAD] = {"null", JSON_NULL, false}}},
    {"{\"payload\":{\"stake\":{\"stake\":1}}}",
     JSON_OK,
     {[PAYLOAD] = {"{\"stake\":{\"stake\":1}}", JSON_OBJECT, false},
      [STAKE] = {"{\"stake\":1}", JSON_OBJECT, false}}},
    /* Names are compared after unescaping. */
    {"{\"payload\":{\"st\\u0061ke\":31}}",
     JSON_OK,
     {[PAYLOAD] = {"{\"st\\u0061ke\":31}", JSON_OBJECT, false},
      [STAKE] = {"31", JSON_NUMBER, false}}},
    {"{\"p\\u0061yloa\\u0064\":{\"\\u0073take\":32},\"\\u0069\\u0064\":33}",
     JSON_OK,
     {[ID] = {"33", JSON_NUMBER, false},
      [PAYLOAD] = {"{\"\\u0073take\":32}", JSON_OBJECT, false},
      [STAKE] = {"32", JSON_NUMBER, false}}},
    {"{\"\\u0069d\":34,\"\\u0074\\u0079\\u0070\\u0065\":35}",
     JSON_OK,
     {[TYPE] = {"35", JSON_NUMBER, false}, [ID] = {"34", JSON_NUMBER, false}}},
    /* Names that are not quite theirs. */
    {"{\"id\\u0000\":1,\"\\u0000id\":2,\"i\\u0000d\":3,\"\\u0000\":4}",
     JSON_OK,
     {{0}}},
    {"{\"ID\":1,\"Id\":2,\"id \":3,\" id\":4,\"i\":5,\"idd\":6,\"\":7,"
     "\"\\u0069\":8,\"i\\u0064x\":9,\"\\tid\":0,\"i/d\":1,\"\\\"id\\\"\":2}",
     JSON_OK,
     {{0}}},
    {"{\"\\u0169d\":1,\"i\\u6464\":2,\"\\u006900\":3,\"\xC4\xB1"
     "d\":4}",
     JSON_OK,
     {{0}}},
    {"{\"payload\":{\"Stake\":1,\"stak\":2,\"stakes\":3,\"id\":4,\"type\":5}}",
     JSON_OK,
     {[PAYLOAD] = {"{\"Stake\":1,\"stak\":2,\"stakes\":3,\"id\":4,\"type\":5}",
                   JSON_OBJECT, false}}},
    /* The right name in the wrong place. */
    {"{\"stake\":1,\"currency\":2}", JSON_OK, {{0}}},
    {"[{\"id\":1,\"payload\":{\"stake\":2}}]", JSON_OK, {{0}}},
    {"[[],\"id\",{\"id\":1}]", JSON_OK, {{0}}},
    {"{\"a\":{\"payload\":{\"stake\":1}}}", JSON_OK, {{0}}},
    {"{\"a\":{\"id\":1,\"type\":2,\"stake\":3}}", JSON_OK, {{0}}},
    {"{\"a\":[{\"id\":1}],\"b\":[[{\"payload\":{}}]]}", JSON_OK, {{0}}},
    {"{\"\":{\"stake\":1,\"id\":2}}", JSON_OK, {{0}}},
    {"{\"a\":\"\\\"id\\\":1\",\"b\":\"id\",\"c\":\"payload\"}", JSON_OK, {{0}}},
    {"{\"payload\":{\"payload\":{\"stake\":1}}}",
     JSON_OK,
     {[PAYLOAD] = {"{\"payload\":{\"stake\":1}}", JSON_OBJECT, false}}},
    {"{\"payload\":{\"a\":{\"stake\":1},\"b\":[{\"stake\":2}]}}",
     JSON_OK,
     {[PAYLOAD] = {"{\"a\":{\"stake\":1},\"b\":[{\"stake\":2}]}", JSON_OBJECT,
                   false}}},
    {"{\"payload\":[{\"stake\":1},\"stake\",2]}",
     JSON_OK,
     {[PAYLOAD] = {"[{\"stake\":1},\"stake\",2]", JSON_ARRAY, false}}},
    {"{\"payload\":\"stake\"}",
     JSON_OK,
     {[PAYLOAD] = {"\"stake\"", JSON_STRING, false}}},
    {"{\"id\":{\"stake\":1},\"type\":{\"currency\":2,\"id\":3}}",
     JSON_OK,
     {[TYPE] = {"{\"currency\":2,\"id\":3}", JSON_OBJECT, false},
      [ID] = {"{\"stake\":1}", JSON_OBJECT, false}}},
    {"{\"payload\":{\"id\":5},\"id\":6}",
     JSON_OK,
     {[ID] = {"6", JSON_NUMBER, false},
      [PAYLOAD] = {"{\"id\":5}", JSON_OBJECT, false}}},
    /* Of duplicates the first is given. */
    {"{\"id\":41,\"id\":42}", JSON_OK, {[ID] = {"41", JSON_NUMBER, true}}},
    {"{\"id\":43,\"\\u0069d\":44}",
     JSON_OK,
     {[ID] = {"43", JSON_NUMBER, true}}},
    {"{\"id\":\"a\",\"id\":null,\"id\":[]}",
     JSON_OK,
     {[ID] = {"\"a\"", JSON_STRING, true}}},
    {"{\"id\":null,\"id\":45}", JSON_OK, {[ID] = {"null", JSON_NULL, true}}},
    {"{\"payload\":{\"stake\":46,\"stake\":47}}",
     JSON_OK,
     {[PAYLOAD] = {"{\"stake\":46,\"stake\":47}", JSON_OBJECT, false},
      [STAKE] = {"46", JSON_NUMBER, true}}},
    {"{\"payload\":{\"stake\":48},\"payload\":{\"stake\":49}}",
     JSON_OK,
     {[PAYLOAD] = {"{\"stake\":48}", JSON_OBJECT, true},
      [STAKE] = {"48", JSON_NUMBER, true}}},
    {"{\"payload\":1,\"payload\":{\"stake\":50}}",
     JSON_OK,
     {[PAYLOAD] = {"1", JSON_NUMBER, true},
      [STAKE] = {"50", JSON_NUMBER, false}}},
    {"{\"a\":1,\"a\":2,\"id\":3,\"payload\":{\"a\":4,\"a\":5}}",
     JSON_OK,
     {[ID] = {"3", JSON_NUMBER, false},
      [PAYLOAD] = {"{\"a\":4,\"a\":5}", JSON_OBJECT, false}}},
    {"{\"id\":61,\"payload\":{\"id\":62},\"a\":{\"id\":63}}",
     JSON_OK,
     {[ID] = {"61", JSON_NUMBER, false},
      [PAYLOAD] = {"{\"id\":62}", JSON_OBJECT, false}}},
    /* What was whole before a fault is kept. */
    {"{\"id\":71,\"x\":!}", JSON_SYNTAX, {[ID] = {"71", JSON_NUMBER, false}}},
    {"{\"id\":71,", JSON_SYNTAX, {[ID] = {"71", JSON_NUMBER, false}}},
    {"{\"id\":71 ,", JSON_SYNTAX, {[ID] = {"71", JSON_NUMBER, false}}},
    {"{\"id\":71,}", JSON_SYNTAX, {[ID] = {"71", JSON_NUMBER, false}}},
    {"{\"id\":71,\"id", JSON_SYNTAX, {[ID] = {"71", JSON_NUMBER, false}}},
    {"{\"id\":71,\"id\":!}", JSON_SYNTAX, {[ID] = {"71", JSON_NUMBER, false}}},
    {"{\"id\":71}}", JSON_SYNTAX, {[ID] = {"71", JSON_NUMBER, false}}},
    {"{\"id\":71} {", JSON_SYNTAX, {[ID] = {"71", JSON_NUMBER, false}}},
    {"{\"id\":\"a,b\",\"x\":01}",
     JSON_SYNTAX,
     {[ID] = {"\"a,b\"", JSON_STRING, false}}},
    {"{\"id\":[1,{}] ,\"x\"}",
     JSON_SYNTAX,
     {[ID] = {"[1,{}]", JSON_ARRAY, false}}},
    {"{\"id\":72,\"x\":" TOO_DEEP,
     JSON_TOO_DEEP,
     {[ID] = {"72", JSON_NUMBER, false}}},
    {"{\"id\":73,\"payload\":{\"stake\":74,\"currency\":}}",
     JSON_SYNTAX,
     {[ID] = {"73", JSON_NUMBER, false}, [STAKE] = {"74", JSON_NUMBER, false}}},
    {"{\"payload\":{\"stake\":75} \"id\":76}",
     JSON_SYNTAX,
     {[STAKE] = {"75", JSON_NUMBER, false}}},
    {"{\"payload\":{\"stake\":77},\"x\":tru}",
     JSON_SYNTAX,
     {[PAYLOAD] = {"{\"stake\":77}", JSON_OBJECT, false},
      [STAKE] = {"77", JSON_NUMBER, false}}},
    {"{\"id\":78,\"id\":79,x}",
     JSON_SYNTAX,
     {[ID] = {"78", JSON_NUMBER, true}}},
    /* What was not whole is not. */
    {"{\"id\":01}", JSON_SYNTAX, {{0}}},
    {"{\"id\":-01,\"type\":1}", JSON_SYNTAX, {{0}}},
    {"{\"id\":1", JSON_SYNTAX, {{0}}},
    {"{\"id\":1 ", JSON_SYNTAX, {{0}}},
    {"{\"id\":1]", JSON_SYNTAX, {{0}}},
    {"{\"id\":1 2}", JSON_SYNTAX, {{0}}},
    {"{\"id\":1.}", JSON_SYNTAX, {{0}}},
    {"{\"id\":1.5.5}", JSON_SYNTAX, {{0}}},
    {"{\"id\":1e}", JSON_SYNTAX, {{0}}},
    {"{\"id\":1x}", JSON_SYNTAX, {{0}}},
    {"{\"id\":\"a", JSON_SYNTAX, {{0}}},
    {"{\"id\":\"a\"", JSON_SYNTAX, {{0}}},
    {"{\"id\":\"a\"b}", JSON_SYNTAX, {{0}}},
    {"{\"id\":\"a\\q\",\"x\":1}", JSON_SYNTAX, {{0}}},
    {"{\"id\":true1}", JSON_SYNTAX, {{0}}},
    {"{\"id\":nul}", JSON_SYNTAX, {{0}}},
    {"{\"id\":[1,]}", JSON_SYNTAX, {{0}}},
    {"{\"id\":{\"a\":1}", JSON_SYNTAX, {{0}}},
    {"{\"id\" 1}", JSON_SYNTAX, {{0}}},
    {"{\"id\":}", JSON_SYNTAX, {{0}}},
    {"{\"x\":!,\"id\":1}", JSON_SYNTAX, {{0}}},
    {"{\"id\":" TOO_DEEP, JSON_TOO_DEEP, {{0}}},
    {"[{\"id\":1},x]", JSON_SYNTAX, {{0}}},
    {"{id:1}", JSON_SYNTAX, {{0}}},
    {"", JSON_SYNTAX, {{0}}},
};

#endif
