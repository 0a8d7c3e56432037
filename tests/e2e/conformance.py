"""
What a client of RFC 6455 must bear, case by case, in the order and under the
numbers of the well-known Autobahn suite (sections 1 to 7, 9 and 10), written
from the RFC. fxwire is no echo: what that suite wants to come back is carried by
a request, whose answer has to bring it back byte for byte.

A case is what is sent, in pieces, and what must come. Where the suite lets a
client choose (`non-strict`, `informational`), the case says what fxwire chose.
"""
import struct
from typing import NamedTuple

from amounts import DATE
from raw_upstream import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, frame

# What must come
ECHO = "echo"      # the answer to the request, with its filling
ERROR = "error"    # an answer that says what is wrong with the text

# The connection is failed. RFC 6455, 7.1.7 wants 1002 to be said; a reset, by which the
# kernel answers what comes behind the frame, may overtake it.
FAILED = (1002, None)


class Case(NamedTuple):
    number: str
    sent: list  # of bytes; each goes out by itself
    comes: list  # of ECHO, ERROR, Pong payloads (bytes)
    closed: tuple = ()  # the codes of which one must come (None: the end alone); empty: it stays
    note: str = ""


def request(filling=""):
    """A request for the same amount in euro; the filling stands in a field of its own."""
    return (f'{{"type":"message","id":"case","filling":"{filling}","payload":{{"stake":1,'
            f'"currency":"EUR","date":{DATE}}}}}')


def sized(size):
    """A request of exactly so many bytes."""
    return request("*" * (size - len(request())))


def octets(data):
    return [bytes([byte]) for byte in data]


def chops(data, size):
    return [data[at:at + size] for at in range(0, len(data), size)]


def fragments(parts, opcode=TEXT):
    """The frames of one message."""
    return [frame(CONTINUATION if i else opcode, part, i == len(parts) - 1)
            for i, part in enumerate(parts)]


