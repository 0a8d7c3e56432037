"""What a service serves at STATUS_LISTEN, as a client of HTTP sees it."""
import socket
import urllib.error
import urllib.request

from prometheus_client.parser import text_string_to_metric_families


def unused(port):
    """The port, if nobody listens there."""
    socket.create_server(("127.0.0.1", port)).close()
    return port


class Page:
    """What is served at STATUS_LISTEN."""

    def __init__(self, port):
        self.port = port

    def get(self, path, method="GET", **more):
        """(code, text)"""
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}",
                                         method=method, **more)
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def families(self):
        code, text = self.get("/metrics")
        assert code == 200
        return {f.name: f for f in text_string_to_metric_families(text)}

    def value(self, name, **labels):
        """The sum of the series that have these labels."""
        return sum(s.value for f in self.families().values() for s in f.samples
                   if s.name == name and labels.items() <= s.labels.items())
