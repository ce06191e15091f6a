"""The soak sees what it is for: a message that is lost, or came twice, or is nobody's."""

from __future__ import annotations

from soak.accounting import HEAD, Arrival, Published, published, read


def arrival(offset: int, number: int, name: str = "a", id_: bytes | None = None) -> Arrival:
    return Arrival((0, offset), name, number, id_ or f"{name} {number}".encode())


SAID = {"a": Published(tried={0, 1, 2, 3}, written={0, 1, 2})}
ALL = [arrival(0, 0), arrival(1, 1), arrival(2, 2)]


def test_all_that_was_written_is_there() -> None:
    row = published("publisher", SAID, ALL, copies_allowed=False)
    assert row.kept
    assert row.wrong == []
    assert row.line == "| publisher | 3 | 3 | 0 | 0 | 0 | 0 |"
    assert HEAD.splitlines()[0].count("|") == row.line.count("|")


def test_a_message_that_is_not_there_is_lost() -> None:
    row = published("publisher", SAID, [ALL[0], ALL[2]], copies_allowed=True)
    assert not row.kept
    assert (row.written, row.delivered) == (3, 2)
    assert row.wrong == ["publisher: 1 lost: a 1"]


def test_a_message_that_the_publisher_could_not_confirm_may_be_there() -> None:
    row = published("publisher", SAID, [*ALL, arrival(3, 3)], copies_allowed=False)
    assert row.kept
    assert (row.written, row.delivered, row.besides) == (3, 3, 1)


def test_a_message_that_nobody_wrote_is_unaccounted_for() -> None:
    row = published("publisher", SAID, [*ALL, arrival(3, 4)], copies_allowed=True)
    assert row.wrong == ["publisher: 1 unaccounted for: a 4 was never written"]


def test_a_copy_is_counted_or_not_allowed() -> None:
    arrivals = [*ALL, arrival(3, 1)]
    allowed = published("publisher", SAID, arrivals, copies_allowed=True)
    assert allowed.kept
    assert (allowed.delivered, allowed.copies) == (3, 1)
    assert published("publisher", SAID, arrivals, copies_allowed=False).wrong == [
        "publisher: 1 unaccounted for: a 1 came twice"
    ]


def test_a_copy_with_another_id_is_unaccounted_for() -> None:
    arrivals = [*ALL, arrival(3, 1, id_=b"another")]
    row = published("publisher", SAID, arrivals, copies_allowed=True)
    assert row.wrong == ["publisher: 1 unaccounted for: a 1 came with two _ids"]


def test_messages_of_others_are_not_counted() -> None:
    row = published("publisher", SAID, [*ALL, arrival(3, 1, name="b")], copies_allowed=False)
    assert row.kept
    assert row.copies == 0


def test_readers_got_everything_and_some_again() -> None:
    seen = {(0, 0): ["a 0"], (0, 1): ["a 1", "a 1"], (0, 2): ["a 2"]}
    group = read("group", seen, ALL, copies_allowed=True)
    assert group.kept
    assert group.line == "| group | 3 | 3 | 0 | 1 | 0 | 0 |"
    assert read("reader", seen, ALL, copies_allowed=False).wrong == [
        "reader: 1 unaccounted for: partition 0 offset 1 was read 2 times"
    ]


def test_what_no_reader_got_is_lost() -> None:
    row = read("group", {(0, 0): ["a 0"], (0, 2): ["a 2"]}, ALL, copies_allowed=True)
    assert row.wrong == ["group: 1 lost: partition 0 offset 1 (a 1)"]
    assert row.delivered == 2


def test_what_a_reader_got_and_the_topic_does_not_hold_is_unaccounted_for() -> None:
    other = {(0, 0): ["a 0"], (0, 1): ["a 7"], (0, 2): ["a 2"], (0, 3): ["a 3"]}
    row = read("group", other, ALL, copies_allowed=True)
    assert row.wrong == [
        "group: 2 unaccounted for: partition 0 offset 1 was read as a 7; "
        "partition 0 offset 3 was read as a 3"
    ]
