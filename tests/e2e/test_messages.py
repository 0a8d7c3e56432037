"""Requests and their answers."""
import datetime
import json
import re
import time

import pytest

from amounts import (DATE, NOW_DATE, PREFIX, error, euro, is_error, message, rate_on,
                     read_rates, stake_of)
from places import SCALE
from waiting import sleep_until, wait_until

NOT_JSON = error("the message is not valid JSON")

# §S, §C, §D stand for the three values that are replaced.
TEMPLATE = ('{"type":"message","id":456,"payload":{"marketId":123456,'
            '"selectionId":987654,"odds":2.2,"stake":§S,"currency":§C,"date":§D}}')


def fill(template, stake="253.67", currency='"USD"', date=DATE):
    return template.replace("§S", stake).replace("§C", currency).replace("§D", date)


def assert_response(answer, template, stake):
    """All is as in the request but the three values."""
    pattern = re.escape(template).replace("§S", re.escape(stake))
    pattern = pattern.replace("§C", '"EUR"').replace("§D", NOW_DATE)
    assert re.fullmatch(pattern, answer, re.DOTALL), answer


@pytest.mark.smoke
def test_the_example_of_the_protocol(talk):
    """253.67 USD at 1.2222 are 207.55196 euro; all else stays."""
    assert euro("253.67", "1.2222") == "207.55196"
    assert_response(talk.ask(fill(TEMPLATE)), TEMPLATE, "207.55196")


def test_date_of_the_response_is_the_moment_of_conversion(talk):
    before = time.time()
    told = json.loads(talk.ask(message()))["payload"]["date"]
    moment = datetime.datetime.fromisoformat(told.replace("Z", "+00:00")).timestamp()
    assert before - 0.001 <= moment <= time.time()


def test_date_of_the_response_can_be_that_of_the_request(upstream, start):
    """RESPONSE_DATE=request leaves the date as it was written."""
    start(upstream, RESPONSE_DATE="request")
    for date in ('"2021-05-18T23:32:42.3+02:00"', '"2021-05-1\\u0038"'):
        answer = upstream.link.ask(message(date=date))
        assert f'"date":{date}' in answer
        assert stake_of(answer) == "207.55196"


TEMPLATES = {
    "white space": ' {\t"type" : "message" ,\r\n "id":1 , "payload" : '
                   '{ "stake" : §S , "currency":\t§C,\n"date" : §D } } \n',
    "another order": '{"payload":{"date":§D,"currency":§C,"stake":§S},"id":1,'
                     '"type":"message"}',
    "unknown fields": '{"x":[1,{"stake":2}],"type":"message","id":1,"payload":{"a":null,'
                      '"stake":§S,"b":true,"currency":§C,"c":{"date":"no"},"date":§D,'
                      '"d":[]},"y":false}',
    "digits of numbers": '{"type":"message","id":1.50e+3,"payload":{"odds":2.20,"big":'
                         '123456789012345678901234567890.000,"e":1E-7,"z":-0.0,'
                         '"stake":§S,"currency":§C,"date":§D}}',
    "escapes": '{"type":"message","id":"\\u0041\\/\\"","payload":{"n":"\\ud83d\\ude00'
               '\\n","stake":§S,"currency":§C,"date":§D}}',
    "text in other scripts": '{"type":"message","id":"ž€𝄞","payload":{"名":"é",'
                             '"stake":§S,"currency":§C,"date":§D}}',
    "escaped names": '{"ty\\u0070e":"mess\\u0061ge","\\u0069d":1,"p\\u0061yload":'
                     '{"st\\u0061ke":§S,"\\u0063urrency":§C,"dat\\u0065":§D}}',
    "names that only look alike": '{"type":"message","id":1,"Type":"x","payload":'
                                  '{"Stake":1,"stake ":2,"stake":§S,"currency":§C,'
                                  '"date":§D,"DATE":"x","stake\\u0000":3}}',
    "the names elsewhere": '{"stake":1,"currency":"x","date":"y","type":"message","id":1,'
                           '"o":{"type":"heartbeat","id":2,"payload":3},"payload":'
                           '{"type":"error","id":9,"payload":{},"stake":§S,'
                           '"currency":§C,"date":§D}}',
    "duplicates among others": '{"a":1,"a":2,"type":"message","id":1,"payload":'
                               '{"b":1,"b":2,"stake":§S,"currency":§C,"date":§D}}',
    "an empty name": '{"":1,"type":"message","id":1,"payload":'
                     '{"":2,"stake":§S,"currency":§C,"date":§D}}',
    "32 levels": '{"x":' + "[" * 31 + "]" * 31 + ',"type":"message","id":1,"payload":'
                 '{"stake":§S,"currency":§C,"date":§D}}',
}


