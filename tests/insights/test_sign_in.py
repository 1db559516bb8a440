"""Signing in and out: spec 06 §4, §17.1-16."""

from __future__ import annotations

from tests.insights.world import World


def test_signing_in_leads_to_the_page_one_wanted(world: World) -> None:
    wanted = f"/courses/{world.course_id}/enrollment/activity/"
    with world.client() as client:
        page = world.sign_in(client, "sofia", wanted)
        assert page.status_code == 200
        assert page.url.path == wanted
        assert "Enrollment Activity" in page.text
