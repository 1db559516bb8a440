"""Transcripts of videos, and addresses that start a video at a second, from the LMS's player data. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import unescape
from itertools import zip_longest
from typing import Any
from urllib.parse import urlsplit

from pharos.insights.language import primary

LONGEST = 160
"""Characters of what is said beside a place."""
FILES = (".mp4", ".webm", ".ogv", ".m4v")
"""Files of videos that browsers play from a second on."""
YOUTUBE = ("www.youtube.com", "youtube.com", "youtu.be")
_TIMES = re.compile(
    r"^\s*(?:(\d+):)?(\d+):(\d+)[.,](\d+)\s*-->\s*(?:(\d+):)?(\d+):(\d+)[.,](\d+)", re.MULTILINE
)


@dataclass(frozen=True)
class Cue:
    """The words spoken between two seconds of the video."""

    start: float
    end: float
    text: str


@dataclass(frozen=True)
class Player:
    """A video's transcript and address, from the LMS."""

    cues: Sequence[Cue] = ()
    watch_at: str = ""
    """An address of the video itself that only lacks the number of the second; empty where there is none."""
    unit: str = ""
    """What follows the second in the address."""

    def said(self, start: int, end: int) -> str:
        """The words spoken in these seconds, shortened if they are long; empty without a transcript."""
        text = " ".join(cue.text for cue in self.cues if cue.start < end and cue.end > start)
        if len(text) <= LONGEST:
            return text
        return text[:LONGEST].rpartition(" ")[0].rstrip(",;:. ") + " …"

    def at(self, second: int) -> str:
        """The address of the video at the second; empty if it has no address."""
        return f"{self.watch_at}{second}{self.unit}" if self.watch_at else ""


def player_of(view: Mapping[str, Any], transcript: str) -> Player:
    """The player from the blocks API's data of a video (`student_view_data`) and its transcript's text."""
    watch_at, unit = _address(view.get("encoded_videos"))
    return Player(cues_of(transcript), watch_at, unit)


def languages_of(view: Mapping[str, Any]) -> Mapping[str, str]:
    """Language -> address of its transcript."""
    found = view.get("transcripts")
    pairs = found.items() if isinstance(found, Mapping) else ()
    return {str(language): address for language, address in pairs if isinstance(address, str) and address}


def preferred(languages: Mapping[str, str], code: str) -> str:
    """The address in the language of the page, else in English, else the first one; empty without any."""
    for wish in (code, "en"):
        for language, address in languages.items():
            if primary(language) == wish:
                return address
    return next(iter(languages.values()), "")


def cues_of(text: str) -> tuple[Cue, ...]:
    """The cues of an SRT or WebVTT transcript, in the order of time; empty for any other format."""
    marks = list(_TIMES.finditer(text))
    cues = []
    for mark, following in zip_longest(marks, marks[1:]):
        below = text[mark.end() : following.start() if following else len(text)]
        # After the times come settings, the lines that are shown, an empty line, and the next cue's number.
        _, _, lines = below.replace("\r", "").partition("\n")
        shown = re.sub(r"<[^>]*>", "", lines.partition("\n\n")[0])
        if said := " ".join(unescape(shown).split()):
            cues.append(Cue(_seconds(mark.groups()[:4]), _seconds(mark.groups()[4:]), said))
    return tuple(sorted(cues, key=lambda cue: cue.start))


def _seconds(parts: Sequence[str | None]) -> float:
    hours, minutes, seconds, fraction = (part or "0" for part in parts)
    return int(hours) * 3600 + int(minutes) * 60 + float(f"{seconds}.{fraction}")


def _address(encodings: object) -> tuple[str, str]:
    """The parts before and after the second in an address of the video: on YouTube, or of a file."""
    found = encodings.values() if isinstance(encodings, Mapping) else ()
    urls = [str(each.get("url") or "") for each in found if isinstance(each, Mapping)]
    for url in urls:
        try:
            parts = urlsplit(url)
        except ValueError:
            continue
        if parts.scheme not in ("https", "http"):
            continue
        if parts.hostname in YOUTUBE and not parts.fragment:
            return url + ("&" if parts.query else "?") + "t=", "s"
        if parts.path.lower().endswith(FILES) and not parts.fragment:
            return f"{url}#t=", ""
    return "", ""
