"""
mock-upstream, asked by a client that shares nothing with it or with fxwire:
Debian's python3-websockets, and Python's exact fractions.
"""
import asyncio
import json
import re
import subprocess
import time

import pytest
import websockets

from amounts import euro
from mocks import Mock, run_mock
from places import SCALE

RATES = "Date,USD,JPY,\n2021-05-18,1.2222,133.21,\n2021-05-17,1.2152,132.7,\n"
BEAT = '{"type":"heartbeat"}'


def request(ident, stake="253.67", currency="USD", date="2021-05-18", kind="message"):
    return ('{"type":"%s","id":%s,"payload":{"stake":%s,"currency":"%s", "date":"%s"}}'
            % (kind, json.dumps(ident), stake, currency, date))


def line(send, expect=None, at=None):
    """A line of a script."""
    members = [f'"send":{send}']
    members += [] if expect is None else [f'"expect":{json.dumps(expect)}']
    members += [] if at is None else [f'"at":{at}']
    return "{" + ",".join(members) + "}"


def answer(text, rates):
    """The right answer to a request in the form above."""
    ident = re.search(r'"id":("[^"]*"|[^,]*)', text)[1]
    stake, currency, date = re.search(
        r'"stake":([^,]*),"currency":"([^"]*)", "date":"([^"]*)"', text).groups()
    if currency not in rates:
        return ('{"type":"error","id":%s,"message":"Unable to convert stake. '
                'Error: none"}' % ident)
    now = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime())
    return (text.replace(f'"stake":{stake}', f'"stake":{euro(stake, rates[currency])}')
            .replace(f'"{currency}"', '"EUR"').replace(f'"{date}"', f'"{now}"'))


async def serve(mock, reply):
    """Answers on one connection after the other until the mock has ended."""
    links = 0
    while mock.process.poll() is None:
        try:
            async with websockets.connect(mock.url) as link:
                links += 1
                await link.send(BEAT)
                async for text in link:
                    if text != BEAT:
                        for each in reply(text):
                            await link.send(each)
        except (websockets.exceptions.WebSocketException, OSError, EOFError):
            await asyncio.sleep(0.05)
    return links


@pytest.fixture
def begin(tmp_path):
    """begin(lines, option...) starts one with that script."""
    made = []

    def start(lines, *options, **more):
        script = tmp_path / "script"
        script.write_text("".join(f"{each}\n" for each in lines))
        (tmp_path / "rates.csv").write_text(RATES)
        made.append(Mock(tmp_path, "mock-upstream", "--script", script, *options, **more))
        return made[-1]

    yield start
    for mock in made:
        mock.stop()


def play(mock, reply):
    """Serves it to its end; its exit code."""
    asyncio.run(asyncio.wait_for(serve(mock, reply), 30 * SCALE))
    return mock.wait()


def rightly(text):
    return [answer(text, {"USD": "1.2222", "JPY": "133.21", "EUR": "1"})]


ASKED = [line(request(1), "207.55196"), line(request("b"), 207.55196),
         line(request(3, currency="XXX"), "error"), "# a comment", "",
         line(request(4, kind="other"), "nothing")]


def only_messages(text):
    return rightly(text) if '"message"' in text else []


def test_right_answers_to_scripted_requests(begin):
    mock = begin(ASKED)
    assert play(mock, only_messages) == 0
    assert "asked 3, answered right 2, answered by error 1, wrong 0, twice 0, " \
        "unanswered 0\n" in mock.out()
    assert mock.out().endswith("result: right\n")


def test_requests_are_sent_as_they_stand(begin):
    odd = ('{ "id":7 ,"payload":{"stake":1.50e1,"currency":"USD", '
           '"date":"2021-05-18"},  "type":"message","odds":2.20}')
    seen = []
    mock = begin([line(odd, "nothing"), "  " + line(json.dumps('no "json" \u20ac'), "nothing")],
                 "--linger", "0.5")
    play(mock, lambda text: seen.append(text) or [])
    assert seen == [odd, 'no "json" \u20ac']


@pytest.mark.parametrize("rate,code", (("1.2222", 0), ("1.2223", 1)))
def test_answers_are_computed_from_rates(begin, tmp_path, rate, code):
    """A client that converts by another rate is found out."""
    mock = begin([request(1), request(2, "0.00001", "JPY"), request(3, "5", "EUR"),
                  request(4, currency="XXX")], "--rates", tmp_path / "rates.csv")
    assert play(mock, lambda text: [answer(text, {"USD": rate, "JPY": "133.21",
                                                  "EUR": "1"})]) == code
    assert ("WRONG, expected " in mock.out()) == bool(code)
    assert (f"wrong {code}, " in mock.out()) and \
        ("result: right\n" in mock.out()) == (not code)


