"""What is said about a journal."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timezone
from shlex import quote

from hop.cli._text import escaped
from hop.cli._times import rfc3339
from hop.robust_publisher import JournalDamage, JournalReport, read_refused

_OWN = "(the publisher's own topic)"


def as_json(report: JournalReport) -> str:
    """All of it."""
    return json.dumps(
        {
            "path": str(report.path),
            "sound": not report.damages,
            "holder": report.holder,
            "earlier_release": report.earlier_release,
            "files": report.files,
            "size": report.size,
            "written": _time(report.written),
            "waiting": _waiting(report),
            "topics": [
                {
                    "topic": waiting.topic,
                    "messages": waiting.messages,
                    "size": waiting.size,
                    "written": _time(waiting.written),
                }
                for waiting in report.waiting
            ],
            "refused": [
                {"topic": topic, "reason": reason, "messages": count}
                for (topic, reason), count in _reasons(report).items()
            ],
            "damages": [
                {"file": str(d.file), "offset": d.offset, "size": d.size, "lost": d.lost}
                for d in report.damages
            ],
            "unfinished": report.unfinished,
        },
        indent=2,
    )


def shown(path: str, report: JournalReport) -> Iterator[str]:
    """What waits, line by line."""
    size = sum(waiting.size for waiting in report.waiting)
    count = _waiting(report)
    what = f"{_messages(count)} wait{'s' if count == 1 else ''}, {_size(size)}"
    yield f"{path}: {what if count else 'nothing waits'}"
    topics = {waiting: _topic(waiting.topic) for waiting in report.waiting}
    width = max(map(len, topics.values()), default=0)
    for waiting, topic in topics.items():
        yield (
            f"  {topic:{width}}  {_messages(waiting.messages)}, {_size(waiting.size)}, the oldest written"
            f" {_ago(waiting.written)} or earlier"
        )
    used = "nobody uses it" if report.holder is None else f"used by process {report.holder}"
    written = f", last written to {_ago(report.written)}" if report.written else ""
    files = "1 file" if report.files == 1 else f"{report.files} files"
    yield f"{used}; {files}, {_size(report.size)}{written}"
    if report.earlier_release:
        yield "a release before 1.0 wrote it; the next publisher takes it over"
    for (refused, reason), count in _reasons(report).items():
        yield f"refused: {_messages(count)} to {_topic(refused)}: {_plain(reason)}"
    if report.refused:
        yield (
            f"`hop journal retry-dead {quote(path)}` lets what was refused wait again,"
            f" `hop journal export --dead {quote(path)}` prints it"
        )
    if report.damages:
        yield f"it is damaged; `hop journal verify {quote(path)}` tells where"


def verdict(path: str, report: JournalReport) -> Iterator[str]:
    """Whether it is sound, and where not, line by line."""
    count = _waiting(report)
    if not report.damages:
        yield f"{path} is sound; {_messages(count)} wait{'s' if count == 1 else ''}"
    for damage in report.damages:
        yield f"{damage.file.name}: {_size(damage.size)} from byte {damage.offset} on are damaged; {_loss(damage)}"
    if report.damages:
        yield (
            f"{_messages(count)} {'is' if count == 1 else 'are'} sound and will be sent;"
            " whoever opens the journal next keeps the damaged bytes in a .bad file"
        )
    if report.unfinished:
        yield f"{_size(report.unfinished)} at its end are of a write that was interrupted, which is no loss"


def _loss(damage: JournalDamage) -> str:
    if not damage.lost:
        return "no message is lost, but what has been sent may be sent again"
    return f"at most {_messages(damage.lost)} {'is' if damage.lost == 1 else 'are'} lost"


def _reasons(report: JournalReport) -> Counter[tuple[str | None, str]]:
    if not report.refused:
        return Counter()
    return Counter((message.topic, reason) for message, reason in read_refused(report.path))


def _waiting(report: JournalReport) -> int:
    return sum(waiting.messages for waiting in report.waiting)


def _messages(count: int) -> str:
    return "1 message" if count == 1 else f"{count} messages"


def _topic(topic: str | None) -> str:
    return _OWN if topic is None else _plain(topic)


def _plain(text: str) -> str:
    return " ".join(escaped(text).split())


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else rfc3339(int(moment.timestamp() * 1000))


def _ago(moment: datetime) -> str:
    """How long ago, and when."""
    seconds = max(0.0, (datetime.now(timezone.utc) - moment).total_seconds())
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds // length:.0f} {unit} ago ({moment:%Y-%m-%d %H:%M:%S}Z)"
    return f"{seconds:.0f} s ago ({moment:%Y-%m-%d %H:%M:%S}Z)"


def _size(size: int) -> str:
    value = float(size)
    for unit in ("bytes", "kB", "MB"):
        if value < 1000:
            return f"{value:.0f} bytes" if unit == "bytes" else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} GB"
