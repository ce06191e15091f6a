"""What became of every message: ledgers of the processes beside what the topic holds."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

Place = tuple[int, int]
"""Partition and offset."""

# How many of the messages that something is wrong with are named.
_NAMED = 10

HEAD = (
    "| who | written | delivered | besides | copies | lost | unaccounted for |\n"
    "|---|--:|--:|--:|--:|--:|--:|"
)


@dataclass(frozen=True)
class Arrival:
    """A message as the topic holds it: where, whose, which number, and its `_id`."""

    place: Place
    name: str
    number: int
    id: bytes


@dataclass
class Published:
    """What a publisher said: numbers it was about to write, and those that it is answerable for."""

    tried: set[int] = field(default_factory=set)
    written: set[int] = field(default_factory=set)


Seen = Mapping[Place, Collection[str]]
"""What a group, or a reader without one, said that it had read: for each place the message, as often as it came."""


@dataclass(frozen=True)
class Row:
    """What became of the messages of one publisher, or for one group of readers.

    Attributes:
        who: whose.
        written: how many there are to be found.
        delivered: how many of them were found.
        besides: how many others were found that may be there: the publisher was killed before it could say that it had
            written them.
        copies: how many came again.
        lost: those that were not found.
        strange: what nothing accounts for, in words.
    """

    who: str
    written: int
    delivered: int
    besides: int
    copies: int
    lost: list[str]
    strange: list[str]

    @property
    def kept(self) -> bool:
        return not self.lost and not self.strange

    @property
    def line(self) -> str:
        """The row of a Markdown table, below `HEAD`."""
        found = (self.written, self.delivered, self.besides, self.copies)
        counts = (*found, len(self.lost), len(self.strange))
        return f"| {self.who} | {' | '.join(f'{count:,}' for count in counts)} |"

    @property
    def wrong(self) -> list[str]:
        """A line for each kind of thing that is wrong, with the first few of it."""
        kinds = {"lost": self.lost, "unaccounted for": self.strange}
        return [
            f"{self.who}: {len(found):,} {kind}: {'; '.join(found[:_NAMED])}"
            for kind, found in kinds.items()
            if found
        ]


def published(
    who: str, said: Mapping[str, Published], arrivals: Iterable[Arrival], *, copies_allowed: bool
) -> Row:
    """Account for what these publishers wrote, each by its own name.

    A copy has the `_id` of the first.

    Args:
        copies_allowed: whether a message may arrive twice.
    """
    ids: dict[tuple[str, int], bytes] = {}
    strange = []
    copies = 0
    for arrival in arrivals:
        if arrival.name not in said:
            continue
        message = arrival.name, arrival.number
        if arrival.number not in said[arrival.name].tried:
            strange.append(f"{arrival.name} {arrival.number} was never written")
        elif message not in ids:
            ids[message] = arrival.id
        else:
            copies += 1
            if ids[message] != arrival.id:
                strange.append(f"{arrival.name} {arrival.number} came with two _ids")
            elif not copies_allowed:
                strange.append(f"{arrival.name} {arrival.number} came twice")
    written = {(name, number) for name, one in said.items() for number in one.written}
    lost = [f"{name} {number}" for name, number in sorted(written - ids.keys())]
    delivered = len(written) - len(lost)
    return Row(who, len(written), delivered, len(ids) - delivered, copies, lost, strange)


def read(who: str, seen: Seen, arrivals: Collection[Arrival], *, copies_allowed: bool) -> Row:
    """Account for what a group of readers, or a reader without a group, got of all that the topic holds."""
    held = {arrival.place: f"{arrival.name} {arrival.number}" for arrival in arrivals}
    strange = []
    copies = 0
    for (partition, offset), messages in sorted(seen.items()):
        where = f"partition {partition} offset {offset}"
        others = dict.fromkeys(one for one in messages if one != held.get((partition, offset)))
        strange += [f"{where} was read as {other}" for other in others]
        times = len(messages) - 1
        copies += times
        if times and not copies_allowed:
            strange.append(f"{where} was read {times + 1} times")
    lost = [
        f"partition {partition} offset {offset} ({held[partition, offset]})"
        for partition, offset in sorted(held.keys() - seen.keys())
    ]
    return Row(who, len(held), len(held) - len(lost), 0, copies, lost, strange)
