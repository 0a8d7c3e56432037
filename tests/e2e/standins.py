"""Stand-ins of rate APIs, which can also go wrong in every way."""
import datetime
import functools
import hashlib
import io
import select
import socket
import ssl
import struct
import threading
import time
import zipfile
from urllib.parse import parse_qs, urlsplit

from ports import on_new_port

ONE_DAY = datetime.timedelta(days=1)
FIRST_DAY = datetime.date(1999, 1, 4)


def utc_today():
    return datetime.datetime.now(datetime.timezone.utc).date()


def last_working_day(day):
    """The day itself, or the Friday before a weekend."""
    return day - max(0, day.weekday() - 4) * ONE_DAY


class Call:
    """One request, and what is answered to it."""

    def __init__(self, api, sock, head):
        self.api = api
        self.sock = sock
        self.time = time.monotonic()
        lines = head.decode("latin-1").split("\r\n")
        self.target = lines[0].split(" ")[1]
        self.path = urlsplit(self.target).path
        self.query = {n: v[0] for n, v in parse_qs(urlsplit(self.target).query).items()}
        self.headers = {n.lower(): v.strip()
                        for n, _, v in (line.partition(":") for line in lines[1:])}

    def raw(self, data):
        self.sock.sendall(data)

    def head(self, status=200, kind="application/json", more=()):
        self.raw("\r\n".join([f"HTTP/1.1 {status} Whatever", f"Content-Type: {kind}",
                              *more, "", ""]).encode())

    def answer(self, body=b"", status=200, kind="application/json", more=()):
        body = body if isinstance(body, bytes) else body.encode()
        self.head(status, kind, (f"Content-Length: {len(body)}", *more))
        self.raw(body)

    def reset(self):
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    def hold(self):
        """Says nothing more until the other side has gone."""
        while not self.api.over.is_set():
            if select.select([self.sock], [], [], 0.05)[0] and not self.sock.recv(4096):
                return

    def drip(self, data, gap=1.0):
        """A byte at a time, until the other side has gone."""
        for byte in data:
            self.raw(bytes([byte]))
            if self.api.over.wait(gap):
                return


class RateApi:
    """
    An API on a port of its own. `rates` are {code: digits}, `tables` those of
    days that differ ({day: rates}; None: it has none). `fault`, if it is set,
    is called with each Call in the place of the good answer.
    """

    def __init__(self, rates, tls=None, host="127.0.0.1"):
        self.rates = rates
        self.tables = {}
        self.fault = None
        self.tls = tls
        self.greeting = None  # said in the place of everything, whatever comes
        self.calls = []
        self.connections = 0
        self.over = threading.Event()
        self._listener = on_new_port(
            lambda port: socket.create_server((host, port), backlog=64))
        self.port = self._listener.getsockname()[1]
        self.url = f"{'https' if tls else 'http'}://{host}:{self.port}{self.prefix}"
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    prefix = "/v1"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.over.set()
        self._listener.shutdown(socket.SHUT_RDWR)  # wakes the thread, a close does not
        self._thread.join()
        self._listener.close()

    def _accept(self):
        while True:
            try:
                sock = self._listener.accept()[0]
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock):
        try:
            sock.settimeout(30)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self.greeting:
                sock.recv(4096)
                sock.sendall(self.greeting)
                return
            if self.tls:
                sock = self.tls.wrap_socket(sock, server_side=True)
            while self._serve_one(sock):
                pass
        except (OSError, ssl.SSLError, ValueError):
            pass
        finally:
            sock.close()

    def _serve_one(self, sock):
        head = b""
        while b"\r\n\r\n" not in head:
            more = sock.recv(65536)
            if not more:
                return False
            head += more
        call = Call(self, sock, head)
        self.calls.append(call)
        fault = self.fault
        if fault:
            fault(call)
            return False
        self.reply(call)
        return not self.tls  # else another certificate would not be seen

    def table(self, day):
        return self.tables.get(str(day), self.rates)

    def reply(self, call):
        raise NotImplementedError

    def targets(self):
        """What was asked for, in order."""
        return [call.target for call in self.calls]

    def clear(self):
        self.calls.clear()


