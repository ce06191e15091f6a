"""The README's examples do what it says."""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from pathlib import Path

import pytest

from hop.sandbox import command

pytest_plugins = ["pytester"]

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^```python\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
COMMANDS = re.findall(r"^\$ hop sandbox (.*)$", README, re.MULTILINE)


def test_the_examples_run_one_after_the_other(tmp_path: Path) -> None:
    program = "\n".join(example for example in EXAMPLES if "pytest" not in example)
    assert len(re.findall("^with ", program, re.MULTILINE)) == 4
    result = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
    )
    # What librdkafka says on stderr of a broker that stops is its own affair.
    assert result.returncode == 0, result.stderr
    assert re.fullmatch(r"/\S+/credentials/alice\.csv\n", result.stdout)


def test_the_fixture_takes_the_place_of_the_plugin_s(
    own_cache: Path, pytester: pytest.Pytester
) -> None:
    (conftest,) = (example for example in EXAMPLES if "pytest" in example)
    pytester.makeconftest(conftest)
    pytester.makepyfile(
        """
        def test_it(hop_kafka, hop_kafka_topic):
            assert hop_kafka.users.keys() == {"observer", "robot"}
        """
    )
    pytester.runpytest_subprocess().assert_outcomes(passed=1)


@pytest.mark.parametrize("line", COMMANDS)
def test_the_commands_are_understood(line: str) -> None:
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    parser.parse_args(line.split())


def test_every_option_is_explained() -> None:
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    options = set(re.findall(r"--[a-z]+", parser.format_help())) - {"--help"}
    assert options == set(re.findall(r"^\| `(--[a-z]+)", README, re.MULTILINE))
