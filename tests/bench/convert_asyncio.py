#!/usr/bin/python3
"""
The plain solution in Python, to compare with: asyncio, websockets, json and
Decimal; no ledger, no receipts, no second provider.

    convert_asyncio.py URL RATES.csv [CA_FILE]
"""
import asyncio
import csv
import datetime
import decimal
import json
import ssl
import sys

import websockets

decimal.getcontext().prec = 60
PLACES = decimal.Decimal("0.00001")


def read_rates(path):
    """{day: {currency: rate}}"""
    with open(path, newline="", encoding="ascii") as file:
        rows = list(csv.reader(file))
    codes = rows[0][1:]
    return {row[0]: {code: decimal.Decimal(rate) for code, rate in zip(codes, row[1:])
                     if rate not in ("", "N/A")}
            for row in rows[1:]}


def plain(amount):
    """Its digits without exponent and without zeros at the end."""
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


class Number(float):
    """A number that keeps the digits with which it was written."""

    def __new__(cls, text):
        number = super().__new__(cls, text)
        number.text = text
        return number

    def __repr__(self):
        return self.text


def answer(text, rates):
    message = json.loads(text, parse_float=Number)
    if message.get("type") != "message":
        return None
    payload = message["payload"]
    stake = payload["stake"]
    rate = rates[payload["date"][:10]][payload["currency"]]
    euro = (decimal.Decimal(getattr(stake, "text", stake)) / rate).quantize(
        PLACES, decimal.ROUND_HALF_UP)
    now = datetime.datetime.now(datetime.timezone.utc)
    payload["stake"] = Number(plain(euro))
    payload["currency"] = "EUR"
    payload["date"] = now.strftime("%Y-%m-%dT%H:%M:%S.") + f"{now.microsecond // 1000:03}Z"
    return dump(message)


def dump(value):
    """As json.dumps(), which has no way to write a number's own digits."""
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(k)}:{dump(v)}" for k, v in value.items()) + "}"
    return value.text if isinstance(value, Number) else json.dumps(value)


async def beat(ws):
    while True:
        await ws.send('{"type":"heartbeat"}')
        await asyncio.sleep(1)


async def run(url, rates, tls):
    async with websockets.connect(url, ssl=tls, compression=None) as ws:
        beating = asyncio.create_task(beat(ws))
        try:
            async for text in ws:
                if reply := answer(text, rates):
                    await ws.send(reply)
        except websockets.ConnectionClosed:
            pass
        beating.cancel()


def main():
    tls = ssl.create_default_context(cafile=sys.argv[3]) if len(sys.argv) > 3 else None
    asyncio.run(run(sys.argv[1], read_rates(sys.argv[2]), tls))


if __name__ == "__main__":
    main()