def members(rates):
    return ",".join(f'"{code}":{digits}' for code, digits in rates.items())


class FreeCurrencyApi(RateApi):
    """All days, a key in a header."""

    key = "fca-live-0123456789SecretOfTests"

    def reply(self, call):
        if call.headers.get("apikey") != self.key:
            call.answer('{"message":"Invalid authentication credentials"}', 401)
        elif call.query.get("base_currency") != "EUR":
            call.answer('{"message":"Validation error","errors":{}}', 422)
        elif call.path == "/v1/latest":
            call.answer(f'{{"data":{{"EUR":1,{members(self.table("latest"))}}}}}')
        elif self.table(call.query["date"]) is None:
            call.answer('{"message":"Validation error","errors":{"date":["x"]}}', 422)
        else:
            day = call.query["date"]
            rates = f'"EUR":1,{members(self.table(day))}' if self.table(day) else ""
            call.answer(f'{{"data":{{"{day}":{{{rates}}}}}}}')


class ExchangeRateHost(RateApi):
    """
    All days, the key in the query, pairs with the dollar, and errors that are
    HTTP's 200.
    """

    prefix = ""
    key = "erh&live=%41+0123456789/SecretOfTests"

    def reply(self, call):
        day = call.query.get("date")
        if call.query.get("access_key") != self.key:
            self.refuse(call, 101, "invalid_access_key")
        elif call.query.get("source", "USD") != "USD":
            self.refuse(call, 105, "source_currency_access_restricted")
        elif call.path == "/live":
            now = int(time.time())
            call.answer(host_body(f'"timestamp":{now}', self.table("latest")))
        elif call.path != "/historical":
            self.refuse(call, 103, "invalid_api_function")
        elif self.table(day) is None:
            self.refuse(call, 106, "no_rates_available")
        else:
            call.answer(host_body(f'"historical":true,"date":"{day}"', self.table(day)))

    @staticmethod
    def refuse(call, code, kind):
        call.answer('{"success":false,"error":{"code":%d,"type":"%s"}}' % (code, kind))


def host_body(when, rates, source="USD"):
    quotes = {source + code: digits for code, digits in rates.items()}
    return f'{{"success":true,{when},"source":"{source}","quotes":{{{members(quotes)}}}}}'


class ExchangeRateApi(RateApi):
    """The key in the path; past days, unless the plan has none."""

    prefix = "/v6"
    key = "era-live-0123456789SecretOfTests"
    has_history = True

    def reply(self, call):
        parts = call.path.split("/")
        if parts[1:3] != ["v6", self.key]:
            self.refuse(call, "invalid-key", 403)
        elif parts[3:] == ["latest", "EUR"]:
            when = f'"time_last_update_unix":{int(time.time())}'
            self.answer(call, when, self.table("latest"))
        elif parts[3:5] != ["history", "EUR"]:
            self.refuse(call, "malformed-request", 400)
        elif not self.has_history:
            self.refuse(call, "plan-upgrade-required", 403)
        else:
            year, month, day = parts[5:]
            self.answer(call, f'"year":{year},"month":{month},"day":{day}',
                        self.table(datetime.date(int(year), int(month), int(day))))

    @staticmethod
    def answer(call, when, rates):
        call.answer(f'{{"result":"success",{when},"base_code":"EUR",'
                    f'"conversion_rates":{{"EUR":1,{members(rates)}}}}}')

    @staticmethod
    def refuse(call, kind, status):
        call.answer(f'{{"result":"error","error-type":"{kind}"}}', status)