@pytest.mark.parametrize("template", TEMPLATES.values(), ids=TEMPLATES.keys())
def test_all_else_comes_back_byte_for_byte(talk, template):
    assert_response(talk.ask(fill(template)), template, "207.55196")


def test_currency_and_date_are_compared_after_unescaping(talk):
    text = fill(TEMPLATE, currency='"\\u0055SD"', date='"2021\\u002d05-18"')
    assert_response(talk.ask(text), TEMPLATE, "207.55196")


@pytest.mark.parametrize("ident", [
    "0", "-1", "456", "9223372036854775808", "123456789012345678901234567890",
    "1.5", "1e3", "-0", '""', '"abc"', '"456"', '"\\u0000"', '"a\\"b\\\\"', '"ž€𝄞"',
    '"' + "x" * 1000 + '"',
])
def test_ids_are_not_interpreted(talk, ident):
    """A string or a number comes back as it was sent, in errors too."""
    template = TEMPLATE.replace('"id":456', f'"id":{ident}')
    assert_response(talk.ask(fill(template)), template, "207.55196")
    assert talk.ask(message(ident, stake='"1"')) == error("stake must be a number", ident)


@pytest.mark.parametrize("ident", ["null", "true", "false", "[]", "{}", "[1]"])
def test_an_id_of_another_kind_is_an_error(talk, ident):
    assert talk.ask_nameless(message(ident)) == error("id must be a string or a number")


def test_a_missing_id_is_an_error(talk):
    answer = talk.ask_nameless(message().replace('"id":456,', ""))
    assert answer == error("id must be a string or a number")


def test_duplicate_ids_are_an_error_without_id(talk):
    answer = talk.ask_nameless(message().replace('"id":456', '"id":1,"id":2'))
    assert answer == error("a key is given twice")


@pytest.mark.parametrize("old, new", [
    ('"type":"message"', '"type":"message","type":"message"'),
    ('"payload":', '"payload":{},"payload":'),
    ('"stake":253.67', '"stake":1,"stake":253.67'),
    ('"stake":253.67', '"stake":253.67,"st\\u0061ke":253.67'),
    ('"currency":"USD"', '"currency":"USD","currency":"USD"'),
    ('"odds"', '"date":"2021-05-18","odds"'),
])
def test_a_duplicate_among_the_keys_read_is_an_error(talk, old, new):
    text = message().replace(old, new)
    assert text != message()
    assert talk.ask(text) == error("a key is given twice", "456")


@pytest.mark.parametrize("payload", ["null", "[]", '"x"', "1", "true"])
def test_a_payload_that_is_no_object_is_an_error(talk, payload):
    text = f'{{"type":"message","id":7,"payload":{payload}}}'
    assert talk.ask(text) == error("payload must be an object", "7")


def test_a_missing_payload_is_an_error(talk):
    assert is_error(talk.ask('{"type":"message","id":7}'), 7)


@pytest.mark.parametrize("name", ["stake", "currency", "date"])
@pytest.mark.parametrize("value", ["missing", "null", "true", "[]", "{}"])
def test_a_missing_value_or_one_of_another_kind_is_an_error(talk, name, value):
    values = {"stake": "1", "currency": '"USD"', "date": DATE}
    if value == "missing":
        del values[name]
    else:
        values[name] = value
    payload = ",".join(f'"{n}":{v}' for n, v in values.items())
    answer = talk.ask(f'{{"type":"message","id":"m","payload":{{{payload}}}}}')
    assert is_error(answer, "m") and name in answer