@pytest.mark.parametrize("spoil", (
    lambda text: text.replace('"EUR"', '"USD"'),
    lambda text: text.replace('{"stake"', '{ "stake"'),
    lambda text: text.replace("Z\"", "+00:00\""),
    lambda text: text.replace("207.55196", "207.55197"),
    lambda text: text[:-1],
    lambda text: re.sub(r'"date":"[^"]*"', '"date":"2021-05-18T00:00:00.000Z"', text),
), ids=("currency", "blank", "zone", "stake", "brace", "date"))
def test_a_wrong_answer_is_found(begin, spoil):
    mock = begin([line(request(1), "207.55196")], "--patience", "1")
    assert play(mock, lambda text: [spoil(rightly(text)[0])]) == 1
    assert "result: NOT right" in mock.out()


def test_the_date_of_the_request(begin):
    asked = request(1, date="2021-05-18T00:00:00Z")
    kept = asked.replace("253.67", "207.55196").replace("USD", "EUR")
    assert play(begin([line(asked, "207.55196")], "--response-date", "request"),
                lambda _: [kept]) == 0
    assert play(begin([line(asked, "207.55196")]), lambda _: [kept]) == 1


@pytest.mark.parametrize("options,code", ((("--allow-errors",), 0), ((), 1)))
def test_errors_in_the_place_of_euros(begin, options, code):
    mock = begin([line(request(1), "207.55196")], *options)
    assert play(mock, lambda text: [answer(text, {})]) == code
    assert (", refused 1\n" in mock.out()) == (code == 0)


def test_a_missing_answer_and_one_too_many(begin):
    mock = begin([line(request(1), "207.55196"), line(request(2), "207.55196")],
                 "--patience", "0.5")
    assert play(mock, lambda text: rightly(text) * 2 if '"id":1' in text else []) == 1
    assert "wrong 0, twice 1, unanswered 1\n" in mock.out()
    assert mock.out().endswith("result: NOT right, unanswered: 1\n")


def test_two_requests_with_one_id_are_two(begin):
    mock = begin([line(request(1, "1.2222"), "1"), line(request(1, "2.4444"), "2")])
    waiting = []

    def reply(text):
        waiting.append(rightly(text)[0])
        return waiting[::-1] if len(waiting) == 2 else []

    assert play(mock, reply) == 0


def test_what_was_not_received_is_asked_again(begin):
    """The reset comes with the request, so no Pong says that it was received."""
    mock = begin([line(request(1), "207.55196"), '{"fault":"cut"}',
                  line(request(2), "207.55196")])
    assert play(mock, rightly) == 0
    assert "asked again 1," in mock.out() and "asked 2," in mock.out()


def test_what_was_received_is_not_asked_again(begin):
    """The client's library ponged at once; its answer comes on the next link."""
    mock = begin([line(request(1), "207.55196"), '{"fault":"close","code":1012,"at":1}'])
    late = []

    async def two_links():
        with pytest.raises(websockets.exceptions.ConnectionClosed):
            async with websockets.connect(mock.url) as link:
                while True:
                    late.append(await link.recv())
        async with websockets.connect(mock.url) as link:
            await link.send(rightly(late[1])[0])
            await link.wait_closed()

    asyncio.run(two_links())
    assert mock.wait() == 0
    assert "asked again 0," in mock.out()


def made_up(begin, tmp_path, count):
    """One that makes up so many requests, the next when one is answered."""
    return begin([], "--random", "--rates", tmp_path / "rates.csv", "--rate", "0",
                 "--window", "1", "--count", str(count), "--allow-errors")


def refused(text, reason="none"):
    """An error in the place of an answer, which is right or allowed."""
    return ('{"type":"error","id":%s,"message":"Unable to convert stake. Error: %s"}'
            % (re.search(r'"id": *([0-9]+)', text)[1], reason))


def test_twice_without_a_break_is_not_right(begin, tmp_path):
    mock = made_up(begin, tmp_path, 1)
    assert play(mock, lambda text: [refused(text)] * 2) == 1
    assert "twice 0, unanswered 0\n" in mock.out() and ", doubled 1\n" in mock.out()


