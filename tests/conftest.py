"""What tests of several rooms share: real servers, engines and a browser, each started when first asked for.

Everything listens on the loopback address and on free ports, lives in temporary folders, and ends with the
worker that started it.
"""

from __future__ import annotations

import itertools
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import hypothesis
import playwright.sync_api
import pytest
import sqlalchemy
import uvicorn
from _pytest.mark import ParameterSet
from pyarrow import fs
from tests import s3
from tests.ports import free_ports

from pharos.config import EngineSettings
from pharos.data_api import reading
from pharos.data_api.routes import operations
from pharos.engine import Engine, open_engine
from pharos.insights import waiting

# How long an example takes says how busy the machine is, not whether the program is right. The examples of a
# commit are the same each time, so that a check that fails does so for all; `--hypothesis-profile=explore`
# draws new ones.
hypothesis.settings.register_profile("pharos", deadline=None, derandomize=True)
hypothesis.settings.register_profile("explore", deadline=None, max_examples=500)
hypothesis.settings.load_profile("pharos")

CHECKOUT = Path(__file__).parents[1]
CHROMIUM = "/usr/bin/chromium"
CHROMIUM_ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
START_SECONDS = 60
LONGEST_NAME = 100  # characters of a parameter in the name of a test
_numbers = itertools.count()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The tests of a file share a worker, and so do all tests on Spark: what they start is started once.

    Groups with slow tests come first, then those of many: at the end all workers have something to do.
    """
    for item in items:
        if item.get_closest_marker("xdist_group") is None:
            item.add_marker(pytest.mark.xdist_group(item.path.relative_to(CHECKOUT / "tests").as_posix()))
    tests = Counter(map(_group, items))
    slow = {_group(item) for item in items if item.get_closest_marker("slow") is not None}
    items.sort(key=lambda item: (_group(item) not in slow, -tests[_group(item)]))


def _group(item: pytest.Item) -> str:
    marker = item.get_closest_marker("xdist_group")
    return str(marker.args[0]) if marker else ""


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """A long text, as a key made anew each time, is named by its place: workers must agree on names."""
    return argname if isinstance(val, str | bytes) and len(val) > LONGEST_NAME else None


def _refuse_other_machines(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "socket.connect" and isinstance(arguments[1], tuple):
        host = arguments[1][0]
        if host != "localhost" and not ip_address(host).is_loopback:
            raise PermissionError(f"a test wants to talk to {host}; only the loopback address is allowed")


sys.addaudithook(_refuse_other_machines)


# --- Files ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of the conformance data beside the checkout; skips where it is absent."""
    folder = CHECKOUT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("conformance data not present")
    return folder


# --- Servers of our own --------------------------------------------------------------------------------

BUSY_S = 30  # that one may wait for an answer on a machine where other tests keep all cores busy
PAGE_S, LMS_S = waiting.PAGE_S, waiting.LMS_S


@pytest.fixture(scope="session", autouse=True)
def busy_machine() -> Iterator[None]:
    """How long an answer takes beside other tests says how busy the machine is, not whether it is right."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(waiting, "PAGE_S", BUSY_S)
        patch.setattr(waiting, "LMS_S", BUSY_S)
        patch.setattr(reading, "HEALTH_S", BUSY_S)
        patch.setattr(operations, "HEALTH_S", BUSY_S)
        yield


@pytest.fixture
def usual_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages wait as long for services as the program lets them."""
    monkeypatch.setattr(waiting, "PAGE_S", PAGE_S)
    monkeypatch.setattr(waiting, "LMS_S", LMS_S)


@pytest.fixture
def free_port() -> int:
    """A TCP port of the loopback address nobody listens on."""
    return free_ports(1)[0]


@contextmanager
def _served(app: Any) -> Iterator[str]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        server = uvicorn.Server(
            uvicorn.Config(app, log_level="warning", ws="none", timeout_graceful_shutdown=1)
        )
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="uvicorn")
        thread.start()
        _wait_until(lambda: server.started or not thread.is_alive(), "the application")
        if not server.started:
            pytest.fail("the application did not start; its log says why")
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        server.should_exit = True
        thread.join()


@pytest.fixture
def serve() -> Iterator[Callable[[Any], str]]:
    """`serve(app)` serves an ASGI app until the test ends and returns its base URL (no final /)."""
    with ExitStack() as running:
        yield lambda app: running.enter_context(_served(app))


