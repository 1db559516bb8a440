"""Languages: choosing one for a request, translating, and formatting numbers and dates.

Translations are gettext catalogs (`locale/<code>/LC_MESSAGES/`: `messages.po` for the words of the pages,
`definitions.po` for those of the Data API's definitions). They are read when the application starts, without
a compile step. A message may hold markup; values filled into it are escaped.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from gettext import GNUTranslations, NullTranslations
from io import BytesIO
from pathlib import Path

from babel import Locale
from babel.dates import format_date, format_datetime, format_interval, format_skeleton
from babel.lists import format_list
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal, format_percent
from fastapi import Request
from markupsafe import Markup

CATALOGS = Path(__file__).parent / "locale"
MESSAGES, DEFINITIONS = "messages", "definitions"
# Code, as in `<html lang>`; CLDR locale for numbers and dates; name in the language itself.
AVAILABLE = {
    "en": ("en_GB", "English"),
    "es": ("es", "Español"),
    "fr": ("fr", "Français"),
    "ar": ("ar_EG", "العربية"),
    "zh": ("zh_Hans_CN", "简体中文"),
}
DEFAULT = "en"
COOKIE = "pharos_language"
PARAMETER = "language"
MINUS = "−"
_ARABIC = str.maketrans("0123456789%", "٠١٢٣٤٥٦٧٨٩٪")


def noop(message: str) -> str:
    """Marks a message for translation that is translated later."""
    return message


@dataclass(frozen=True)
class Language:
    """One language of the pages."""

    code: str
    name: str
    locale: Locale
    _translations: NullTranslations = field(repr=False)
    _definitions: NullTranslations = field(repr=False)

    @property
    def tag(self) -> str:
        """BCP 47 tag for `<html lang>` and for `Intl` in scripts."""
        return str(self.locale).replace("_", "-")

    @property
    def direction(self) -> str:
        return self.locale.text_direction

    # --- Words

    def text(self, message: str, **values: object) -> str:
        """The translated message with its values, as plain text."""
        return self._translations.gettext(message) % values

    def texts(self, one: str, many: str, n: int, **values: object) -> str:
        """`text` in the plural form for n; `%(n)s` in it is the number in the language's format."""
        return self._translations.ngettext(one, many, n) % {"n": self.number(n), **values}

    def html(self, message: str, **values: object) -> Markup:
        """The translated message, which may hold markup, with its values escaped."""
        return Markup(self._translations.gettext(message)) % values  # noqa: S704 - catalogs are ours

    def htmls(self, one: str, many: str, n: int, **values: object) -> Markup:
        """`html` in the plural form for n."""
        filled = {"n": self.number(n), **values}
        return Markup(self._translations.ngettext(one, many, n)) % filled  # noqa: S704

    def phrase(self, text: str) -> Markup:
        """A text of the Data API's definitions; without a translation it stays English and is marked so."""
        translated = self._definitions.gettext(text) if text else ""
        if self.code == DEFAULT or translated != text:
            return Markup("{}").format(translated)
        return Markup('<span lang="en" dir="ltr">{}</span>').format(text)

    def sentences(self, *parts: str) -> Markup:
        """The sentences joined by the language's space between sentences."""
        space = Markup("") if self.code == "zh" else Markup(" ")
        return space.join(parts)

    def enumeration(self, items: Sequence[str]) -> str:
        """`a, b and c`."""
        return format_list(items, locale=self.locale)

    # --- Numbers

    def number(self, value: float | None, digits: int = 0) -> str:
        """Grouped, with a fixed number of decimal digits; `–` for None."""
        if value is None:
            return "–"
        exact = _rounded(value, digits)
        pattern = "#,##0." + "0" * digits if digits else "#,##0"
        text = format_decimal(abs(exact), pattern, locale=self.locale, numbering_system="default")
        return self._digits(f"{MINUS}{text}" if exact < 0 else text)

    def signed(self, value: float | None, digits: int = 0) -> str:
        """A change, always with its sign; `±0` for zero."""
        if value is None:
            return "–"
        if _rounded(value, digits) == 0:
            return f"±{self.number(0)}"
        return f"+{self.number(value, digits)}" if value > 0 else self.number(value, digits)

    def percent(self, share: float | None) -> str:
        """A share of 1 in percent, one decimal, halves up (spec 06 §7.5, §19.5)."""
        if share is None:
            return "–"
        if 0 < share < 0.0005:  # noqa: PLR2004 - would be shown as 0.0
            return f"<{self._percent(Decimal('0.001'))}"
        return self._percent(_rounded(share, 3))

    def whole_percent(self, percent: int) -> str:
        """`95%`."""
        return self._digits(format_percent(percent / 100, locale=self.locale, numbering_system="default"))

    def _percent(self, share: Decimal) -> str:
        pattern = self.locale.percent_formats[None].pattern.replace("#,##0", "#,##0.0")
        text = format_percent(abs(share), pattern, locale=self.locale, numbering_system="default")
        return self._digits(f"{MINUS}{text}" if share < 0 else text)

    def video_time(self, seconds: int) -> Markup:
        """A place in a video in minutes and seconds: `3:05`, `61:00`; from left to right."""
        minutes, rest = divmod(seconds, 60)
        return Markup('<span class="when" dir="ltr">{}</span>').format(self._digits(f"{minutes}:{rest:02}"))

    # --- Days and moments, all UTC

    def day(self, value: date) -> str:
        """`22 November 2026`."""
        return self._digits(format_date(value, "long", locale=self.locale))

    def day_of_month(self, value: date) -> str:
        """`22 November`."""
        return self._digits(format_skeleton("MMMMd", _noon(value), locale=self.locale))

    def short_day(self, value: date) -> str:
        """`22 Nov 2026`."""
        return self._digits(format_date(value, "medium", locale=self.locale))

    def weekday(self, value: date, *, beside: date) -> str:
        """`Sun, 22 Nov`, with its year if that differs from the year of the day beside it."""
        skeleton = "MMMEd" if value.year == beside.year else "yMMMEd"
        return self._digits(format_skeleton(skeleton, _noon(value), locale=self.locale))

    def name_of_weekday(self, value: date) -> str:
        """`Monday`."""
        return format_date(value, "EEEE", locale=self.locale)

    def days(self, first: date, last: date) -> str:
        """`16–22 November 2026`; both ends are included."""
        if first == last:
            return self.day(first)
        text = format_interval(first, last, skeleton="yMMMMd", locale=self.locale)
        return self._digits(text)

    def moment(self, value: datetime) -> str:
        """`23 November 2026, 00:12 UTC`."""
        time = format_datetime(value, "HH:mm", locale=self.locale)
        return f"{self.day(value.date())}{self._comma}{self._digits(time)} UTC"

    def end_of(self, until: datetime) -> str:
        """The end of a half-open period: `22 November, 24:00 UTC` for a midnight, else day and time."""
        if until.hour == until.minute == 0:
            day = (until - timedelta(days=1)).date()
            return f"{self.day_of_month(day)}{self._comma}{self._digits('24:00')} UTC"
        time = self._digits(format_datetime(until, "HH:mm", locale=self.locale))
        return f"{self.day_of_month(until.date())}{self._comma}{time} UTC"

    @property
    def _comma(self) -> str:
        """The separator between a day and a time."""
        return {"ar": "، ", "zh": " "}.get(self.code, ", ")

    def language(self, code: str) -> str:
        """Name of the language with the ISO 639 code; the code if this language has no name for it."""
        return str(self.locale.languages.get(code, code))

    def country(self, alpha2: str | None, otherwise: str) -> str:
        """Name of the country; `other` if the language has no name for it."""
        return str(self.locale.territories.get(alpha2 or "", otherwise))

    def _digits(self, text: str) -> str:
        """The text in the language's digits; Babel has only the separators of numbering systems."""
        arabic = self.locale.default_numbering_system == "arab"
        return text.translate(_ARABIC) if arabic else text