@pytest.mark.parametrize("reason,code", (("none", 0), ("another", 1)))
def test_twice_across_a_break_has_the_same_bytes(begin, tmp_path, reason, code):
    mock = made_up(begin, tmp_path, 2)

    async def next_request(link):
        while BEAT == (text := await link.recv()):
            pass
        return text

    async def two_links():
        async with websockets.connect(mock.url) as link:
            first = await next_request(link)
            await link.send(refused(first))
            second = await next_request(link)  # so the Ping before it has its Pong
        async with websockets.connect(mock.url) as link:
            await link.send(refused(first, reason))
            await link.send(refused(second))
            await link.wait_closed()

    asyncio.run(two_links())
    assert mock.wait() == code
    assert (", doubled 1\n" in mock.out()) == bool(code)
    assert f"twice {1 - code}, unanswered 0\n" in mock.out()


async def until_closed(link):
    """What came, each with its moment, and the close codes received and sent."""
    came = []
    try:
        while True:
            text = await link.recv()
            came.append((time.monotonic(), text))
    except websockets.exceptions.ConnectionClosed as closed:
        return came, closed.rcvd and closed.rcvd.code, closed.sent and closed.sent.code


def meet(mock):
    async def one():
        async with websockets.connect(mock.url) as link:
            return await until_closed(link)
    return asyncio.run(one())


@pytest.mark.parametrize("kind,code", (
    ("reserved-bit", 1002), ("unknown-opcode", 1002), ("masked", 1002), ("bad-utf8", 1007),
    ("long-ping", 1002), ("fragmented-ping", 1002), ("lone-continuation", 1002),
    ("huge", 1009)))
def test_bad_frames(begin, kind, code):
    mock = begin([f'{{"fault":"frame","kind":"{kind}"}}'], "--linger", "20")
    assert meet(mock)[2] == code
    mock.wait_for(f"-- link 1 ended: the client closed by {code}\n")


def test_frames_that_a_client_takes(begin):
    mock = begin(['{"fault":"frame","kind":"binary"}',
                  '{"fault":"bytes","hex":"81036F6E65"}'])
    assert [text for _, text in meet(mock)[0]] == [BEAT, b"hi", "one"]


@pytest.mark.parametrize("fault,code", (('"close","code":4000', 4000), ('"cut","at":0.3', None)))
def test_close_and_cut(begin, fault, code):
    assert meet(begin([f'{{"fault":{fault}}}'], "--linger", "9"))[1] == code


def test_new_connections_are_cut_and_refused(begin):
    mock = begin(['{"fault":"refuse","status":429,"seconds":0.5}',
                  '{"fault":"cut","seconds":0.5,"at":1}',
                  line(request(1), "207.55196", at=1.1)])

    async def connect():
        async with websockets.connect(mock.url):
            pass

    assert meet(mock)[1] == 1001
    with pytest.raises(websockets.exceptions.InvalidHandshake, match="429"):
        asyncio.run(connect())
    mock.wait_for("-- fault cut")
    with pytest.raises((OSError, EOFError, websockets.exceptions.WebSocketException)):
        asyncio.run(connect())
    assert play(mock, rightly) == 0


def gaps_between_beats(came):
    moments = [moment for moment, text in came if text == BEAT]
    return [b - a for a, b in zip(moments, moments[1:])]


def moment_of(came, word):
    return next(moment for moment, text in came if word in text)


@pytest.mark.parametrize("fault,during", (("silence", False), ("no-beats", True)))
def test_silence_and_no_beats(begin, fault, during):
    """The request of the second second comes in the gap, or after it."""
    mock = begin([f'{{"fault":"{fault}","seconds":2.5,"at":0.3}}',
                  line(request(1), "nothing", at=1)], "--linger", "3")
    came = meet(mock)[0]
    assert max(gaps_between_beats(came)) > 2
    assert (moment_of(came, "message") - came[0][0] < 2) == during


def test_slow(begin):
    """Some 110 bytes at 50 a second."""
    mock = begin(['{"fault":"slow","seconds":9,"bytes":50,"at":0.3}', line(request(1), "nothing")],
                 "--linger", "9")

    async def first_two():
        async with websockets.connect(mock.url) as link:
            begun = time.monotonic()
            while "message" not in await link.recv():
                pass
            return time.monotonic() - begun

    assert asyncio.run(first_two()) > 2


