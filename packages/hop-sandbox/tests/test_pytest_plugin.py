"""The fixtures that come with hop-sandbox, as a project that installs it sees them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from hop.sandbox import KafkaBroker, MemoryBroker

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


def test_a_test_has_kafka_with_a_user_and_a_topic(
    hop_kafka: KafkaBroker, hop_kafka_topic: str
) -> None:
    from confluent_kafka.admin import AdminClient

    client = AdminClient(hop_kafka.users["hop"].client_config)
    topics = client.list_topics(timeout=10).topics
    assert len(topics[hop_kafka_topic].partitions) == 1


def test_kafka_s_log_is_shown_for_a_test_that_uses_it_and_fails(
    own_cache: Path, pytester: pytest.Pytester
) -> None:
    pytester.makepyfile(
        """
        import pytest

        seen = []

        @pytest.fixture
        def indirect(hop_kafka):
            return hop_kafka

        def test_before(hop_kafka):
            hop_kafka.create_topic("before")
            seen.append(hop_kafka)

        def test_failing(indirect):
            indirect.create_topic("meanwhile")
            seen.append(indirect)
            assert False

        def test_failing_without_kafka():
            assert False

        def test_one_for_all(hop_kafka):
            assert seen == [hop_kafka, hop_kafka]
        """
    )
    result = pytester.runpytest_subprocess("-W", "error")
    result.assert_outcomes(passed=2, failed=2)
    result.stdout.fnmatch_lines(["*Kafka's log, broker 1*", "*CreateTopics result*meanwhile*"])
    result.stdout.no_fnmatch_line("*CreateTopics result*before*")
    assert str(result.stdout).count("Kafka's log, broker 1") == 1


def test_kafka_s_log_is_shown_where_it_does_not_start(
    broken_java: Path, pytester: pytest.Pytester
) -> None:
    pytester.makepyfile(
        f"""
        import pytest
        from hop.sandbox import kafka_broker

        @pytest.fixture(scope="session")
        def hop_kafka():
            with kafka_broker(java={str(broken_java)!r}) as broker:
                yield broker

        def test_it(hop_kafka):
            pass
        """
    )
    result = pytester.runpytest_subprocess()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*Kafka's log*", "INFO something went before"])
