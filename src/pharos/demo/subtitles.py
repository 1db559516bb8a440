"""Subtitles of the campus's videos, as SRT transcripts."""

from __future__ import annotations

STEP = 5  # seconds
_SAID = {
    "en": (
        "Let us look at this once more, slowly.",
        "This is the part that many find hard.",
        "Keep the question in mind while we go on.",
        "Here is an example that you may know.",
        "Now compare this with what we said before.",
        "Try it yourself before you watch the answer.",
        "That is all we need for the next step.",
    ),
    "es": (
        "Veamos esto otra vez, despacio.",
        "Esta es la parte que a muchos les cuesta.",
        "Recuerde la pregunta mientras seguimos.",
        "Aquí hay un ejemplo que quizá conozca.",
        "Compare esto con lo que dijimos antes.",
        "Inténtelo antes de ver la respuesta.",
        "Es todo lo que necesitamos para el paso siguiente.",
    ),
}


def subtitles(seconds: int, language: str) -> str:
    """SRT text with one sentence for each five seconds."""
    lines, cues = _SAID[language], []
    for number, start in enumerate(range(0, seconds, STEP)):
        times = f"{_time(start)} --> {_time(min(start + STEP, seconds))}"
        cues.append(f"{number + 1}\n{times}\n{lines[number % len(lines)]}\n")
    return "\n".join(cues)


def _time(seconds: int) -> str:
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02},000"