# --- Databases -----------------------------------------------------------------------------------------


def _wait_until(ready: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not ready():
        if time.monotonic() > deadline:
            pytest.fail(f"{what} did not start within {START_SECONDS} seconds")
        time.sleep(0.05)


def _unprivileged(*command: str) -> list[str]:
    """The command, ended when its parent ends, and not as root: the database servers refuse that."""
    user = ["--reuid=nobody", "--regid=nogroup", "--clear-groups"] if os.geteuid() == 0 else []
    return ["setpriv", *user, "--pdeathsig=TERM", "--", *command]


def _prepare(folder: Path, *command: str) -> None:
    done = subprocess.run(_unprivileged(*command), cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.fail(f"{command[0]} failed:\n{done.stdout}{done.stderr}")


@contextmanager
def _database_folder() -> Iterator[Path]:
    """A temporary folder the server's user owns; not below pytest's own, which only its owner may enter."""
    folder = Path(tempfile.mkdtemp(prefix="pharos-test-"))
    try:
        if os.geteuid() == 0:
            shutil.chown(folder, "nobody", "nogroup")
        yield folder
    finally:
        shutil.rmtree(folder)


@contextmanager
def _database_server(command: list[str], folder: Path, url: str, stop: signal.Signals) -> Iterator[None]:
    """A server process, from when it answers at `url`."""
    log = folder / "server.log"
    engine = sqlalchemy.create_engine(url, poolclass=sqlalchemy.NullPool)

    def answers() -> bool:
        if server.poll() is not None:
            pytest.fail(f"{command[0]} ended at once:\n{log.read_text()}")
        try:
            engine.connect().close()
        except sqlalchemy.exc.OperationalError:
            return False
        return True

    with log.open("w") as output:
        server = subprocess.Popen(_unprivileged(*command), stdout=output, stderr=output, cwd=folder)
    try:
        _wait_until(answers, command[0])
        yield
    finally:
        server.send_signal(stop)
        server.wait()


@pytest.fixture(scope="session")
def mariadb_url() -> Iterator[str]:
    """SQLAlchemy URL of the database `test` on a private MariaDB server; its user may do anything."""
    with _database_folder() as folder:
        data, port = folder / "data", free_ports(1)[0]
        initial = folder / "initial.sql"
        initial.write_text(
            "CREATE USER pharos IDENTIFIED BY 'pharos';\n"
            "GRANT ALL ON *.* TO pharos WITH GRANT OPTION;\n"
            "CREATE DATABASE test;\n"
        )
        _prepare(
            folder,
            "mariadb-install-db",
            "--no-defaults",
            f"--datadir={data}",
            "--skip-test-db",
            "--auth-root-authentication-method=normal",
            "--innodb-flush-log-at-trx-commit=0",
        )
        command = [
            shutil.which("mariadbd") or "/usr/sbin/mariadbd",
            "--no-defaults",
            f"--datadir={data}",
            "--bind-address=127.0.0.1",
            f"--port={port}",
            f"--socket={folder}/socket",
            f"--init-file={initial}",
            f"--pid-file={folder}/pid",
            "--skip-name-resolve",
            "--character-set-server=utf8mb4",
            "--innodb-flush-log-at-trx-commit=0",
            "--innodb-flush-method=nosync",
            "--innodb-buffer-pool-size=64M",
        ]
        url = f"mysql+pymysql://pharos:pharos@127.0.0.1:{port}/test?charset=utf8mb4"
        with _database_server(command, folder, url, signal.SIGTERM):
            yield url


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """SQLAlchemy URL of the database `test` on a private PostgreSQL server; its user may do anything."""
    programs = max(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    with _database_folder() as folder:
        data, port = folder / "data", free_ports(1)[0]
        _prepare(
            folder,
            f"{programs}/initdb",
            f"--pgdata={data}",
            "--username=pharos",
            "--auth=trust",
            "--encoding=UTF8",
            "--locale=C.UTF-8",
            "--no-sync",
        )
        command = [
            f"{programs}/postgres",
            "-D",
            str(data),
            "-h",
            "127.0.0.1",
            "-p",
            str(port),
            "-k",
            str(folder),
            "-c",
            "fsync=off",
            "-c",
            "full_page_writes=off",
            "-c",
            "synchronous_commit=off",
        ]
        server = f"postgresql+psycopg://pharos@127.0.0.1:{port}"
        with _database_server(command, folder, f"{server}/postgres", signal.SIGINT):
            _create_database(f"{server}/postgres", "test")
            yield f"{server}/test"


def _create_database(server_url: str, name: str) -> str:
    engine = sqlalchemy.create_engine(server_url, isolation_level="AUTOCOMMIT", poolclass=sqlalchemy.NullPool)
    with engine.connect() as connection:
        connection.execute(sqlalchemy.text(f"CREATE DATABASE {name}"))
    return engine.url.set(database=name).render_as_string(hide_password=False)


@pytest.fixture(params=["sqlite", "mariadb", "postgres"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """SQLAlchemy URL of an empty database of its own for the test, on each kind of Result Store."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'result_store.sqlite'}"
    return _create_database(request.getfixturevalue(f"{request.param}_url"), f"store_{next(_numbers)}")


# --- Engines --------------------------------------------------------------------------------------------

_ENGINES = {
    "duckdb": EngineSettings(name="duckdb", threads=2),
    "spark": EngineSettings(
        name="spark",
        spark_master="local[2]",
        spark_conf={
            "spark.ui.enabled": "false",
            "spark.driver.bindAddress": "127.0.0.1",
            "spark.driver.host": "127.0.0.1",
            "spark.sql.shuffle.partitions": "2",
            # A hundred small queries end before compiled code pays: a first run takes half the processor
            # time (124 s without both, 60 s with). Planning a query anew between its steps, and collecting
            # garbage beside the work, cost two small cores half of the rest (a first run and a full one:
            # 149 s with both, 86 s without). The cluster's test has all four as a cluster does.
            "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
            "spark.sql.codegen.wholeStage": "false",
            "spark.sql.adaptive.enabled": "false",
        },
    ),
}


# Spark's client leaves its sockets to the garbage collector and speaks to an older pandas.
SPARK = pytest.param(
    "spark",
    marks=(
        pytest.mark.xdist_group("spark"),
        pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning"),
        pytest.mark.filterwarnings("ignore::pandas.errors.Pandas4Warning"),
    ),
)


def one_on_spark(examples: Iterable[str]) -> list[ParameterSet]:
    """(engine, example): all examples on the embedded engine, one on Spark, where each takes a whole run."""
    first, *_ = names = list(examples)
    return [
        *(pytest.param("duckdb", name) for name in names),
        pytest.param("spark", first, marks=SPARK.marks),
    ]


@pytest.fixture(params=["duckdb", SPARK])
def engine_settings(request: pytest.FixtureRequest) -> EngineSettings:
    """Settings of each engine in turn, made for small data; Spark's session lasts as long as the worker."""
    return _ENGINES[request.param]


@pytest.fixture
def engine(engine_settings: EngineSettings, tmp_path: Path) -> Iterator[Engine]:
    """Each engine in turn, with nothing in it."""
    engine = open_engine(engine_settings, tmp_path / "scratch")
    yield engine
    engine.close()


# --- Browser -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def browser() -> Iterator[playwright.sync_api.Browser]:
    """Debian's Chromium under Playwright; ends with the module, as no other event loop can run beside it."""
    with playwright.sync_api.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_ARGUMENTS)
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser: playwright.sync_api.Browser) -> Iterator[playwright.sync_api.Page]:
    """A page without history: no cookies, nothing stored."""
    context = browser.new_context()
    yield context.new_page()
    context.close()


@pytest.fixture(scope="session")
def s3_address() -> Iterator[str]:
    """Of a server, for all tests that need one."""
    with s3.server(free_ports(1)[0]) as address:
        yield address


@pytest.fixture
def bucket(s3_address: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[fs.FileSystem]:
    """An empty bucket `logs` of a server that the environment points to."""
    for name, value in {**s3.ENVIRONMENT, "AWS_ENDPOINT_URL": s3_address}.items():
        monkeypatch.setenv(name, value)
    store = fs.S3FileSystem(
        endpoint_override=s3_address, allow_bucket_creation=True, allow_bucket_deletion=True
    )
    store.create_dir("logs")
    yield store
    store.delete_dir("logs")


@pytest.fixture
def bucket_url(bucket: fs.FileSystem) -> str:
    """A folder that nobody else uses, in a bucket of a server that the environment points to."""
    assert bucket is not None
    return f"s3://logs/{uuid.uuid4().hex}"
