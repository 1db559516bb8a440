"""What is said in a part of a video, and the address of the video at a second."""

from __future__ import annotations

import pytest

from pharos.insights.transcripts import Cue, Player, cues_of, languages_of, player_of, preferred

SRT = """\ufeff1
00:00:01,000 --> 00:00:03,500
Welcome &amp; <i>hello</i>
to all

2
01:00:03,500 --> 01:00:05,000
Vectors.

3
01:00:06,000 --> 01:00:07,000

"""
VTT = "WEBVTT\n\n00:01.000 --> 00:03.500 align:start\nWelcome\n\n\n00:03.500 --> 00:05.000\nVectors."


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_cues_of_both_forms(ends: str) -> None:
    assert cues_of(SRT.replace("\n", ends)) == (
        Cue(1.0, 3.5, "Welcome & hello to all"),
        Cue(3603.5, 3605.0, "Vectors."),
    )
    assert cues_of(VTT.replace("\n", ends)) == (Cue(1.0, 3.5, "Welcome"), Cue(3.5, 5.0, "Vectors."))
    assert cues_of("Only text") == cues_of("") == ()


def test_what_is_said_in_some_seconds() -> None:
    player = Player(cues_of(VTT))
    assert player.said(0, 1) == ""
    assert player.said(0, 2) == player.said(2, 3) == "Welcome"
    assert player.said(3, 4) == "Welcome Vectors."
    assert player.said(5, 9) == ""
    assert Player().said(0, 9) == ""
    long = Player((Cue(0, 9, "word, " * 40),)).said(0, 9)
    assert long.endswith("word …")
    assert len(long) < 165


@pytest.mark.parametrize(
    ("encodings", "expected"),
    [
        (
            {"youtube": {"url": "https://www.youtube.com/watch?v=x"}},
            "https://www.youtube.com/watch?v=x&t=65s",
        ),
        ({"youtube": {"url": "https://youtu.be/x"}}, "https://youtu.be/x?t=65s"),
        (
            {"hls": {"url": "https://a/b.m3u8"}, "desktop_mp4": {"url": "https://a/b.MP4?s=1"}},
            "https://a/b.MP4?s=1#t=65",
        ),
        ({"mobile_low": {"url": "javascript:alert(1)//.mp4"}, "x": None, "fallback": {}}, ""),
        ({"youtube": {"url": "https://[bad"}}, ""),
        (None, ""),
    ],
)
def test_the_address_at_a_second(encodings: object, expected: str) -> None:
    assert player_of({"encoded_videos": encodings}, "").at(65) == expected


def test_the_transcript_is_in_the_language_of_the_page_if_there_is_one() -> None:
    told = languages_of({"transcripts": {"es-419": "/es", "en": "/en", "de": None}})
    assert told == {"es-419": "/es", "en": "/en"}
    assert [preferred(told, code) for code in ("es", "fr")] == ["/es", "/en"]
    assert preferred({"de": "/de"}, "fr") == "/de"
    assert preferred(languages_of({"transcripts": []}), "en") == ""