class OpenExchangeRates(RateApi):
    """All days, a key in a header, rates of the dollar, and errors by a word."""

    prefix = "/api"
    key = "oxr-live-0123456789SecretOfTests"

    def reply(self, call):
        folder, _, name = call.path.removesuffix(".json").rpartition("/")
        if call.headers.get("authorization") != f"Token {self.key}":
            self.refuse(call, 401, "invalid_app_id")
        elif (folder, name) == ("/api", "latest"):
            call.answer(open_body(int(time.time()), self.table("latest")))
        elif folder != "/api/historical":
            self.refuse(call, 404, "not_found")
        elif self.table(name) is None:
            self.refuse(call, 400, "not_available")
        else:
            call.answer(open_body(last_second(name), self.table(name)))

    @staticmethod
    def refuse(call, status, word):
        call.answer(f'{{"error":true,"status":{status},"message":"{word}",'
                    '"description":"Please contact them."}', status)


def last_second(day):
    """Of that UTC day, in Unix time."""
    start = datetime.datetime.fromisoformat(f"{day}T00:00:00+00:00")
    return int((start + ONE_DAY).timestamp()) - 1


def open_body(timestamp, rates, base="USD"):
    return (f'{{"disclaimer":"x","license":"x","timestamp":{timestamp},"base":"{base}",'
            f'"rates":{{"USD":1,{members(rates)}}}}}')


class Fixer(RateApi):
    """
    All days, rates of the euro, errors by a code. Its own place takes the key in
    the query, apilayer's in a header.
    """

    prefix = "/api"
    key = "fix&live=%41+0123456789/SecretOfTests"
    statuses = {105: 403, 106: 400}  # the others are HTTP's 200

    @property
    def marketplace(self):
        """Its other address."""
        return self.url.removesuffix(self.prefix) + "/fixer"

    def reply(self, call):
        folder, _, name = call.path.rpartition("/")
        key = call.query.get("access_key") if folder == "/api" else call.headers.get("apikey")
        if folder == "/fixer" and key != self.key:
            call.answer('{"message":"Invalid authentication credentials"}', 401)
        elif key != self.key:
            self.refuse(call, 101, "invalid_access_key")
        elif name == "latest":
            call.answer(fixer_body(f'"timestamp":{int(time.time())}', self.table(name)))
        elif self.table(name) is None:
            self.refuse(call, 106, "no_rates_available")
        else:
            call.answer(fixer_body(f'"historical":true,"date":"{name}"', self.table(name)))

    def refuse(self, call, code, kind):
        call.answer('{"success":false,"error":{"code":%d,"type":"%s"}}' % (code, kind),
                    self.statuses.get(code, 200))


def fixer_body(when, rates, base="EUR"):
    return (f'{{"success":true,{when},"base":"{base}",'
            f'"rates":{{"{base}":1,{members(rates)}}}}}')


class CurrencyApi(RateApi):
    """All days, a key in a header, an object for each rate."""

    prefix = "/v3"
    key = "cur-live-0123456789SecretOfTests"

    def reply(self, call):
        day = call.query.get("date", str(utc_today()))
        table = self.table("latest" if call.path == "/v3/latest" else day)
        if call.headers.get("apikey") != self.key:
            call.answer('{"message":"Invalid authentication credentials"}', 401)
        elif call.query.get("base_currency") != "EUR" or table is None:
            call.answer('{"message":"Validation error","errors":{}}', 422)
        elif call.path not in ("/v3/latest", "/v3/historical"):
            call.answer('{"message":"Not found"}', 404)
        else:
            call.answer(currencyapi_body(day, table))


def currencyapi_body(day, rates):
    data = {code: f'{{"code":"{code}","value":{digits}}}'
            for code, digits in ({"EUR": "1"} | rates).items()}
    return f'{{"meta":{{"last_updated_at":"{day}T23:59:59Z"}},"data":{{{members(data)}}}}}'


class Csv(RateApi):
    """A file in the ECB's form, of the days that have tables."""

    prefix = "/rates.csv"

    def reply(self, call):
        lines = ["Date," + ",".join(self.rates)]
        lines += [",".join((day, *(rates.get(code, "N/A") for code in self.rates)))
                  for day, rates in self.tables.items()]
        answer_unless_known(call, "\n".join(lines) + "\n", kind="text/csv")


