"""Fixtures: the releases and ours, with a credential for the Kafka of the session each."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from interop.releases import COMMON, RELEASES, Release, build, installed
from interop.results import PAGE, Results
from interop.sides import Side

from hop.sandbox import KafkaBroker


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--write-page",
        action="store_true",
        help="try all releases, and put the results into docs/interoperability.md",
    )
    parser.addoption(
        "--all-releases", action="store_true", help="try all releases, not only two of them"
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "release" in metafunc.fixturenames:
        # Where pytest starts at another folder, it does not know the option.
        every = any(
            metafunc.config.getoption(option, default=False)
            for option in ("--all-releases", "--write-page")
        )
        chosen = [release for release in RELEASES if every or release.version in COMMON]
        ids = [release.version for release in chosen]
        metafunc.parametrize("release", chosen, ids=ids, scope="session")


@pytest.fixture(scope="session")
def results(request: pytest.FixtureRequest) -> Iterator[Results]:
    results = Results(PAGE, request.config.getoption("--write-page", default=False))
    yield results
    if not request.session.testsfailed:
        results.write()


@pytest.fixture(scope="session")
def theirs(
    release: Release,
    hop_kafka: KafkaBroker,
    tmp_path_factory: pytest.TempPathFactory,
    results: Results,
) -> Side:
    """A release, with the broker's credential stored by itself."""
    folder = tmp_path_factory.mktemp(f"hop-client-{release.version}-")
    side = Side(release.version, build(release, folder), folder / "config")
    side.succeed("auth", "add", hop_kafka.users["hop"].file)
    have = installed(side.python)
    for name in ("python", "adc-streaming", "confluent-kafka"):
        results.record("releases", release.version, name, have[name], compare=False)
    return side


@pytest.fixture(scope="session")
def ours(hop_kafka: KafkaBroker, tmp_path_factory: pytest.TempPathFactory) -> Side:
    """This checkout's hop, with the broker's credential stored by itself."""
    side = Side("ours", Path(sys.executable), tmp_path_factory.mktemp("ours"))
    side.succeed("auth", "add", hop_kafka.users["hop"].file)
    return side
