"""Which tests are about which module: `tests/<folder>/test_<module>.py`, or what `ELSEWHERE` says.

A module without a test file of its own has no behaviour that can be seen without another one; it is tested
through that one, which `ELSEWHERE` names. Used by the rules of the house and by `scripts/mutations.py`.
"""

from __future__ import annotations

import ast
from pathlib import Path

TESTS = Path(__file__).parent
SOURCE = TESTS.parent / "src" / "pharos"

_SUMMARIES = ("data_api/routes/test_summaries.py",)
_PAGES = ("insights/test_numbers.py", "insights/test_odd_courses.py", "insights/test_error_pages.py")
_MAPS = ("insights/test_course_map.py", "insights/test_video_map.py")
_EVENTS = ("demo/test_log_files.py", "demo/test_run.py")
_DATABASE = ("demo/test_lms_database.py",)

# Module, or folder with a final `/`, below src/pharos: the test files through which it is tested.
ELSEWHERE: dict[str, tuple[str, ...]] = {
    "__main__.py": ("test_cli.py",),
    "check/": ("check/test_check.py",),  # parts of one verb
    "console.py": ("test_cli.py",),  # what the verbs print
    "console_lake.py": ("test_cli.py",),
    "errors.py": ("test_structure.py",),
    "data_api/condition.py": ("data_api/routes/test_operations.py",),
    "data_api/errors.py": ("data_api/test_access.py", "data_api/test_app.py"),
    "data_api/organizations.py": ("data_api/test_access.py", "data_api/test_privacy.py"),
    "data_api/parameters.py": ("data_api/routes/test_enrollment.py", *_SUMMARIES),
    "data_api/report_files.py": ("data_api/routes/test_reports.py",),
    "data_api/roster.py": ("data_api/routes/test_learners.py", "data_api/test_privacy.py"),
    "data_api/times.py": (
        "data_api/routes/test_activity.py",
        "data_api/routes/test_enrollment.py",
        *_SUMMARIES,
    ),
    "lake/identity.py": ("pipeline/test_ownership.py",),
    "result_store/fitting.py": ("pipeline/test_adoption.py",),
    "result_store/owner.py": ("pipeline/test_ownership.py",),
    "result_store/adoption.py": ("pipeline/test_adoption.py",),
    "demo/activities.py": _EVENTS,
    "demo/behaviour.py": _EVENTS,
    "demo/lms_catalog.py": ("demo/test_lms.py", "lake/test_lms_catalog.py"),
    "demo/lms_course_tables.py": _DATABASE,
    "demo/lms_progress_tables.py": _DATABASE,
    "demo/lms_roles.py": _DATABASE,
    "demo/lms_rows.py": _DATABASE,
    "demo/lms_throttle.py": ("lms/test_rest.py",),
    "demo/log_lines.py": _EVENTS,
    "demo/payloads.py": _EVENTS,
    "demo/subtitles.py": ("lms/test_rest.py",),
    "demo/releases.py": ("demo/test_lms_sign_in.py",),
    "engine/__init__.py": ("engine/test_base.py",),
    "engine/digests.py": ("engine/test_base.py",),
    "engine/errors.py": ("engine/test_base.py",),
    "engine/spark.py": ("engine/test_base.py", "engine/test_functions.py"),
    "geolocation/__init__.py": ("geolocation/test_countries.py",),
    "insights/": _PAGES,  # a page is seen as a whole: sentence, figures, chart, table and file
    "insights/admission.py": ("insights/test_sign_in.py",),
    "insights/exchanges.py": ("insights/test_sign_in.py", "insights/test_attacks.py"),
    "insights/listing.py": ("insights/test_course_filters.py", "insights/test_numbers.py"),
    "insights/pages/courses.py": ("insights/test_course_filters.py", "insights/test_portfolio.py"),
    "insights/pages/course_list.py": ("insights/test_course_filters.py",),
    "insights/answer_charts.py": ("insights/test_problem_lists.py",),
    "insights/pages/graded.py": ("insights/test_problem_lists.py",),
    "insights/pages/problem.py": ("insights/test_problem_lists.py", "insights/test_answers.py"),
    "insights/blocks.py": ("insights/test_problem_lists.py", "insights/test_ungraded.py", *_MAPS),
    "insights/shares.py": ("insights/test_problem_counts.py", "insights/test_video_counts.py", *_MAPS),
    "insights/map_drawing.py": _MAPS,
    "insights/video_charts.py": ("insights/test_video.py",),
    "insights/video_watching.py": ("insights/test_video.py", "insights/test_video_map.py"),
    "insights/video_lists.py": ("insights/test_videos.py",),
    "insights/pages/downloads.py": ("insights/test_files.py", "insights/test_numbers.py"),
    "insights/pages/landing.py": ("insights/test_access.py",),
    "insights/pages/service.py": ("insights/test_access.py", "insights/test_error_pages.py"),
    "insights/permissions.py": ("insights/test_access.py",),
    "insights/sessions.py": ("insights/test_sign_in.py", "insights/test_attacks.py"),
    "insights/site.py": ("insights/test_access.py",),
    "insights/static_files.py": ("insights/test_access.py", "insights/test_error_pages.py"),
    "lake/course_answers.py": ("lake/test_lms_courses.py",),
    "lake/damage.py": ("lake/test_verify.py", "lake/test_repair.py"),
    "lake/folder.py": ("lake/test_lake.py", "lake/test_ledger.py"),
    "lake/lease.py": ("lake/test_objects.py",),
    "lake/place.py": ("lake/test_objects.py",),
    "lake/places.py": ("lake/test_objects.py", "pipeline/test_ingestion.py"),
    "lake/lines.py": ("lake/test_parse.py", "lake/test_land.py"),
    "lake/lms_outlines.py": ("lake/test_lms_courses.py",),
    "lake/columns.py": ("lake/test_parse.py", "lake/test_data_files.py"),
    "lake/schema.py": ("lake/test_parse.py", "lake/test_data_files.py"),
    "lake/status.py": ("lake/test_ingest.py", "pipeline/test_data_problems.py"),
    "lms/errors.py": ("lms/test_oauth.py", "lms/test_rest.py"),
    "lms/tables.py": ("lake/test_lms_tables.py",),
    "metrics/learner_names.py": ("metrics/test_engagement.py",),
    "metrics/submissions.py": ("metrics/test_answers.py",),
    "metrics/enrollment_states.py": ("metrics/test_enrollment.py",),
    "pipeline/care.py": ("pipeline/test_data_problems.py", "lake/test_repair.py"),
    "pipeline/event_types.py": ("facts/test_event_types.py", "pipeline/test_run.py"),
    "pipeline/facts.py": ("pipeline/test_run.py",),
    "pipeline/inputs.py": ("pipeline/test_results.py", "pipeline/test_run.py"),
    "pipeline/parted.py": ("pipeline/test_publishing.py", "pipeline/test_run.py"),
    "pipeline/scope.py": ("pipeline/test_graph.py",),
    "result_store/checksums.py": ("result_store/test_editions.py",),
    "result_store/publications.py": ("result_store/test_editions.py", "result_store/test_store.py"),
    "result_store/staging.py": ("result_store/test_editions.py",),
    "result_store/connecting.py": ("result_store/test_store.py", "data_api/test_reading.py"),
    "result_store/errors.py": ("result_store/test_store.py",),
    "result_store/tables/": ("result_store/test_tables.py", "result_store/test_contract.py"),
}


