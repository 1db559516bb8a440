"""A tab of the instructor dashboard that leads to the course in the site of `ANALYTICS_DASHBOARD_URL`."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from openedx_filters import PipelineStep

AFTER_SPECIAL_EXAMS = 120  # the last of the dashboard's own tabs is 110


class AddTab(PipelineStep):  # type: ignore[misc, unused-ignore] # the library has no types
    """Adds the tab when the site is named."""

    def run_filter(self, tabs: list[dict[str, Any]], course_key: object, **_: object) -> dict[str, Any]:
        site = getattr(settings, "ANALYTICS_DASHBOARD_URL", None)
        if not site:
            return {"tabs": tabs}
        tab = {
            "tab_id": "analytics",
            "title": getattr(settings, "ANALYTICS_DASHBOARD_NAME", None) or "Insights",
            "url": f"{site.rstrip('/')}/courses/{course_key}/",
            "sort_order": AFTER_SPECIAL_EXAMS,
        }
        return {"tabs": [*tabs, tab]}