def _rounded(value: float, digits: int) -> Decimal:
    """Rounded half up, by the decimal digits that a person would write."""
    return Decimal(repr(value)).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)


def _noon(value: date) -> datetime:
    return datetime(value.year, value.month, value.day, 12)  # noqa: DTZ001 - a formatter's input


@cache
def languages() -> dict[str, Language]:
    """All languages of the pages, by code."""
    return {
        code: Language(
            code, name, Locale.parse(locale), _catalog(code, MESSAGES), _catalog(code, DEFINITIONS)
        )
        for code, (locale, name) in AVAILABLE.items()
    }


def _catalog(code: str, name: str) -> NullTranslations:
    path = CATALOGS / code / "LC_MESSAGES" / f"{name}.po"
    if not path.is_file():
        return NullTranslations()
    compiled = BytesIO()
    with path.open("rb") as file:
        write_mo(compiled, read_po(file, locale=AVAILABLE[code][0]))
    compiled.seek(0)
    return GNUTranslations(compiled)


def chosen(request: Request, profile: str | None) -> Language:
    """The language of a request: switch in the URL, cookie, LMS profile, browser, English."""
    wishes = [
        request.query_params.get(PARAMETER),
        request.cookies.get(COOKIE),
        profile,
        *_accepted(request.headers.get("Accept-Language", "")),
    ]
    available = languages()
    for wish in wishes:
        code = (wish or "").split("-")[0].lower()
        if code in available:
            return available[code]
    return available[DEFAULT]


def primary(code: str) -> str:
    """The language without its variant: `pt` of `pt-br`, `zh` of `zh_HANS`."""
    return re.split("[-_]", code)[0].lower()


def _accepted(header: str) -> list[str]:
    """The languages of an Accept-Language header, the most preferred first."""
    wanted = []
    for item in header.split(","):
        tag, _, parameters = item.strip().partition(";")
        try:
            quality = float(parameters.strip().removeprefix("q=") or 1)
        except ValueError:
            quality = 0.0
        wanted.append((-quality, tag))
    return [tag for quality, tag in sorted(wanted, key=lambda item: item[0]) if quality < 0]
