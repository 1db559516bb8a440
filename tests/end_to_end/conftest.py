"""An option of these tests."""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--draw-pictures", action="store_true", help="draw the pictures of docs/images anew")
