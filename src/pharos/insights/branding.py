"""The site's own look: its name, logo and accent colour (settings `insights.site_name`, `logo`, `accent`)."""

from __future__ import annotations

from colorsys import hls_to_rgb, rgb_to_hls
from dataclasses import dataclass

from pharos.config import InsightsSettings
from pharos.errors import ConfigurationError
from pharos.insights.static_files import TYPES, StaticFiles

LIGHT_GROUND, DARK_GROUND = "#ffffff", "#111922"
"""`--surface` of the style sheet."""
LEAST_CONTRAST = 4.5
"""WCAG 2.2, 1.4.3: text on its ground."""
DEFAULT_NAME = "Pharos"
STYLE, LOGO = "site.css", "logo"


@dataclass(frozen=True)
class Branding:
    """The site's name, logo and style on pages."""

    name: str
    logo: str | None
    """Address of the logo."""
    style: str | None
    """Address of a style sheet with the site's accent."""


def branding(settings: InsightsSettings, static: StaticFiles) -> Branding:
    """The site's look, its files among the static ones. Raises ConfigurationError."""
    logo = style = None
    if settings.accent is not None:
        static.add(STYLE, _style(settings.accent).encode(), TYPES[".css"])
        style = static.address(STYLE)
    if settings.logo is not None:
        media_type = TYPES.get(settings.logo.suffix.lower())
        if media_type is None or not media_type.startswith("image/"):
            raise ConfigurationError(f"insights.logo: {settings.logo} must be an .svg or .png file")
        try:
            content = settings.logo.read_bytes()
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise ConfigurationError(f"insights.logo: {settings.logo} cannot be read ({reason})") from error
        static.add(LOGO + settings.logo.suffix.lower(), content, media_type)
        logo = static.address(LOGO + settings.logo.suffix.lower())
    return Branding(settings.site_name or DEFAULT_NAME, logo, style)


def contrast(one: str, other: str) -> float:
    """Contrast of two colours `#rrggbb`, 1 to 21 (WCAG 2.2)."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def for_dark(accent: str) -> str:
    """The accent, lightened as the dark background requires."""
    hue, lightness, saturation = rgb_to_hls(*(part / 255 for part in _parts(accent)))
    while contrast(accent, DARK_GROUND) < LEAST_CONTRAST and lightness < 1:
        lightness = min(1.0, lightness + 0.02)
        accent = _hex(hls_to_rgb(hue, lightness, saturation))
    return accent


def _style(accent: str) -> str:
    found = contrast(accent, LIGHT_GROUND)
    if found < LEAST_CONTRAST:
        raise ConfigurationError(
            f"insights.accent: {accent} on white has a contrast of {found:.1f}, and text needs "
            f"{LEAST_CONTRAST}; choose a darker colour"
        )
    dark = for_dark(accent)
    on = [max(("#ffffff", "#000000"), key=lambda text: contrast(text, ground)) for ground in (accent, dark)]
    return (
        f":root {{ --accent: light-dark({accent}, {dark}); --accent-on: light-dark({on[0]}, {on[1]}); "
        "--accent-tint: color-mix(in srgb, var(--accent) 8%, var(--surface)); }\n"
    )


def _parts(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def _hex(parts: tuple[float, float, float]) -> str:
    return "#" + "".join(f"{round(part * 255):02x}" for part in parts)


def _luminance(colour: str) -> float:
    red, green, blue = (
        share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4  # noqa: PLR2004 - WCAG
        for share in (part / 255 for part in _parts(colour))
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
