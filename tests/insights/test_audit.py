"""Who signed in and who was refused stands in the audit log of Insights."""

from __future__ import annotations

import json
from typing import Any

from tests.insights.world import World


def audited(world: World) -> list[dict[str, Any]]:
    log = world.settings.home / "insights_audit.jsonl"
    return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []


def test_sign_ins_and_refusals_are_written_down_with_who(own_world: World) -> None:
    course = own_world.campus.courses[1].id
    with own_world.client("ines") as client:
        assert client.get(f"/courses/{own_world.course_id}/").status_code == 200
        assert client.get(f"/courses/{course}/enrollment/activity/?period=all").status_code == 403
    with own_world.client() as nobody:
        assert nobody.get("/complete/edx-oauth2/?code=secret&state=x").status_code == 401
    lines = [{key: line.get(key) for key in ("event", "caller", "path")} for line in audited(own_world)]
    assert lines == [
        {"event": "signed_in", "caller": "ines", "path": "/complete/edx-oauth2/"},
        {"event": "refused", "caller": "ines", "path": f"/courses/{course}/enrollment/activity/"},
        {"event": "refused", "caller": "", "path": "/complete/edx-oauth2/"},
    ]
    assert {line["address"] for line in audited(own_world)} == {"127.0.0.1"}
    assert all(line["reason"] for line in audited(own_world)[1:])
    assert "secret" not in (own_world.settings.home / "insights_audit.jsonl").read_text()


def test_a_log_that_cannot_be_written_keeps_nobody_out(own_world: World) -> None:
    (own_world.settings.home / "insights_audit.jsonl").mkdir()
    with own_world.client("ines") as client:
        assert client.get(f"/courses/{own_world.course_id}/").status_code == 200
        assert client.get(f"/courses/{own_world.campus.courses[1].id}/").status_code == 403
