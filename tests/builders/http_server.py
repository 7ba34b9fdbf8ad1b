"""A server on this machine whose answers are as wrong as a test wants them."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Server:
    """Addresses on this machine: `files` by path, `faults` that befall a path.

    `requests` are the paths that were asked for, `ranges` the bytes of them.
    """

    def __init__(self):
        self.files, self.faults, self.requests, self.ranges = {}, {}, [], []
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                server.requests.append(self.path)
                server.ranges.append(self.headers.get("Range"))
                fault = server.faults.get(self.path, iter(()))
                answer = next(fault, None)
                if answer is None:
                    answer = respond
                answer(self, server.files.get(self.path))

            def log_message(self, *_):
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}"
        threading.Thread(target=self.http.serve_forever, args=(0.01,), daemon=True).start()

    def close(self):
        self.http.shutdown()
        self.http.server_close()


def respond(handler, content, *, status=200, sent=None):
    if content is None:
        status, content = 404, b"no such thing"
    handler.send_response(status)
    handler.send_header("Content-Length", str(len(content)))
    handler.end_headers()
    handler.wfile.write(content[:sent])


def truncated(handler, content):
    respond(handler, content, sent=len(content) // 2)


def short(handler, content):
    """Truncated before it was served: the length announced is the length sent."""
    respond(handler, content[: len(content) // 2])


def unavailable(handler, content):
    respond(handler, b"", status=503)


def hung_up(handler, content):
    handler.close_connection = True


def moved(url):
    """Answer that a file is at another address."""

    def answer(handler, _):
        handler.send_response(302)
        handler.send_header("Location", url)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    return answer


def always(answer):
    while True:
        yield answer