def modules() -> list[Path]:
    """The modules that do something, by path; not the migrations, which run against databases as a whole."""
    return [
        path
        for path in sorted(SOURCE.rglob("*.py"))
        if "migrations" not in path.relative_to(SOURCE).parts and _does_something(path)
    ]


def tests_of(module: Path) -> list[Path]:
    """The test files about a module: its mirror; without one, those of the nearest entry of `ELSEWHERE`."""
    place = module.relative_to(SOURCE)
    name = place.parent.name if place.stem == "__init__" else place.stem
    for folder in place.parents:  # pages of Insights are tested one folder up
        if (mirror := TESTS / folder / f"test_{name}.py").exists():
            return [mirror]
    prefixes = [f"{folder.as_posix()}/" for folder in place.parents]
    return [
        TESTS / path
        for path in next((ELSEWHERE[key] for key in (place.as_posix(), *prefixes) if key in ELSEWHERE), ())
    ]


def room_of(module: Path) -> str:
    """The folder below src/pharos, empty for a module beside the folders."""
    place = module.relative_to(SOURCE)
    return place.parts[0] if len(place.parts) > 1 else ""


def _does_something(path: Path) -> bool:
    """Whether there is more than a docstring, imports and names that are handed on."""
    return any(
        not isinstance(statement, ast.Import | ast.ImportFrom | ast.Expr)
        and not (isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]).startswith("__"))
        for statement in ast.parse(path.read_text(encoding="utf-8")).body
    )
