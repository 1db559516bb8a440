"""Rules of the house that hold for all files: each is a check, so that none is only prose."""

from __future__ import annotations

import ast
import importlib
import inspect
import pickle
import pkgutil
import re
import subprocess
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from pydantic import BaseModel
from tests import mirrors

import pharos
from pharos import config
from pharos.errors import PharosError

CHECKOUT = Path(__file__).parents[1]
SOURCE = CHECKOUT / "src" / "pharos"
TESTS = CHECKOUT / "tests"
WITHOUT_MIRROR = {"end_to_end", "conformance", "deploy"}  # tests about the whole, not about one module
# Names of test files about all modules of their folder.
OF_A_WHOLE_ROOM = {
    *("adopted", "attacks", "browser", "check", "editions", "numbers"),
    *("odd_courses", "odd_values", "order", "prefix", "recovery", "rights", "sentences"),
}
ENGINES = {"duckdb", "pyspark", "spark"}
OPTIONAL = {"hdfs_native", "obstore", "py4j", "pyspark"}  # imported where it is there

modules = [
    importlib.import_module(module.name)
    for module in pkgutil.walk_packages(pharos.__path__, "pharos.")
    if "migrations" not in module.name
]
errors = sorted(
    {
        member
        for module in modules
        for _, member in inspect.getmembers(module, inspect.isclass)
        if issubclass(member, PharosError)
    },
    key=lambda error: error.__qualname__,
)


def tracked_files() -> list[Path]:
    listing = subprocess.run(
        ["git", "ls-files", "-z"], cwd=CHECKOUT, check=True, capture_output=True, text=True
    )
    return [CHECKOUT / name for name in listing.stdout.split("\0") if name and (CHECKOUT / name).is_file()]


def tracked_text() -> dict[str, str]:
    """Text of each tracked file that is text, by its path in the checkout."""
    texts = {}
    for path in tracked_files():
        try:
            texts[path.relative_to(CHECKOUT).as_posix()] = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
    return texts


def test_each_test_file_stands_at_the_path_of_what_it_tests() -> None:
    for path in TESTS.glob("*/**/test_*.py"):
        place = path.relative_to(TESTS)
        name = place.stem.removeprefix("test_")
        if place.parts[0] in WITHOUT_MIRROR or name in OF_A_WHOLE_ROOM:
            continue
        candidates = [*(SOURCE / place.parent).rglob(f"{name}.py"), SOURCE / place.parent / name]
        assert any(path.exists() for path in candidates), f"{place}: src/pharos/{place.parent} has no {name}"


def test_each_module_has_tests() -> None:
    """A file of its own at the same path, or those that `mirrors.ELSEWHERE` names and says why."""
    for path in mirrors.modules():
        assert mirrors.tests_of(path), f"{path.relative_to(SOURCE)}: no test file, and no entry in ELSEWHERE"


def test_tests_elsewhere_are_there_and_are_needed() -> None:
    for key, files in mirrors.ELSEWHERE.items():
        assert (SOURCE / key).exists(), f"{key}: no such module"
        for file in files:
            assert (TESTS / file).is_file(), f"{key}: no tests/{file}"
        named = [mirrors.TESTS / file for file in files]
        if not key.endswith("/"):
            assert mirrors.tests_of(SOURCE / key) == named, f"{key} has tests of its own"


def test_every_module_says_what_it_is_for() -> None:
    for module in modules:
        assert module.__doc__, f"{module.__name__} has no docstring"


def test_no_module_is_a_drawer() -> None:
    for module in modules:
        assert module.__name__.rsplit(".", 1)[-1] not in {"utils", "util", "common", "misc", "helpers"}


