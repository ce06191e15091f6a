"""Publishing through a journal, in which everything is kept until the broker has confirmed it."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from shlex import quote

from hop.cli import CommandError
from hop.cli._errors import explain
from hop.cli._text import is_terminal, say_interrupted
from hop.publish._job import INTERRUPTED, Interrupts, Job, count
from hop.robust_publisher import (
    JournalCorruptError,
    QueuedMessage,
    RobustProducer,
    inspect_journal,
)

# seconds to wait for the broker to confirm what is left: at the end, after something went wrong, and after Ctrl-C
_CONFIRMATION = 60.0
_CONFIRMATION_AFTER_FAILURE = 10.0
_CONFIRMATION_AFTER_INTERRUPT = 1.0
# Who waits longer than this, in seconds, is told what for.
_PATIENCE = 1.0


def send_robustly(job: Job) -> int:
    """Publish what is new and what waits in the journal, and wait until the broker has confirmed everything."""
    args, journal = job.args, job.args.robust
    before = _waiting(journal)
    # What waits does not have to wait for something new.
    if not before and not job.look():
        raise CommandError("cannot publish standard input: it is empty")
    run = _Run(job)
    failure: BaseException | None = None
    try:
        with Interrupts() as interrupts:
            run.write_all(interrupts)
            with _told(job):
                left = run.publisher.stop(args.timeout or _CONFIRMATION)
    except KeyboardInterrupt as exc:
        failure = exc
        left = run.publisher.stop(_CONFIRMATION_AFTER_INTERRUPT)
    except Exception as exc:
        failure = exc
        left = run.publisher.stop(args.timeout or _CONFIRMATION_AFTER_FAILURE)
    published = before + run.written - len(run.refused) - left
    waits = f"{count(left)} wait{'s' if left == 1 else ''}" if left else "none waits"
    state = f"{count(published)} published, {waits} in {journal}"
    if isinstance(failure, KeyboardInterrupt):
        say_interrupted(f"hop: interrupted; {state}")
        return INTERRUPTED
    if failure is not None:
        raise CommandError(f"{explain(failure)}; {state}") from failure
    if run.refused:
        raise CommandError(
            f"cannot publish {count(len(run.refused))}, which the broker refused ({run.refused[0]}) and {journal}.dead"
            f" keeps; {state}; `hop journal show {quote(journal)}` tells more"
        )
    if left:
        raise CommandError(
            f"cannot publish everything to {job.place}: {state}, since the broker did not confirm"
            f" {'it' if left == 1 else 'them'} in time; the next `hop publish --robust {quote(journal)}` sends"
            f" {'it' if left == 1 else 'them'}",
            see_doctor=True,
        )
    parts = [f"{count(run.written)} to {job.place}"] if run.written else []
    parts += [f"{count(before)} from before"] if before else []
    job.say(f"published {' and '.join(parts)}; none waits in {journal}")
    return 0


class _Run:
    """A publisher at work.

    Attributes:
        written: how many messages the journal has accepted.
        refused: the reasons why the broker refused messages.
    """

    def __init__(self, job: Job) -> None:
        self.written = 0
        self.refused: list[str] = []
        self._job = job
        args = job.args
        try:
            self.publisher = RobustProducer(
                args.url, not args.no_auth, args.robust, on_refused=self._refuse
            )
        except JournalCorruptError as exc:
            raise _unusable(args.robust, exc) from exc
        except OSError as exc:
            if exc.strerror is None:
                raise
            raise CommandError(f"cannot use the journal {args.robust}: {exc.strerror}") from exc
        self.publisher.start()

    def write_all(self, interrupts: Interrupts) -> None:
        args = self._job.args
        for message, where in self._job.messages():
            try:
                # What is said in the end has to be what is in the journal.
                with interrupts.held_back():
                    self.publisher.write(message, args.header, test=args.test, key=args.key)
                    self.written += 1
            except (TypeError, ValueError) as exc:
                raise CommandError(f"cannot publish {where} as {args.format}: {exc}") from exc

    def _refuse(self, message: QueuedMessage, reason: str) -> None:
        self.refused.append(reason)


def _waiting(journal: str) -> int:
    try:
        return sum(waiting.messages for waiting in inspect_journal(journal).waiting)
    except FileNotFoundError:
        return 0
    except JournalCorruptError as exc:
        raise _unusable(journal, exc) from exc
    except OSError as exc:
        raise CommandError(f"cannot use the journal {journal}: {exc.strerror or exc}") from exc


def _unusable(path: str, exc: JournalCorruptError) -> CommandError:
    text = f"cannot use the journal {path}: {exc}"
    if "is no journal" in text:
        text += (
            "; a file that follows --robust is taken for the journal, so name the messages before it, or write"
            " --robust=JOURNAL"
        )
    return CommandError(text)


@contextmanager
def _told(job: Job) -> Iterator[None]:
    """Within, whoever waits at a terminal is told what for."""
    text = f"Waiting for the broker to confirm everything; Ctrl-C leaves the rest in {job.args.robust}."
    timer = threading.Timer(_PATIENCE, job.say, [text])
    timer.daemon = True
    if is_terminal(sys.stderr):
        timer.start()
    try:
        yield
    finally:
        timer.cancel()
