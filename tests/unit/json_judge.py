#!/usr/bin/python3
"""
The second opinion on what is JSON, for the unit tests: Python's own parser,
told to refuse the NaN and Infinity that it would take. Texts come on standard
input in batches: their number and their lengths, as native 32-bit numbers, then
the texts, which are UTF-8. Each batch is answered by a byte for each text: 1,
it is JSON, or 0.
"""
import json
import struct
import sys


def refuse(word):
    raise ValueError(word)


decode = json.JSONDecoder(parse_constant=refuse, parse_int=str, parse_float=str).decode


def is_json(text):
    try:
        decode(text.decode())
        return True
    except ValueError:
        return False


def numbers(count):
    return struct.unpack(f"={count}I", sys.stdin.buffer.read(4 * count))


while sys.stdin.buffer.peek():
    lengths = numbers(*numbers(1))
    sys.stdout.buffer.write(bytes(is_json(sys.stdin.buffer.read(length)) for length in lengths))
    sys.stdout.buffer.flush()
