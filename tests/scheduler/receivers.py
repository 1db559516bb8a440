"""Those who are told: a mail server and a receiver of webhooks, both real, that keep what they get."""

from __future__ import annotations

import json
import socketserver
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class MailServer(socketserver.ThreadingTCPServer):
    """Speaks as much SMTP as it takes to deliver a message."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Conversation)
        self.messages: list[Message] = []
        self.recipients: list[str] = []
        self.refuses = False
        self.encryption: ssl.SSLContext | None = None

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.server_address[1]}"


class _Conversation(socketserver.StreamRequestHandler):
    server: MailServer

    def handle(self) -> None:
        self._say("220 mail")
        while line := self.rfile.readline():
            word = line.decode().strip().upper()
            if word.startswith("RCPT"):
                self.server.recipients.append(line.decode().partition("<")[2].partition(">")[0])
            if self.server.refuses and word.startswith("MAIL"):
                self._say("451 not now")
            elif word.startswith("EHLO") and self.server.encryption:
                self._say("250-mail\r\n250 STARTTLS")
            elif word == "STARTTLS":
                self._say("220 go on")
                if not self._encrypt():
                    return
            elif word == "DATA":
                self._say("354 go on")
                self.server.messages.append(message_from_bytes(b"".join(iter(self.rfile.readline, b".\r\n"))))
                self._say("250 taken")
            elif word == "QUIT":
                self._say("221 bye")
                return
            else:
                self._say("250 ok")

    def _encrypt(self) -> bool:
        assert self.server.encryption is not None
        try:
            self.connection = self.server.encryption.wrap_socket(self.connection, server_side=True)
        except OSError:  # the client does not know us
            return False
        self.rfile, self.wfile = self.connection.makefile("rb"), self.connection.makefile("wb", 0)
        return True

    def finish(self) -> None:
        super().finish()
        self.connection.close()

    def _say(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())


class Webhook(ThreadingHTTPServer):
    """Keeps what is posted."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Post)
        self.posted: list[dict[str, Any]] = []
        self.status = 200

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/secret-path"


class _Post(BaseHTTPRequestHandler):
    server: Webhook

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.server.status == 200:
            self.server.posted.append(json.loads(body))
        self.send_response(self.server.status)
        self.end_headers()

    def log_message(self, *_: object) -> None: ...


@contextmanager
def running(server: MailServer | Webhook) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