@pytest.mark.parametrize("fault", ("unread", "no-pongs"))
def test_pings_wait(begin, fault):
    """A Ping has its Pong after the time of the fault: its own, or a later one's."""
    mock = begin([f'{{"fault":"{fault}","seconds":2}}'], "--linger", "9")

    async def ping():
        async with websockets.connect(mock.url) as link:
            begun = time.monotonic()
            first = await link.ping()
            while not first.done():
                await asyncio.sleep(0.1)
                if time.monotonic() > begun + 2.5:
                    await asyncio.wait_for(await link.ping(), 5 * SCALE)
            return time.monotonic() - begun

    assert asyncio.run(ping()) > 1.5


def test_lines_from_standard_input_as_they_come(begin, tmp_path):
    (tmp_path / "rates.csv").write_text(RATES)
    mock = Mock(tmp_path, "mock-upstream", "--script", "-", stdin=subprocess.PIPE)

    def write(text):
        mock.process.stdin.write(text.encode())
        mock.process.stdin.flush()

    async def converse():
        task = asyncio.ensure_future(serve(mock, rightly))
        for ident in range(3):
            write(line(request(ident), "207.55196") + "\n")
            while not re.search(f'<- .*"id":{ident},.* right', mock.out()):
                await asyncio.sleep(0.01)
        mock.process.stdin.close()
        await task

    try:
        asyncio.run(asyncio.wait_for(converse(), 20 * SCALE))
        assert mock.wait() == 0
    finally:
        mock.stop()


BAD_LINES = (
    ("{", "it is no JSON object"),
    ("[1]", "it is no JSON object"),
    (request(1), 'it has no "expect", and there is no --rates'),
    (line(request(1), "1.0"), '"expect" is neither a plain decimal'),
    (line(request(1), "-1"), '"expect" is neither a plain decimal'),
    (line('{"id":1}', "1"), "its payload has no stake, currency and date"),
    (line(request(1), "1", at='"x"'), '"at" is no number'),
    ('{"send":{},"expekt":"error"}', 'beside "send" there may be'),
    ('{"fault":"silense"}', 'no such fault: "silense"'),
    ('{"fault":"silence","second":1}', 'this fault has no member "second"'),
    ('{"fault":"silence","seconds":-1}', '"seconds" is no number'),
    ('{"fault":"frame"}', 'the fault "frame" needs a "kind"'),
    ('{"fault":"frame","kind":"odd"}', '"kind" is no bad frame: "odd"'),
    ('{"fault":"bytes","hex":"8"}', '"hex" is no string of pairs'),
    ('{"fault":"close","code":99}', '"code" has no value that is allowed'),
)


@pytest.mark.parametrize("text,why", BAD_LINES, ids=range(len(BAD_LINES)))
def test_bad_lines_are_named(text, why):
    code, _, error = run_mock("mock-upstream", "--script", "/dev/stdin",
                              stdin=f"# first\n\n{text}\n{{}}\n".encode())
    assert code == 65
    assert f"mock-upstream: /dev/stdin:3: {why}" in error
    assert "/dev/stdin:4: " in error, "all bad lines are named"


@pytest.mark.parametrize("options,code,why", (
    ((), 64, "--rates: is needed"),
    (("--script", "-", "--odd"), 64, "--odd: no such option"),
    (("--script", "-", "--rate", "x"), 64, "--rate: its value is bad"),
    (("--random", "--count=-1"), 64, "--count: its value is bad"),
    (("--script", "-", "--count", "3"), 64, "--random"),
    (("--script", "-", "more"), 64, "more: is no option"),
    (("--script", "/nowhere"), 66, "/nowhere: No such file"),
    (("--rates", "/nowhere"), 66, "/nowhere: No such file"),
    (("--rates", "/etc/passwd"), 65, "first line is not Date"),
    (("--script", "/dev/null", "--listen", "host"), 69, "not HOST:PORT"),
    (("--script", "/dev/null", "--wait", "0.1"), 69, "nobody has connected"),
))
def test_exit_codes(options, code, why):
    got, _, error = run_mock("mock-upstream", *options)
    assert got == code and why in error, error


def test_help_names_every_fault():
    code, out, _ = run_mock("mock-upstream", "--help")
    assert code == 0 and "lone-continuation" in out and "--patience" in out
    code, _, error = run_mock("--env-file", "/dev/null", "mock-upstream")
    assert code == 64 and "may stand before" in error
