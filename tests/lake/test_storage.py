"""Logs in an object store and in HDFS, read over the network from real servers."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import hdfs_native
import pytest
from pyarrow import fs
from tests.lake import hadoop
from tests.lake.place import Place

from pharos.config import LogSource
from pharos.lake.logs import NoSuchLogs, discover

LINE = b'{"time":"2024-03-01T10:00:0%d+00:00","event_type":"e"}\n'


def _put(bucket: fs.FileSystem, name: str, data: bytes) -> None:
    with bucket.open_output_stream(f"logs/{name}", compression=None) as file:
        file.write(data)


@pytest.mark.xdist_group("s3")
def test_logs_of_a_bucket_are_read_once_and_read_on(bucket: fs.FileSystem, place: Place) -> None:
    _put(bucket, "a/tracking.log-20240302.gz", gzip.compress(LINE % 1 + LINE % 2))
    _put(bucket, "a/deeper/tracking.log", LINE % 3)
    bucket.create_dir("logs/a/folder")

    assert place.read("s3://logs/a").events == 3
    assert place.read("s3://logs/a").lines == 0
    _put(bucket, "a/deeper/tracking.log", LINE % 3 + LINE % 4)
    assert place.read("s3://logs/a").events == 1


@pytest.mark.xdist_group("s3")
def test_a_bucket_that_is_not_there_is_named(bucket: fs.FileSystem) -> None:
    assert bucket is not None
    with pytest.raises(NoSuchLogs, match=r"s3://nowhere/a: .*; nothing was read"):
        discover({"cloud": LogSource(paths=["s3://nowhere/a"])})


@pytest.fixture(scope="module")
def hdfs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a cluster of a name node and a data node."""
    with hadoop.cluster(tmp_path_factory.mktemp("hdfs")) as address:
        yield address


@pytest.mark.xdist_group("hdfs")
def test_logs_in_hdfs_are_read_once_and_read_on(hdfs: str, place: Place) -> None:
    client = hdfs_native.Client(hdfs)
    with client.create("/logs/a/tracking.log-20240302.gz", hdfs_native.WriteOptions()) as file:
        file.write(gzip.compress(LINE % 1 + LINE % 2))
    with client.create("/logs/a/deeper/tracking.log", hdfs_native.WriteOptions()) as file:
        file.write(LINE % 3)
    client.mkdirs("/logs/a/folder")

    assert place.read(f"{hdfs}/logs/a/").events == 3
    assert place.read(f"{hdfs}/logs").lines == 0
    with client.append("/logs/a/deeper/tracking.log") as file:
        file.write(LINE % 4)
    assert place.read(f"{hdfs}/logs/a/deeper/tracking.log").events == 1
    client.rename("/logs/a/deeper/tracking.log", "/logs/a/tracking.log-20240303")
    assert place.read(f"{hdfs}/logs").duplicates == 0
    assert place.status.sum.events == 4


@pytest.mark.xdist_group("hdfs")
def test_a_folder_that_hdfs_does_not_have_is_named(hdfs: str) -> None:
    with pytest.raises(NoSuchLogs, match=rf"{hdfs}/none: .*; nothing was read"):
        discover({"cluster": LogSource(paths=[f"{hdfs}/none"])})


def test_a_cluster_that_is_not_there_is_named() -> None:
    with pytest.raises(NoSuchLogs, match=r"hdfs://no\.example/a: cannot be listed: .*; nothing was read"):
        discover({"cluster": LogSource(paths=["hdfs://no.example/a"])})


def test_an_unknown_scheme_is_named() -> None:
    with pytest.raises(NoSuchLogs, match="carrier-pigeon://logs"):
        discover({"loft": LogSource(paths=["carrier-pigeon://logs"])})


def test_old_files_are_left_out_by_their_names(tmp_path: Path) -> None:
    for name in (
        "tracking.log-20240229.gz",
        "tracking.log-20240301-1709251200.gz",
        "tracking.log",
        "error.log",
    ):
        (tmp_path / name).write_bytes(b"")
    source = LogSource(paths=[str(tmp_path)], since=date(2024, 3, 1))

    names = [Path(file.path).name for file in discover({"lms": source})]
    assert names == ["tracking.log-20240301-1709251200.gz", "tracking.log"]