@pytest.mark.parametrize("text", [
    "", " ", "x", "nul", "{", "}", '{"type":"message"', "{'type':'message'}",
    '{"type":"message",}', '{"type" "message"}', '{"type":}', "{1:2}", '"\t"',
    '{"a":"\\x"}', '{"a":"\\u12g4"}', '{"a":01}', '{"a":1.}', '{"a":.5}', '{"a":+1}',
    '{"a":-}', '{"a":1e}', '{"a":NaN}', '{"a":Infinity}', '{"a":-Infinity}',
    '{"a":0x10}', '{"a":tRUE}', "{} {}", "{}x", "[1,]", '{"a":1 /* */}',
    "\ufeff{}", '{"a":"\x01"}', '{"a":"\n"}', "\x00", "\f{}",
])
def test_what_is_not_json_is_an_error_without_id(talk, text):
    """RFC 8259, strictly."""
    assert talk.ask_nameless(text) == NOT_JSON


@pytest.mark.parametrize("text", [
    message()[:-1], message() + "}", message() + message(), message(stake="NaN"),
    message(stake="-Infinity"), message(stake="1."), message(stake=".5"),
    message(stake="01"), message(stake="+1"), message(stake="0x1"),
    message(stake="1_000"), message(stake="1,5"), message(ident="01"),
    message(currency="'USD'"), message(date="2021-05-18"),
])
def test_a_request_that_is_not_json_is_an_error(talk, text):
    """Its id may have been read before the fault."""
    assert talk.ask_nameless(text) in (NOT_JSON, NOT_JSON.replace("null", "456"))


@pytest.mark.parametrize("text", ["[]", "null", "true", "1", '"x"', '["message"]'])
def test_a_top_level_that_is_no_object_is_an_error(talk, text):
    assert talk.ask_nameless(text) == error("the message is not a JSON object")


@pytest.mark.parametrize("text", [
    message().replace('"odds":2.2', '"odds":' + "[" * 31 + "]" * 31),
    message().replace('"odds":2.2', '"odds":' + '{"a":' * 31 + "1" + "}" * 31),
    "[" * 33 + "]" * 33,
    "[" * 60000,
    '{"a":' * 10000,
], ids=["33 arrays", "33 objects", "33 from the top", "60,000", "unclosed objects"])
def test_deeper_than_32_levels_is_an_error(talk, text):
    answer = talk.ask_nameless(text)
    assert is_error(answer, json.loads(answer)["id"]) and "32 levels" in answer


@pytest.mark.parametrize("text", [
    "{}", '{"id":1}', '{"type":"other","id":1}', '{"type":"Message","id":1}',
    '{"type":"message ","id":1}', '{"type":null,"id":1}', '{"type":1,"id":1}',
    '{"type":["message"],"id":1}', '{"type":"error","id":1,"message":"x"}',
    '{"type":"heartbeat"}', '{"type":"heartbeat","id":1,"payload":{}}',
    '{"payload":{"type":"message"}}', '{"type":"","id":1}',
])
def test_a_missing_or_unknown_type_is_not_answered(talk, text):
    """The next answer is that of the next message."""
    talk.upstream.link.send(text)
    assert talk.ask(message("991", "1", '"EUR"')).startswith('{"type":"message","id":991,')


def test_what_is_not_answered_is_counted_and_logged(upstream, start):
    service = start(upstream)
    upstream.link.send('{"type":"other"}', '{"type":"error","id":1,"message":"odd-words"}')
    service.wait_counter('fxwire_requests_total{result="ignored"}', 2)
    service.wait_log("upstream_error.*odd-words")
    service.wait_log("message_ignored")