class Frankfurter(RateApi):
    """Working days; for another day the last one before it."""

    def reply(self, call):
        name = call.path.rsplit("/", 1)[1]
        day = utc_today() if name == "latest" else datetime.date.fromisoformat(name)
        day = last_working_day(day)
        table = self.table(name if name in self.tables else day)
        if table is None:
            call.answer('{"status":404,"message":"not found"}', 404)
        else:
            call.answer(frankfurter_body(day, table))


def frankfurter_body(day, rates, base="EUR", amount="1.0"):
    return (f'{{"amount":{amount},"base":"{base}","date":"{day}",'
            f'"rates":{{{members(rates)}}}}}')


class Ecb(RateApi):
    """The files; a mirror may be without the ZIP."""

    prefix = "/stats"
    has_zip = True

    def reply(self, call):
        today = last_working_day(utc_today())
        first = {"/stats/eurofxref-daily.xml": today,
                 "/stats/eurofxref-hist-90d.xml": today - 90 * ONE_DAY,
                 "/stats/eurofxref-hist.xml": FIRST_DAY,
                 "/stats/eurofxref-hist.zip": FIRST_DAY}.get(call.path)
        is_zip = call.path.endswith(".zip")
        if first is None or (is_zip and not self.has_zip):
            call.answer("<html>not found</html>", 404, "text/html")
            return
        overrides = tuple((d, r and tuple(r.items())) for d, r in self.tables.items())
        body = (ecb_zip if is_zip else ecb_body)(
            first, today, tuple(self.rates.items()), overrides)
        answer_unless_known(call, body, kind="application/zip" if is_zip else "text/xml")


def answer_unless_known(call, body, kind):
    """With the names of this version; 304 if the caller has told one of them."""
    body = body if isinstance(body, bytes) else body.encode()
    etag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
    if call.headers.get("if-none-match") == etag:
        call.head(304, more=(f"ETag: {etag}",))
    else:
        call.answer(body, kind=kind, more=(f"ETag: {etag}",
                                           "Last-Modified: Fri, 20 Nov 2026 15:00:00 GMT"))


def ecb_tables(first, last, rates, overrides):
    """(day, (code, digits)...) of all working days from first to last, newest first."""
    overrides = dict(overrides)
    days = [last - n * ONE_DAY for n in range((last - first).days + 1)]
    for day in days:
        table = overrides.get(str(day), rates)
        if day.weekday() < 5 and table:
            yield day, table


@functools.lru_cache(maxsize=8)
def ecb_body(first, last, rates, overrides=()):
    """The ECB's XML."""
    def cube(day, table):
        inner = "".join(f'<Cube currency="{c}" rate="{r}"/>' for c, r in table)
        return f'<Cube time="{day}">{inner}</Cube>'

    return ('<?xml version="1.0" encoding="UTF-8"?><gesmes:Envelope '
            'xmlns:gesmes="http://www.gesmes.org/xml/2002-08-01" '
            'xmlns="http://www.ecb.int/vocabulary/2002-08-01/eurofxref"><Cube>'
            + "".join(cube(d, t) for d, t in ecb_tables(first, last, rates, overrides))
            + "</Cube></gesmes:Envelope>")


@functools.lru_cache(maxsize=8)
def ecb_zip(first, last, rates, overrides=(), method=zipfile.ZIP_DEFLATED):
    """The ECB's CSV, packed."""
    tables = [(day, dict(table)) for day, table in ecb_tables(first, last, rates, overrides)]
    codes = dict.fromkeys(code for _, table in tables for code in table)
    lines = ["Date," + ",".join(codes) + ","]
    lines += [f"{day}," + ",".join(table.get(c, "N/A") for c in codes) + ","
              for day, table in tables]
    return zip_of({"eurofxref-hist.csv": "\n".join(lines) + "\n"}, method)


def zip_of(files, method=zipfile.ZIP_DEFLATED):
    """An archive of {name: text}."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", method) as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return packed.getvalue()
