"""What the fault matrix shares: its options, its own Kafka, and the table at the end."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Generator, Iterator
from contextlib import ExitStack
from pathlib import Path
from uuid import uuid4

import pytest
from faults.publisher import Publisher
from faults.reader import Reader
from faults.report import Row, table
from faults.scale import FULL, SHORT, Scale

from hop.sandbox import KafkaBroker, kafka_broker

_ROWS = pytest.StashKey[list[Row]]()
_ROW = pytest.StashKey[Row]()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("faults", "the fault matrix of hop-robust")
    group.addoption("--faults", choices=["short", "full"], default="short", help="how much of it")
    group.addoption("--faults-table", type=Path, metavar="FILE", help="write its table to FILE")


def _scale(config: pytest.Config) -> Scale:
    # Where pytest meets this file only while it collects, the option is not there.
    return FULL if config.getoption("faults", "short") == "full" else SHORT


@pytest.fixture(scope="session")
def scale(pytestconfig: pytest.Config) -> Scale:
    return _scale(pytestconfig)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "outage" in metafunc.fixturenames:
        metafunc.parametrize("outage", _scale(metafunc.config).outages)


@pytest.fixture
def row(request: pytest.FixtureRequest) -> Row:
    """The case's line of the table."""
    return request.node.stash.setdefault(_ROW, Row(request.node.name))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    row = item.stash.get(_ROW, None)
    if row is not None and report.when == "call":
        row.seconds, row.verdict = report.duration, "kept" if report.passed else "BROKEN"
        item.config.stash.setdefault(_ROWS, []).append(row)
    return report


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    rows = config.stash.get(_ROWS, [])
    if rows:
        terminalreporter.section("the fault matrix")
        terminalreporter.write_line(table(rows))
        path = config.getoption("faults_table", None)
        if path is not None:
            path.write_text(table(rows) + "\n", encoding="utf-8")


@pytest.fixture(scope="session")
def _kafka() -> Iterator[KafkaBroker]:
    with kafka_broker() as broker:
        yield broker


@pytest.fixture
def hop_kafka(_kafka: KafkaBroker) -> Iterator[KafkaBroker]:
    """A Kafka of the matrix's own, which a test may kill; afterwards it runs again."""
    yield _kafka
    _kafka.resume()
    if not _kafka.running:
        _kafka.restart()


@pytest.fixture
def topic(hop_kafka: KafkaBroker, request: pytest.FixtureRequest) -> str:
    """An empty topic with one partition."""
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", request.node.name)[:200] + f"-{uuid4().hex[:8]}"
    hop_kafka.create_topic(name)
    return name


@pytest.fixture
def reader(hop_kafka: KafkaBroker, topic: str) -> Reader:
    return Reader(hop_kafka, topic)


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    """Where the publishing program has its journal, in a folder with nothing else."""
    folder = tmp_path / "journal"
    folder.mkdir()
    return folder / "publisher.journal"


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[Path]:
    """A folder that is in memory, if the system has one: thousands of journals are opened in it."""
    shared = Path("/dev/shm")
    folder = Path(tempfile.mkdtemp(dir=shared if shared.is_dir() else tmp_path))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def publisher(hop_kafka: KafkaBroker, topic: str, journal: Path) -> Iterator[Publisher]:
    with ExitStack() as stack:
        yield Publisher(hop_kafka, topic, journal, stack)
