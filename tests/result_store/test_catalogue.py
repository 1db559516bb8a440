"""The document of the contract leaves nothing out."""

from __future__ import annotations

from pharos.result_store.catalogue import markdown
from pharos.result_store.tables import RESULTS


def test_every_table_and_column_is_explained() -> None:
    text = markdown()
    for table in RESULTS.values():
        assert table.info["definition"].title in text
        for column in table.columns:
            assert column.comment
            assert f"| `{column.name}` |" in text