def names_an_engine(path: Path) -> list[str]:
    """Names and texts in the code, docstrings left out, that are an engine's name."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found = [
        name
        for node in ast.walk(tree)
        for name in (
            [node.id]
            if isinstance(node, ast.Name)
            else [node.attr]
            if isinstance(node, ast.Attribute)
            else [node.value]
            if isinstance(node, ast.Constant) and isinstance(node.value, str)
            else []
        )
    ]
    return [name for name in found if name.lower() in ENGINES]


def test_only_the_engine_room_names_an_engine() -> None:
    allowed = {SOURCE / "config.py", SOURCE / "cli.py", *(SOURCE / "engine").rglob("*.py")}
    for path in set(SOURCE.rglob("*.py")) - allowed:
        assert not names_an_engine(path), f"{path.relative_to(SOURCE)} names an engine"


def test_settings_are_handed_over_not_held() -> None:
    for module in modules:
        held = [
            name
            for name, value in vars(module).items()
            if isinstance(value, BaseModel) and type(value).__module__ == config.__name__
        ]
        assert not held, f"{module.__name__} holds settings: {held}"


def test_only_the_settings_read_the_environment() -> None:
    # The last two write: what processes beside this one are to find.
    allowed = {SOURCE / "config.py", SOURCE / "engine/spark.py", SOURCE / "engine/processes.py"}
    for path in set(SOURCE.rglob("*.py")) - allowed:
        assert not re.search(r"\bos\.(environ|getenv)\b", path.read_text(encoding="utf-8")), path


@pytest.mark.parametrize("error", errors, ids=lambda error: error.__qualname__)
def test_every_error_has_a_text_and_crosses_processes(error: type[PharosError]) -> None:
    parameters = inspect.signature(error.__init__).parameters.values()
    given = [
        f"the {parameter.name}"
        for parameter in list(parameters)[1:]
        if parameter.kind
        in {parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD, parameter.VAR_POSITIONAL}
        and parameter.default is parameter.empty
    ]
    built = error(*given)
    text = str(built)
    assert text
    assert not re.search(r"[{}]", text), f"a brace was left unfilled: {text}"
    assert str(pickle.loads(pickle.dumps(built))) == text  # noqa: S301 - our own bytes


def test_the_documentation_lists_every_setting() -> None:
    operations = (CHECKOUT / "docs" / "operations" / "settings.md").read_text(encoding="utf-8")
    for key, _, meaning in config.described():
        assert f"| `{key}` |" in operations, f"docs/operations/settings.md has no {key}; run `make docs`"
        assert meaning, f"{key} has no description"


def test_locked_requirements_are_complete_and_name_no_place() -> None:
    for path in (CHECKOUT / "requirements").glob("*.txt"):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"--(extra-)?index-url|--find-links|--trusted-host|://|@ ", text), path
        for requirement in re.findall(r"^[^\s#].*", text, re.MULTILINE):
            assert re.match(r"[a-z0-9-]+==\S+", requirement), requirement
            assert requirement.endswith("\\"), f"{requirement} has no hash"


def test_the_lock_files_hold_every_dependency() -> None:
    """An installation resolves nothing, so a package that is declared but not locked would be missing."""
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))
    groups = project["dependency-groups"]
    declared = {
        "run.txt": [*project["project"]["dependencies"], *groups["build"]],
        "dev.txt": [*project["project"]["dependencies"], *groups["build"], *groups["dev"]],
    }
    for lock, requirements in declared.items():
        locked = re.findall(
            r"^([a-z0-9-]+)==(\S+)", (CHECKOUT / "requirements" / lock).read_text(), re.MULTILINE
        )
        for requirement in map(Requirement, requirements):
            versions = [version for name, version in locked if name == canonicalize_name(requirement.name)]
            assert versions, f"{requirement.name} is not in requirements/{lock}; run `make lock`"
            assert all(requirement.specifier.contains(version) for version in versions), requirement


@pytest.mark.parametrize(
    ("folder", "lock"), [("src", "run.txt"), ("tests", "dev.txt"), ("benchmarks", "dev.txt")]
)
def test_everything_imported_is_locked(folder: str, lock: str) -> None:
    """A package that only the environment of its author has would be missing everywhere else."""
    locked = set(re.findall(r"^([a-z0-9-]+)==", (CHECKOUT / "requirements" / lock).read_text(), re.MULTILINE))
    distributions = packages_distributions()
    for path in (CHECKOUT / folder).rglob("*.py"):
        for name in imported_packages(path) - OPTIONAL:
            providers = {canonicalize_name(provider) for provider in distributions.get(name, ())}
            assert not providers or providers & {*locked, "pharos"}, (
                f"{path} imports {name}; lock {providers}"
            )


def imported_packages(path: Path) -> set[str]:
    """Top-level names of the packages a file imports, wherever in it."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.split(".")[0])
    return names


def test_no_file_knows_the_machine_it_was_written_on() -> None:
    # Written in pieces, so that this file does not contain what it looks for.
    machine = re.compile("|".join(["/" + "work/", "/" + "root/", "/" + r"home/\w+/", "/" + r"Users/\w+/"]))
    for name, text in tracked_text().items():
        found = machine.search(text)
        assert not found, f"{name} contains {found and found[0]}"


def test_every_decision_has_its_four_parts() -> None:
    records = sorted((CHECKOUT / "docs" / "decisions").glob("*.md"))
    assert [record.name[:4] for record in records] == [
        f"{number:04}" for number in range(1, len(records) + 1)
    ]
    for record in records:
        headings = re.findall(r"^## (.*)$", record.read_text(encoding="utf-8"), re.MULTILINE)
        assert headings == ["Question", "Facts", "Choice", "What would change our mind"], record.name
