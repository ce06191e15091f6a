"""`Metadata`, which programs also construct themselves."""

from __future__ import annotations

import pickle

import pytest

from hop.io import Metadata

HEADERS = [("_format", b"json"), ("x", None)]


def test_by_position_and_by_keyword() -> None:
    one = Metadata("t", 1, 2, 3, b"k", HEADERS, None)
    other = Metadata(
        topic="t", partition=1, offset=2, timestamp=3, key=b"k", headers=HEADERS, _raw=None
    )
    assert one == other
    assert (one.topic, one.partition, one.offset) == ("t", 1, 2)
    assert (one.timestamp, one.key, one.headers, one._raw) == (3, b"k", HEADERS, None)


def test_it_is_a_tuple_and_does_not_change() -> None:
    metadata = Metadata("t", 1, 2, 3, None, None)
    topic, partition, offset, *_ = metadata
    assert (topic, partition, offset) == ("t", 1, 2)
    with pytest.raises(AttributeError):
        metadata.offset = 3  # type: ignore[misc]
    with pytest.raises(AttributeError):
        metadata.new = 3  # type: ignore[attr-defined]


def test_it_can_be_matched_and_pickled() -> None:
    metadata = Metadata("t", 1, 2, 3, b"k", HEADERS)
    match metadata:
        case Metadata(topic, partition, offset):
            assert (topic, partition, offset) == ("t", 1, 2)
    assert pickle.loads(pickle.dumps(metadata)) == metadata


def test_its_repr_names_the_fields() -> None:
    assert repr(Metadata("t", 1, 2, 3, b"k", None)) == (
        "Metadata(topic='t', partition=1, offset=2, timestamp=3, key=b'k', headers=None)"
    )
