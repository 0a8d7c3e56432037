#!/bin/sh
# libcurl 7.88.1 (Debian 12, libcurl4 7.88.1-10+deb12u15): CURLINFO_RETRY_AFTER is a
# negative number where the server's Retry-After is a date that is past.
#
# Its manual promises the "number of seconds to wait - or zero if there was no header or the
# header could not be parsed", of either form of the header. A date that is past is
# common, as the clocks of two machines differ: who asks "is it zero?", or gives the
# number to a timer or an unsigned type, does something strange then.
#
# Seen (Retry-After: what CURLINFO_RETRY_AFTER is):
#   none: 0
#   7: 7
#   Fri, 13 Jun 2025 12:00:00 GMT: negative
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
apt-get -qq download 2>/dev/null libcurl4=7.88.1-10+deb12u15
dpkg -x libcurl4_*.deb root

cat > ask.py <<'P'
import ctypes
import http.server
import sys
import threading

URL, RETRY_AFTER = 10002, 0x600000 + 57
library = ctypes.CDLL(sys.argv[1])
library.curl_easy_init.restype = ctypes.c_void_p
PAST = "Fri, 13 Jun 2025 12:00:00 GMT"


class Server(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(503)
        if self.server.value is not None:
            self.send_header("Retry-After", self.server.value)
        self.end_headers()

    def log_message(self, *_):
        pass


def ask(value):
    server = http.server.HTTPServer(("127.0.0.1", 0), Server)
    server.value = value
    threading.Thread(target=server.handle_request, daemon=True).start()
    easy = ctypes.c_void_p(library.curl_easy_init())
    seconds = ctypes.c_int64(-12345)
    url = f"http://127.0.0.1:{server.server_port}/".encode()
    library.curl_easy_setopt(easy, ctypes.c_int(URL), ctypes.c_char_p(url))
    assert library.curl_easy_perform(easy) == 0
    assert library.curl_easy_getinfo(easy, ctypes.c_int(RETRY_AFTER), ctypes.byref(seconds)) == 0
    library.curl_easy_cleanup(easy)
    return seconds.value


none, number, past = (ask(value) for value in (None, "7", PAST))
print(f"none: {none}")
print(f"7: {number}")
print(f"{PAST}: {'negative' if past < 0 else past}")
sys.exit(0 if (none, number) == (0, 7) and past < 0 else 1)
P
/usr/bin/python3 ask.py "$(find "$PWD/root" -name 'libcurl.so.4')"