@pytest.mark.parametrize("currency", [
    '"usd"', '"Usd"', '"US"', '"USDX"', '""', '"U D"', '"U1D"', '"ÜSD"', '"USD "',
    '"USD\\u0000"', '"' + "A" * 1000 + '"', "1", '"$"',
])
def test_a_currency_is_three_upper_case_letters(talk, currency):
    answer = talk.ask(message(currency=currency))
    assert answer == error("currency must be three upper-case letters", "456")


@pytest.mark.parametrize("currency, date", [
    ("XXX", "2021-05-18"), ("XAF", "2021-05-18"), ("RUB", "2025-06-13"),
    ("TRL", "2021-05-18"), ("ROL", "2021-05-18"), ("BRL", "2002-01-02"),
])
def test_a_currency_that_no_table_has_is_an_error(talk, currency, date):
    answer = talk.ask(message(currency=f'"{currency}"', date=f'"{date}"'))
    assert answer == error("no rate of this currency for this date", "456")


@pytest.mark.parametrize("currency, date", [
    ("HRK", "2021-05-18"), ("BGN", "2025-06-13"), ("CYP", "1999-01-04"),
    ("TRL", "2002-01-07"), ("IDR", "2025-04-11"), ("JPY", "1999-01-08"),
])
def test_currencies_of_their_time_are_converted(talk, currency, date):
    rate = rate_on(read_rates(), date, currency)
    answer = talk.ask(message(stake="1234.5", currency=f'"{currency}"', date=f'"{date}"'))
    assert stake_of(answer) == euro("1234.5", rate)


@pytest.mark.smoke
def test_two_messages_with_one_id_are_two_requests(talk):
    """With equal and with different content."""
    link = talk.upstream.link
    before = len(link.answers)
    link.send(message("5"), message("5"), message("5", "1", '"EUR"'))
    got = link.wait_answers(before + 3)[before:]
    assert sorted(map(stake_of, got)) == ["1", "207.55196", "207.55196"]
    assert all('"id":5,' in answer for answer in got)


@pytest.mark.smoke
def test_ten_errors_without_id_a_second(upstream, start):
    """The rest is counted; errors with an id are not bounded."""
    service = start(upstream)
    link = upstream.link
    link.send(*["x"] * 30, *[message(str(i), "null") for i in range(50)])
    link.wait_answers(60)
    assert link.answers.count(NOT_JSON) == 10
    service.wait_counter('fxwire_requests_total{result="unanswered"}', 20)
    sleep_until(link.answer_times[-1] + 1.1)
    assert link.ask("x") == NOT_JSON


@pytest.mark.parametrize("limit", [64, 1000, 65536])
def test_the_longest_message_accepted(upstream, start, limit):
    """MAX_MESSAGE_BYTES are accepted, one more byte is an error without id."""
    start(upstream, MAX_MESSAGE_BYTES=limit)
    link = upstream.link
    text = '{"type":"message","id":1,"payload":[]}'
    fits = text + " " * (limit - len(text))
    assert link.ask(fits) == error("payload must be an object", "1")
    assert link.ask(fits + " ") == error("the message is too long")
    assert link.ask(fits) == error("payload must be an object", "1")
    assert len(upstream.links) == 1


def test_a_long_request_is_answered_whole(upstream, start):
    """A request of the longest length comes back with its filling."""
    start(upstream, MAX_MESSAGE_BYTES=1000000)
    template = TEMPLATE.replace('"odds":2.2', '"filling":"' + "ab" * 499000 + '"')
    assert_response(upstream.link.ask(fill(template)), template, "207.55196")


@pytest.mark.smoke
def test_up_to_16_mib_are_read_past(upstream, start):
    """An error without an id; the connection stays."""
    start(upstream, HEARTBEAT_TIMEOUT_SECONDS=30)
    link = upstream.link
    assert link.ask("x" * 2**24, 30) == error("the message is too long")
    assert stake_of(link.ask(message())) == "207.55196"
    assert len(upstream.links) == 1


def test_beyond_16_mib_is_closed_with_1009(upstream, start):
    start(upstream, HEARTBEAT_TIMEOUT_SECONDS=30)
    link = upstream.link
    try:
        link.send("x" * (2**24 + 1))
    except Exception:  # pylint: disable=broad-except
        pass  # it may be closed before all is sent
    link.wait_end()
    assert link.close_code == 1009
    assert stake_of(upstream.wait_link(2).ask(message())) == "207.55196"


