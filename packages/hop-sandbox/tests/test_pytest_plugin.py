"""The fixtures that come with hop-sandbox, as a project that installs it sees them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from hop.sandbox import MemoryBroker

pytest_plugins = ["pytester"]


def test_a_topic_is_there_for_the_test(hop_broker: MemoryBroker, hop_topic: str) -> None:
    from confluent_kafka.admin import AdminClient

    topics = AdminClient({"bootstrap.servers": hop_broker.address}).list_topics(timeout=10).topics
    assert len(topics[hop_topic].partitions) == 1


def test_one_broker_a_session_and_a_topic_a_test(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import pytest

        seen = []

        @pytest.mark.parametrize("case", ["a b", "ü/", "x" * 300])
        def test_one(case, hop_broker, hop_topic):
            seen.append((hop_broker.address, hop_topic))

        def test_all():
            assert len({address for address, _ in seen}) == 1
            assert len({topic for _, topic in seen}) == 3
        """
    )
    pytester.runpytest_subprocess("-W", "error").assert_outcomes(passed=4)


def test_a_session_without_a_broker_loads_no_kafka(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import sys

        def test_it():
            assert "confluent_kafka" not in sys.modules
            assert "hop.sandbox.pytest_plugin" in sys.modules
        """
    )
    pytester.runpytest_subprocess().assert_outcomes(passed=1)
