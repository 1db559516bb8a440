"""Documents that are made from the code, and the glossary that is compared with it, notice a change."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

CHECKOUT = Path(__file__).parents[1]


@pytest.fixture
def documents() -> ModuleType:
    """The script, as a module."""
    spec = importlib.util.spec_from_file_location("documents", CHECKOUT / "scripts/documents.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_room_is_in_the_architecture_with_what_it_imports(documents: ModuleType) -> None:
    rooms = {line.split("`")[1]: line.split("|")[3] for line in documents.rooms().splitlines()[2:]}
    there = {f"{path.parent.name}/" for path in (CHECKOUT / "src/pharos").glob("*/__init__.py")}
    there |= {path.stem for path in (CHECKOUT / "src/pharos").glob("*.py")} - {"__init__", "__main__"}
    assert rooms.keys() == there
    assert "`result_store`" in rooms["data_api/"]
    assert "`result_store`" not in rooms["insights/"]
    order = list(rooms)
    for room, imports in rooms.items():
        for used in (name.strip(" `") for name in imports.split(",") if "`" in name):
            below = order.index(used) if used in order else order.index(f"{used}/")
            assert below > order.index(room), f"{room} imports upwards: {used}"


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ("| lake | again | |", "lake: is there twice"),
        ("| tide | rises | `pharos.lake.lake.Tide` |", "tide: the code has no pharos.lake.lake.Tide"),
        ("| moon | shines | `pharos.moon` |", "moon: the code has no pharos.moon"),
    ],
)
def test_a_glossary_that_drifts_from_the_code_is_noticed(
    row: str, told: str, documents: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert documents.wrong_words() == []
    text = (CHECKOUT / "docs/glossary.md").read_text(encoding="utf-8")
    (tmp_path / "glossary.md").write_text(f"{text}{row}\n", encoding="utf-8")
    monkeypatch.setattr(documents, "DOCS", tmp_path)
    assert documents.wrong_words() == [told]
