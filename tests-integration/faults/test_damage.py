"""The journal is cut, flipped and full of holes: only the records that were touched are lost.

A connection takes half a second to get going, so several journals are published from at the same time.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path

from faults.publish import body
from faults.publisher import Publisher, nowhere
from faults.reader import Arrival, Reader
from faults.report import Row
from faults.scale import Scale

from hop.auth import Auth
from hop.robust_publisher import RobustProducer

LANES = 16
COUNT = 4
SIZE = 20
MAGIC = b"\x89hJ1"

# What was changed: the first byte, and the one after the last.
Change = tuple[bytes, int, int]
Variants = Callable[["Journal"], Iterator[Change]]


class Journal:
    """A journal of a few messages, which is published from again and again, each time damaged in another way.

    Args:
        path: where it is.
        url: where to publish.
        auth: the credential.
        first: the number of its first message.
    """

    def __init__(self, path: Path, url: str, auth: Auth, first: int) -> None:
        path.parent.mkdir()
        self.first = first
        self._path, self._url, self._auth = path, url, auth
        away = nowhere() + url.rpartition("/")[2]
        publisher = RobustProducer(away, auth=auth, journal_path=path)
        publisher.start()
        for number in range(COUNT):
            publisher.write(body(first + number, SIZE))
        assert publisher.stop(0) == COUNT
        self.content = path.read_bytes()
        # Where the records begin; the first says what the file is.
        self.starts = [at for at in range(len(self.content)) if self.content[at:].startswith(MAGIC)]
        assert len(self.starts) == COUNT + 1
        self.expected: list[list[int]] = []

    def publish(self, changes: Sequence[Change]) -> None:
        """Publish from it as it is after each of the changes."""
        for content, start, end in changes:
            for file in self._path.parent.iterdir():
                file.unlink()
            self._path.write_bytes(content)
            with RobustProducer(self._url, auth=self._auth, journal_path=self._path):
                pass
            self.expected.append(self._untouched(start, end))

    def check(self, arrivals: Sequence[Arrival]) -> None:
        """See that each time what was not touched arrived, once and in order, and nothing else."""
        numbers = [a.number for a in arrivals if self.first <= a.number < self.first + COUNT]
        for expected in self.expected:
            assert numbers[: len(expected)] == expected
            del numbers[: len(expected)]
        assert not numbers

    def _untouched(self, start: int, end: int) -> list[int]:
        places = pairwise([*self.starts, len(self.content)])
        hit = [a < end and start < b for a, b in places]
        return [self.first + number for number in range(COUNT) if not hit[number + 1]]


def publish(publisher: Publisher, reader: Reader, row: Row, variants: Variants) -> None:
    job = publisher.job()
    auth = Auth(job.user, job.password, ssl_ca_location=job.ca)
    folder = publisher.journal.parent
    journals = [
        Journal(folder / str(lane) / "publisher.journal", job.url, auth, 10_000 + 100 * lane)
        for lane in range(LANES)
    ]
    with ThreadPoolExecutor(LANES) as pool:
        done = [
            pool.submit(journal.publish, list(variants(journal))[lane::LANES])
            for lane, journal in enumerate(journals)
        ]
        for future in done:
            future.result()
    arrivals = reader.arrivals()
    for journal in journals:
        journal.check(arrivals)
    tried = sum(len(journal.expected) for journal in journals)
    row.written, row.delivered, row.duplicates = tried * COUNT, len(arrivals), 0
    row.note = f"{tried} journals of {COUNT} messages: all arrive but those that were touched"


def test_cut(publisher: Publisher, reader: Reader, row: Row, scale: Scale) -> None:
    row.case = "the journal cut at every byte of its last record" + scale.some

    def variants(journal: Journal) -> Iterator[Change]:
        content = journal.content
        for end in range(journal.starts[-1], len(content), scale.stride):
            yield content[:end], end, len(content)
            # So it is where the file was filled with zeros before.
            yield content[:end] + bytes(4096), end, len(content)

    publish(publisher, reader, row, variants)


def test_flipped(publisher: Publisher, reader: Reader, row: Row, scale: Scale) -> None:
    row.case = "every bit of a record flipped" + scale.some

    def variants(journal: Journal) -> Iterator[Change]:
        for bit in range(8 * journal.starts[2], 8 * journal.starts[3], scale.stride):
            content = bytearray(journal.content)
            content[bit // 8] ^= 1 << bit % 8
            yield bytes(content), bit // 8, bit // 8 + 1

    publish(publisher, reader, row, variants)


def test_holes(publisher: Publisher, reader: Reader, row: Row, scale: Scale) -> None:
    row.case = "holes of zeros in the journal" + scale.some
    chance = random.Random(1)
    # Somewhere, and up to half of the file.
    holes = [(chance.random(), chance.random()) for _ in range(480 // scale.stride)]

    def variants(journal: Journal) -> Iterator[Change]:
        size = len(journal.content)
        for place, share in holes:
            start = int(place * size)
            end = min(size, start + 1 + int(share * size / 2))
            content = bytearray(journal.content)
            content[start:end] = bytes(end - start)
            changed = [at for at in range(start, end) if journal.content[at]]
            yield bytes(content), min(changed, default=0), max(changed, default=-1) + 1

    publish(publisher, reader, row, variants)