@pytest.mark.parametrize("data", [b"", b"\x00", message().encode()])
def test_binary_is_closed_with_1003(upstream, start, data):
    start(upstream)
    link = upstream.link
    link.send(data)
    link.wait_end()
    assert link.close_code == 1003
    assert stake_of(upstream.wait_link(2).ask(message())) == "207.55196"


@pytest.mark.smoke
def test_a_burst_of_10000_requests(upstream, start):
    """Each is answered once, with its own amount."""
    start(upstream, HEARTBEAT_TIMEOUT_SECONDS=30)
    rates = read_rates()
    days, codes = ["2021-05-18", "2021-05-19", "2025-06-13"], ["USD", "JPY", "GBP", "CHF"]
    count = 10000 if SCALE == 1 else 2000
    asked = {}
    for i in range(count):
        day, code, stake = days[i % 3], codes[i % 4], f"{i}.{i % 100:02d}"
        asked[i] = message(str(i), stake, f'"{code}"', f'"{day}"'), euro(stake, rates[day][code])
    link = upstream.link
    link.send(*(text for text, _ in asked.values()))
    got = {json.loads(a)["id"]: stake_of(a) for a in link.wait_answers(count, 30)}
    assert got == {i: amount for i, (_, amount) in asked.items()}
    assert len(link.answers) == count


def test_no_answer_is_ever_doubled(talk):
    """All that was asked in this module had one answer each."""
    link = talk.upstream.link
    before = len(link.answers)
    link.ask(message("1", "1", '"EUR"'))
    wait_until(lambda: len(link.answers) == before + 1, "one answer")
    assert not link.ended


@pytest.mark.smoke
def test_a_request_waits_for_its_rate_no_longer_than_allowed(upstream, start):
    """REQUEST_TIMEOUT_SECONDS: then an error; others go on; late rates serve."""
    service = start(upstream, REQUEST_TIMEOUT_SECONDS="0.5")
    link = upstream.link
    assert stake_of(link.ask(message("0"))) == "207.55196"
    with service.pause("ratefetcher"):
        asked = time.monotonic()
        link.send(message("1", date='"2021-05-19"'))
        assert stake_of(link.ask(message("2"))) == "207.55196"  # a known day
        link.wait_answers(3)
        assert link.answers[2] == error("no rate came in time", "1")
        assert 0.45 < link.answer_times[2] - asked < 1.5 * SCALE
    assert stake_of(link.ask(message("3", date='"2021-05-19"'))) == euro("253.67", "1.2212")
    assert len(link.answers) == 4
    service.wait_counter('fxwire_requests_total{result="timeout"}', 1)


def test_a_full_ledger_refuses_and_keeps_what_it_has(upstream, start):
    """PENDING_MAX_BYTES: new requests get an error at once, old ones their answer."""
    service = start(upstream, PENDING_MAX_BYTES=4096, REQUEST_TIMEOUT_SECONDS=30)
    link = upstream.link
    with service.pause("ratefetcher"):
        link.send(*(message(str(i)) for i in range(100)))
        # A known answer behind them: all of them were read when it comes.
        wait_until(lambda: link.answers, "refusals")
        last = link.ask('{"type":"message","id":"last","payload":{}}')
        refused = {json.loads(a)["id"] for a in link.answers if is_error(a, json.loads(a)["id"])}
        assert 0 < len(refused) <= 101 and refused - {"last"} < set(range(100)), last
    answers = {json.loads(a)["id"]: a for a in link.wait_answers(101)}
    assert set(answers) == {*range(100), "last"}
    for ident, answer in answers.items():
        if ident in refused:
            assert answer.startswith('{"type":"error"') and PREFIX in answer
        else:
            assert stake_of(answer) == "207.55196"
    assert set(range(100)) - refused, "nothing was taken"
    assert stake_of(link.ask(message())) == "207.55196"
