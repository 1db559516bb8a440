"""The configuration of nginx, judged by nginx, with a certificate and addresses of this machine."""

from __future__ import annotations

import re
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from .conftest import DEPLOY

NGINX = shutil.which("nginx") or "/usr/sbin/nginx"
TEXT = (DEPLOY / "nginx/pharos.conf").read_text(encoding="utf-8")


def certificate(folder: Path) -> None:
    """A self-signed certificate and its key, by the names of the configuration."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "insights.example.org")])
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime(2026, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2046, 1, 1, tzinfo=UTC))
        .sign(key, hashes.SHA256())
    )
    (folder / "fullchain.pem").write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    (folder / "privkey.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )


def test_nginx_accepts_it(tmp_path: Path) -> None:
    certificate(tmp_path)
    text = TEXT.replace("/etc/pharos/tls", str(tmp_path)).replace("server pharos:", "server 127.0.0.1:")
    (tmp_path / "pharos.conf").write_text(text, encoding="utf-8")
    (tmp_path / "nginx.conf").write_text(
        f"pid {tmp_path}/pid;\nevents {{}}\nhttp {{ access_log off; include {tmp_path}/pharos.conf; }}\n",
        encoding="utf-8",
    )
    done = subprocess.run(
        [NGINX, "-t", "-q", "-e", "error.log", "-p", str(tmp_path), "-c", "nginx.conf"],
        check=False, capture_output=True, text=True, cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "[warn]" not in done.stderr


def test_both_services_are_behind_tls_and_keep_their_figures() -> None:
    servers = TEXT.split("\nserver {")[1:]
    plain, *encrypted = servers
    assert "return 301 https://" in plain
    assert len(encrypted) == 2
    for server in encrypted:
        assert "ssl_certificate " in server
        assert re.search(r"location /metrics \{\s+return 404;", server)
        assert "X-Forwarded-For $remote_addr;" in server
