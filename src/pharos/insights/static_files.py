"""Style sheets, scripts and vendored libraries: read once, addressed by content, cached forever."""

from __future__ import annotations

import gzip
import hashlib
from dataclasses import dataclass
from pathlib import Path

from fastapi import Request, Response

FOLDER = Path(__file__).parent / "static"
TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
}
FOR_EVER = "public, max-age=31536000, immutable"


@dataclass(frozen=True)
class StaticFile:
    """One file in its encodings."""

    media_type: str
    plain: bytes
    gzipped: bytes
    brotli: bytes | None


class StaticFiles:
    """All files of `static/`, under `/static/<hash of the content>/<name>`."""

    def __init__(self) -> None:
        self._files: dict[str, StaticFile] = {}
        self._addresses: dict[str, str] = {}
        for path in sorted(FOLDER.rglob("*")):
            if path.suffix in TYPES:
                compressed = path.with_name(f"{path.name}.br")
                brotli = compressed.read_bytes() if compressed.is_file() else None
                name = path.relative_to(FOLDER).as_posix()
                self.add(name, path.read_bytes(), TYPES[path.suffix], brotli)

    def address(self, name: str) -> str:
        """The address of a file by its path below `static/`."""
        return self._addresses[name]

    def response(self, request: Request, path: str) -> Response | None:
        """The file at `/static/<path>` in the best accepted encoding; None if it does not exist."""
        file = self._files.get(path)
        if file is None:
            return None
        accepted = {
            part.partition(";")[0].strip() for part in request.headers.get("Accept-Encoding", "").split(",")
        }
        headers = {"Cache-Control": FOR_EVER, "Vary": "Accept-Encoding"}
        if "br" in accepted and file.brotli is not None:
            return Response(
                file.brotli, media_type=file.media_type, headers=headers | {"Content-Encoding": "br"}
            )
        if "gzip" in accepted:
            return Response(
                file.gzipped, media_type=file.media_type, headers=headers | {"Content-Encoding": "gzip"}
            )
        return Response(file.plain, media_type=file.media_type, headers=headers)

    def add(self, name: str, content: bytes, media_type: str, brotli: bytes | None = None) -> None:
        """Adds a file; its address has a digest of the content and the last part of its name."""
        key = f"{hashlib.sha256(content).hexdigest()[:12]}/{name.rpartition('/')[2]}"
        self._addresses[name] = f"/static/{key}"
        self._files[key] = StaticFile(media_type, content, gzip.compress(content, 9, mtime=0), brotli)
