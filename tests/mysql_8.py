"""A MySQL 8.4 at its defaults, as far as signing in goes, in front of a MariaDB that answers the queries.

It knows `caching_sha2_password` alone, and in its full form: over TLS the password as it is, without TLS
encrypted with the server's RSA key. Whoever offers another way is asked to switch, and who cannot is refused.
"""

from __future__ import annotations

import hashlib
import secrets
import socket
import ssl
import struct
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import sqlalchemy as sa
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID

PLUGIN = b"caching_sha2_password"
USER, PASSWORD = "reader", "s3cret/with@odd:characters"
LONG_PASSWORD, WITH_DATABASE, PROTOCOL_41, TLS = 1, 1 << 3, 1 << 9, 1 << 11
SECURE_CONNECTION, PLUGIN_AUTH, LENGTH_ENCODED = 1 << 15, 1 << 19, 1 << 21
# What a MySQL 8 offers and MariaDB understands; besides those above: transactions, several results, no EOF.
OFFERED = (
    LONG_PASSWORD | 1 << 1 | 1 << 2 | WITH_DATABASE | PROTOCOL_41 | 1 << 13 | SECURE_CONNECTION
    | 1 << 16 | 1 << 17 | 1 << 18 | PLUGIN_AUTH | LENGTH_ENCODED | 1 << 24
)  # fmt: skip


@dataclass
class MySQL8:
    """The server, and how people signed in."""

    backend: sa.URL
    port: int
    certificate: Path | None
    """Whoever trusts it can verify the server; None: the server knows no TLS."""
    signed_in: list[str] = field(default_factory=list)
    """`TLS` or `RSA`, for each who did."""

    def url(self, database: str, password: str = PASSWORD, **options: str) -> str:
        """An address for the server as an operator writes it."""
        address = sa.URL.create("mysql", USER, password, "127.0.0.1", self.port, database, options)
        return address.render_as_string(hide_password=False)