def halves(text):
    return [text[:len(text) // 2], text[len(text) // 2:]]


SMALL = request("hello")
ECHOED = [ECHO]


def framing():
    least = len(request())
    yield Case("1.1.1", [frame(TEXT, "")], [ERROR], note="an empty text is no JSON")
    for i, size in enumerate([125, 126, 127, 128, 65535, 65536], 2):
        sent = frame(TEXT, sized(max(size, least)))
        yield Case(f"1.1.{i}", [sent], ECHOED)
    yield Case("1.1.8", chops(frame(TEXT, sized(65536)), 997), ECHOED)
    for i, size in enumerate([0, 125, 126, 127, 128, 65535, 65536], 1):
        yield Case(f"1.2.{i}", [frame(BINARY, b"\xfe" * size)], [], (1003,),
                   "binary is refused, as RFC 6455, 7.4.1 allows")
    yield Case("1.2.8", chops(frame(BINARY, b"\xfe" * 65536), 997), [], (1003,))


def pings():
    payloads = [b"", b"Hello, world!", bytes([0, 255, 254, 253, 252, 251, 0, 255]), b"\xfe" * 125]
    for i, payload in enumerate(payloads, 1):
        yield Case(f"2.{i}", [frame(PING, payload)], [payload])
    yield Case("2.5", [frame(PING, b"\xfe" * 126)], [], FAILED)
    yield Case("2.6", octets(frame(PING, b"\xfe" * 125)), [b"\xfe" * 125])
    yield Case("2.7", [frame(PONG)], [])
    yield Case("2.8", [frame(PONG, "unsolicited")], [])
    yield Case("2.9", [frame(PONG, "unsolicited"), frame(PING, "ping")], [b"ping"])
    ten = [b"payload-%d" % i for i in range(10)]
    yield Case("2.10", [frame(PING, one) for one in ten], ten)
    yield Case("2.11", octets(b"".join(frame(PING, one) for one in ten)), ten)


def reserved():
    """3 and 4: bits and opcodes that no extension has given a meaning (RFC 6455, 5.2)."""
    text, ping = frame(TEXT, SMALL), frame(PING)
    yield Case("3.1", [frame(TEXT, SMALL, rsv=1)], [], FAILED)
    yield Case("3.2", [text, frame(TEXT, SMALL, rsv=2), ping], ECHOED, FAILED)
    yield Case("3.3", [text + frame(TEXT, SMALL, rsv=3), ping], ECHOED, FAILED)
    yield Case("3.4", octets(text + frame(TEXT, SMALL, rsv=4) + ping), ECHOED, FAILED)
    yield Case("3.5", [frame(BINARY, b"\xff" * 8, rsv=5)], [], FAILED)
    yield Case("3.6", [frame(PING, "x", rsv=6)], [], FAILED)
    yield Case("3.7", [frame(CLOSE, rsv=7)], [], FAILED)
    for group, first in ("4.1", 3), ("4.2", 11):
        yield Case(f"{group}.1", [frame(first)], [], FAILED)
        yield Case(f"{group}.2", [frame(first + 1, "reserved")], [], FAILED)
        yield Case(f"{group}.3", [text, frame(first + 2), ping], ECHOED, FAILED)
        yield Case(f"{group}.4", [text, frame(first + 3, "reserved"), ping], ECHOED, FAILED)
        yield Case(f"{group}.5", octets(text + frame(first + 4, "reserved") + ping),
                   ECHOED, FAILED)


def in_pieces():
    """5: fragments (RFC 6455, 5.4)."""
    one, two = fragments(halves(SMALL))
    ping, text = frame(PING, "ping"), frame(TEXT, SMALL)
    yield Case("5.1", fragments(["a", "b"], PING), [], FAILED)
    yield Case("5.2", fragments(["a", "b"], PONG), [], FAILED)
    for number, sent in ("5.3", [one + two]), ("5.4", [one, two]), ("5.5", octets(one + two)):
        yield Case(number, sent, ECHOED)
    for number, sent in (("5.6", [one + ping + two]), ("5.7", [one, ping, two]),
                         ("5.8", octets(one + ping + two))):
        yield Case(number, sent, [b"ping", ECHO])
    for first, fin in (9, True), (12, False):
        alone = frame(CONTINUATION, "non-continuation", fin)
        yield Case(f"5.{first}", [alone + text], [], FAILED)
        yield Case(f"5.{first + 1}", [alone, text], [], FAILED)
        yield Case(f"5.{first + 2}", octets(alone + text), [], FAILED)
    yield Case("5.15", [one + two + frame(CONTINUATION, "x", False) + text], ECHOED, FAILED)
    yield Case("5.16", [frame(CONTINUATION, "x", False), one, two] * 2, [], FAILED)
    yield Case("5.17", [frame(CONTINUATION, "x"), one, two] * 2, [], FAILED)
    yield Case("5.18", [frame(TEXT, "a", False), frame(TEXT, "b")], [], FAILED)
    parts = chops(SMALL, len(SMALL) // 5 + 1)
    five = fragments(parts)
    with_pings = five[:2] + [frame(PING, "1")] + five[2:4] + [frame(PING, "2")] + five[4:]
    yield Case("5.19", with_pings, [b"1", b"2", ECHO])
    yield Case("5.20", octets(b"".join(with_pings)), [b"1", b"2", ECHO])


GREEK = "κ\u1f79σμε".encode()  # 2, 3, 2, 2 and 2 bytes
VALID = {  # by the suite's numbers
    "6.5": ["Hello-µ@ßöäüàá-UTF-8!!", "Hello-µ@ßöäüàá", "κ", "κόσμε", "κό"],
    "6.6": ["κ", "κό", "κόσ", "κόσμ", "κόσμε"],
    "6.7": ["\u0080", "\u0800", "\U00010000"],
    "6.9": ["\u007f", "\u07ff", "\uffff", "\U0010ffff"],
    "6.11": ["\ud7ff", "\ue000", "\ufffd", "\U0010ffff"],
    "6.22": [chr(plane << 16 | low) for plane in range(17) for low in (0xfffe, 0xffff)],
    "6.23": [chr(code) for code in range(0xfff9, 0xfffe)] + ["\ufeff", "\ufffe"],
}
STARTS = [bytes(range(0xc0, 0xe0)), bytes(range(0xe0, 0xf0)), bytes(range(0xf0, 0xf8)),
          bytes(range(0xf8, 0xfc)), bytes(range(0xfc, 0xfe))]
INVALID = {
    "6.6": [GREEK[:cut] for cut in (1, 3, 4, 6, 8, 10)],
    "6.8": [b"\xf8\x88\x80\x80\x80", b"\xfc\x84\x80\x80\x80\x80"],
    "6.10": [b"\xf7\xbf\xbf\xbf", b"\xfb\xbf\xbf\xbf\xbf", b"\xfd\xbf\xbf\xbf\xbf\xbf"],
    "6.11": [b"\xf4\x90\x80\x80"],
    "6.12": [b"\x80", b"\xbf"] + [b"\x80\xbf" * (n // 2) + b"\x80" * (n % 2)
                                    for n in range(2, 8)] + [bytes(range(0x80, 0xc0))],
    "6.13": [b" ".join(octets(starts)) for starts in STARTS],
    "6.14": [b"\xc0", b"\xe0\x80", b"\xf0\x80\x80", b"\xf8\x80\x80\x80", b"\xfc\x80\x80\x80\x80",
             b"\xdf", b"\xef\xbf", b"\xf7\xbf\xbf", b"\xfb\xbf\xbf\xbf", b"\xfd\xbf\xbf\xbf\xbf"],
    "6.15": [b"\xc0\xe0\x80\xf0\x80\x80\xf8\x80\x80\x80\xfc\x80\x80\x80\x80"],
    "6.16": [b"\xfe", b"\xff", b"\xfe\xfe\xff\xff"],
    "6.17": [b"\xc0\xaf", b"\xe0\x80\xaf", b"\xf0\x80\x80\xaf", b"\xf8\x80\x80\x80\xaf",
             b"\xfc\x80\x80\x80\x80\xaf"],
    "6.18": [b"\xc1\xbf", b"\xe0\x9f\xbf", b"\xf0\x8f\xbf\xbf", b"\xf8\x87\xbf\xbf\xbf",
             b"\xfc\x83\xbf\xbf\xbf\xbf"],
    "6.19": [b"\xc0\x80", b"\xe0\x80\x80", b"\xf0\x80\x80\x80", b"\xf8\x80\x80\x80\x80",
             b"\xfc\x80\x80\x80\x80\x80"],
    "6.20": [b"\xed\xa0\x80", b"\xed\xad\xbf", b"\xed\xae\x80", b"\xed\xaf\xbf", b"\xed\xb0\x80",
             b"\xed\xbe\x80", b"\xed\xbf\xbf"],
    "6.21": [high + low for high in (b"\xed\xa0\x80", b"\xed\xad\xbf", b"\xed\xae\x80", b"\xed\xaf\xbf")
             for low in (b"\xed\xb0\x80", b"\xed\xbf\xbf")],
}


def cut_at(data, *places):
    places = [0, *places, len(data)]
    return [data[a:b] for a, b in zip(places, places[1:])]


def utf8():
    """6: texts are UTF-8 (RFC 6455, 8.1), looked at as they come."""
    yield Case("6.1.1", [frame(TEXT)], [ERROR])
    yield Case("6.1.2", fragments(["", "", ""]), [ERROR])
    yield Case("6.1.3", fragments(["", SMALL, ""]), ECHOED)
    good = request("Hello-µ@ßöäüàá-UTF-8!!").encode()
    inside = good.index("µ".encode())
    yield Case("6.2.1", [frame(TEXT, good)], ECHOED)
    yield Case("6.2.2", fragments(cut_at(good, inside)), ECHOED, note="between characters")
    yield Case("6.2.3", fragments(octets(good)), ECHOED, note="also within a character")
    yield Case("6.2.4", fragments(octets(request("κόσμε").encode())), ECHOED)
    bad = GREEK + b"\xed\xa0\x80edited"
    yield Case("6.3.1", [frame(TEXT, bad)], [], (1007,))
    yield Case("6.3.2", fragments(octets(bad)), [], (1007,))
    late = GREEK + b"\xf4\x90\x80\x80" + b"edited"
    wrong = len(GREEK) + 2
    for i, parts in enumerate([cut_at(late, len(GREEK), len(GREEK) + 4), cut_at(late, wrong)], 1):
        whole = fragments(parts)
        yield Case(f"6.4.{i}", whole[:-1], [], (1007,), "at once, before the last fragment")
    for i, at in enumerate([len(GREEK), wrong], 3):
        bytes_ = frame(TEXT, late)
        yield Case(f"6.4.{i}", cut_at(bytes_, 2 + at), [], (1007,),
                   "non-strict: the library hands out a short frame as a whole")
    for group, texts in VALID.items():
        for i, text in enumerate(texts, 1):
            yield Case(f"{group}.{i} valid", [frame(TEXT, request(text).encode())], ECHOED)
    for group, texts in INVALID.items():
        for i, text in enumerate(texts, 1):
            yield Case(f"{group}.{i} invalid", [frame(TEXT, text)], [], (1007,))
    yield Case("6.7.1", [frame(TEXT, b"\0")], [ERROR], note="valid, and no JSON")


def code(value, reason=b""):
    return frame(CLOSE, struct.pack("!H", value) + reason)


def closing():
    """7: how a connection ends (RFC 6455, 5.5.1, 7.4)."""
    text = frame(TEXT, SMALL)
    yield Case("7.1.1", [text, code(1000)], ECHOED, (1000,))
    yield Case("7.1.2", [code(1000) + code(1000)], [], (1000,))
    yield Case("7.1.3", [code(1000) + frame(PING, "late")], [], (1000,))
    yield Case("7.1.4", [code(1000) + text], [], (1000,))
    one, two = fragments(halves(SMALL))
    yield Case("7.1.5", [one + code(1000) + two], [], (1000,))
    yield Case("7.1.6", [frame(TEXT, request("BAsd7&jh23" * 6000)), text, code(1000)],
               [ECHO, ECHO], (1000,))
    yield Case("7.3.1", [frame(CLOSE)], [], (1000, 1005, None), "no code came")
    yield Case("7.3.2", [frame(CLOSE, "a")], [], FAILED)
    yield Case("7.3.3", [code(1000)], [], (1000,))
    yield Case("7.3.4", [code(1000, b"Hello World!")], [], (1000,))
    yield Case("7.3.5", [code(1000, b"*" * 123)], [], (1000,))
    yield Case("7.3.6", [code(1000, b"*" * 124)], [], FAILED)
    yield Case("7.5.1", [code(1000, b"\xce\xba\xed\xa0\x80")], [], (1007, *FAILED))
    valid = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999]
    for i, value in enumerate(valid, 1):
        yield Case(f"7.7.{i}", [code(value)], [], (value, 1000))
    for i, value in enumerate([0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999], 1):
        yield Case(f"7.9.{i}", [code(value)], [], (1000, *FAILED),
                   "non-strict: libwebsockets 4.1 does not tell which code came, and one of "
                   "1012 to 1014 is to be answered by 1000")
    for i, value in enumerate([5000, 65535], 1):
        yield Case(f"7.13.{i}", [code(value)], [], (value, 1000, *FAILED),
                   "informational: the RFC gives these codes no meaning")


def too_long():
    """None of the suite's: lengths beyond every limit, and those that can not be (RFC 6455, 5.2)."""
    for i, length in enumerate([2**63, 2**63 + 1, 2**64 - 1], 1):
        for j, opcode in enumerate([TEXT, CONTINUATION], 1):
            before = [frame(TEXT, "begun", False)] if opcode is CONTINUATION else []
            yield Case(f"long.{i}.{j}", [*before, frame(opcode, length=length)], [], (1009,),
                       "the highest bit must be 0; it is longer than all that is taken")


def long_ones():
    """9 and 10: sizes, and how they are divided; beyond MAX_MESSAGE_BYTES an error comes."""
    sizes = [64, 256, 1024, 4096, 8192, 16384]  # KiB
    for i, kib in enumerate(sizes, 1):
        data = sized(kib << 10)
        comes = ECHOED if len(data) <= 65536 else [ERROR]
        yield Case(f"9.1.{i}", [frame(TEXT, data)], comes)
        yield Case(f"9.2.{i}", [frame(BINARY, b"\xfe" * (kib << 10))], [], (1003,))
    for i, size in enumerate([64, 256, 1024, 4096, 16384, 65536, 262144, 1048576, 4194304], 1):
        whole = fragments(chops(sized(4 << 20), size))
        yield Case(f"9.3.{i}", [b"".join(whole)], [ERROR])
        yield Case(f"9.4.{i}", fragments([b"\xfe" * size] * 2, BINARY)[:1], [], (1003,))
    for i, size in enumerate([64, 128, 256, 512, 1024, 2048], 1):
        yield Case(f"9.5.{i}", chops(frame(TEXT, sized(1 << 20)), size), [ERROR])
        yield Case(f"9.6.{i}", chops(frame(TEXT, sized(65536)), size), ECHOED)
    for i, size in enumerate([0, 16, 64, 256, 1024, 4096], 1):
        yield Case(f"9.7.{i}", [frame(TEXT, request("*" * size))] * 1000, [ECHO] * 1000)
        yield Case(f"9.8.{i}", [frame(TEXT, request("*" * size)) * 1000], [ECHO] * 1000)
    yield Case("10.1.1", fragments(chops(sized(65536), 1300)), ECHOED)


CASES = [*framing(), *pings(), *reserved(), *in_pieces(), *utf8(), *closing(), *too_long(),
         *long_ones()]
assert len({case.number for case in CASES}) == len(CASES), "a number stands twice"