@contextmanager
def mysql_8(
    mariadb_url: str, *, certificate: Path | None = None, key: Path | None = None
) -> Iterator[MySQL8]:
    """The server, until the end of the block; `mariadb_url` names a user who may do anything."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = MySQL8(sa.make_url(mariadb_url), listener.getsockname()[1], certificate)
    context = None
    if certificate is not None and key is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
    rsa_key = rsa.generate_private_key(65537, 2048)

    def accept() -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=serve, args=(client,), daemon=True).start()

    def serve(client: socket.socket) -> None:
        with ExitStack() as open_sockets, suppress(OSError, EOFError):
            _session(server, open_sockets, open_sockets.enter_context(client), context, rsa_key)

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield server
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def certificate_for_loopback(folder: Path) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 that signs itself, and its key."""
    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=2))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    files = folder / "mysql8.crt", folder / "mysql8.key"
    files[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    files[1].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return files


# --- One connection --------------------------------------------------------------------------------------


def _session(
    server: MySQL8,
    open_sockets: ExitStack,
    client: socket.socket,
    context: ssl.SSLContext | None,
    key: rsa.RSAPrivateKey,
) -> None:
    nonce = bytes(byte % 127 + 1 for byte in secrets.token_bytes(20))
    offered = OFFERED | (TLS if context else 0)
    _send(client, 0, _greeting(nonce, offered))
    number, answer = _receive(client)
    if context is not None and struct.unpack_from("<I", answer)[0] & TLS:
        client = open_sockets.enter_context(context.wrap_socket(client, server_side=True))
        number, answer = _receive(client)
    flags, user, response, database, plugin = _parsed(answer)
    if plugin != PLUGIN:
        _send(client, number + 1, b"\xfe" + PLUGIN + b"\0" + nonce + b"\0")
        number, response = _receive(client)
    known = user == USER.encode()
    password, number = _password(client, number, response, nonce, key)
    if not known or password != PASSWORD.encode():
        text = f"Access denied for user '{user.decode()}'@'localhost' (using password: YES)"
        _send(client, number + 1, b"\xff" + struct.pack("<H", 1045) + b"#28000" + text.encode())
        return
    server.signed_in.append("TLS" if isinstance(client, ssl.SSLSocket) else "RSA")
    backend = open_sockets.enter_context(
        socket.create_connection((server.backend.host, server.backend.port or 3306))
    )
    done = _signed_in(backend, server.backend, flags & OFFERED, database)
    _send(client, number + 1, done)
    back = threading.Thread(target=_pump, args=(backend, client), daemon=True)
    back.start()
    _pump(client, backend)
    back.join()


def _greeting(nonce: bytes, flags: int) -> bytes:
    return (
        b"\x0a8.4.0\0" + struct.pack("<I", 7) + nonce[:8] + b"\0" + struct.pack("<H", flags & 0xFFFF)
        + b"\xff" + struct.pack("<H", 2) + struct.pack("<H", flags >> 16) + b"\x15" + bytes(10)
        + nonce[8:] + b"\0" + PLUGIN + b"\0"
    )  # fmt: skip


def _parsed(answer: bytes) -> tuple[int, bytes, bytes, bytes, bytes]:
    """Flags, user, first answer to the nonce, database and plugin of a client's greeting."""
    flags = struct.unpack_from("<I", answer)[0]
    user, _, rest = answer[32:].partition(b"\0")
    length, rest = rest[0], rest[1:]
    response, rest = rest[:length], rest[length:]
    database = b""
    if flags & WITH_DATABASE:
        database, _, rest = rest.partition(b"\0")
    plugin = rest.partition(b"\0")[0] if flags & PLUGIN_AUTH else b""
    return flags, user, response, database, plugin


def _password(
    client: socket.socket, number: int, response: bytes, nonce: bytes, key: rsa.RSAPrivateKey
) -> tuple[bytes, int]:
    """The password of a client, asked for in full, and the number of its last packet."""
    if not response:
        return b"", number
    _send(client, number + 1, b"\x01\x04")
    number, answer = _receive(client)
    if isinstance(client, ssl.SSLSocket):
        return answer.rstrip(b"\0"), number
    if answer == b"\x02":
        public = key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        _send(client, number + 1, b"\x01" + public)
        number, answer = _receive(client)
    scheme = padding.OAEP(padding.MGF1(hashes.SHA1()), hashes.SHA1(), None)  # noqa: S303 - the protocol's
    hidden = key.decrypt(answer, scheme)
    plain = bytes(byte ^ nonce[place % len(nonce)] for place, byte in enumerate(hidden))
    return plain.rstrip(b"\0"), number


# --- The server behind -----------------------------------------------------------------------------------


def _signed_in(backend: socket.socket, url: sa.URL, flags: int, database: bytes) -> bytes:
    """Sign in at MariaDB with the same flags; what it said in the end."""
    _, greeting = _receive(backend)
    rest = greeting[1:].partition(b"\0")[2]
    nonce = rest[4:12] + rest[31:43]
    response = _native(str(url.password).encode(), nonce)
    flags |= PROTOCOL_41 | SECURE_CONNECTION | PLUGIN_AUTH
    flags &= ~LENGTH_ENCODED
    _send(
        backend,
        1,
        struct.pack("<IIB", flags, 1 << 24, 45) + bytes(23) + str(url.username).encode() + b"\0"
        + bytes([len(response)]) + response + (database + b"\0" if flags & WITH_DATABASE else b"")
        + b"mysql_native_password\0",
    )  # fmt: skip
    _, done = _receive(backend)
    return done


def _native(password: bytes, nonce: bytes) -> bytes:
    first = hashlib.sha1(password, usedforsecurity=False).digest()
    second = hashlib.sha1(first, usedforsecurity=False).digest()
    mask = hashlib.sha1(nonce + second, usedforsecurity=False).digest()
    return bytes(a ^ b for a, b in zip(first, mask, strict=True))


def _send(connection: socket.socket, number: int, payload: bytes) -> None:
    connection.sendall(struct.pack("<I", len(payload))[:3] + bytes([number % 256]) + payload)


def _receive(connection: socket.socket) -> tuple[int, bytes]:
    head = _exactly(connection, 4)
    return head[3], _exactly(connection, int.from_bytes(head[:3], "little"))


def _exactly(connection: socket.socket, length: int) -> bytes:
    data = b""
    while len(data) < length:
        part = connection.recv(length - len(data))
        if not part:
            raise EOFError
        data += part
    return data


def _pump(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(1 << 16):
            target.sendall(data)
    with suppress(OSError):
        target.shutdown(socket.SHUT_RDWR)
