"""`hatch run soak --minutes N`: who publishes, who reads, and brokers are killed, and every message is accounted for.

Three brokers of Apache Kafka, one of them dead or frozen now and then; two programs that write with hop.io and two
with a RobustProducer; two groups of three readers, one of which marks what it has read; two readers without a group.
All of them are processes, killed with `kill -9` or stopped, and started again. In the end the ledgers in which they
say what they did are compared with what the topic holds.

Ctrl-C ends the killing early, and what was written by then is accounted for. Ctrl-C once more, SIGTERM or an error end
all of it at once. No process is left, however it ends.

Exit code 1 when a message was lost, or came in a way that nothing accounts for, or a process ended by itself; 130
when it was ended before that was known.
"""

from __future__ import annotations

import argparse
import random
import shutil
import signal
import sys
import tempfile
from pathlib import Path

from soak.accounting import HEAD
from soak.proceedings import Soak, summary


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="hatch run soak",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--minutes", type=float, default=5, help="how long things are killed; default: 5"
    )
    parser.add_argument(
        "--seed", help="do to processes and brokers what was done with it before; default: made up"
    )
    parser.add_argument(
        "--keep", type=Path, metavar="FOLDER", help="keep ledgers, logs and journals in FOLDER"
    )
    args = parser.parse_args()
    if not 0 < args.minutes < float("inf"):
        parser.error(f"--minutes is {args.minutes}; it has to be more than 0")
    seed = args.seed or f"{random.SystemRandom().randrange(1 << 32):08x}"
    folder = args.keep or Path(tempfile.mkdtemp(prefix="hop-soak-"))
    try:
        folder.mkdir(parents=True, exist_ok=args.keep is None)
    except OSError as exc:
        parser.error(
            f"cannot make --keep {folder}: {exc.strerror}; name a folder that is not there yet"
        )
    soak = Soak(60 * args.minutes, seed, folder.absolute(), progress)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        soak.run()
    except KeyboardInterrupt:
        progress(0, "")
        print(
            f"soak: ended before anything was accounted for; ledgers, logs and journals are in {folder}",
            file=sys.stderr,
        )
        return 130
    progress(0, "")
    ran = f"{soak.shaken / 60:.2f} of " if soak.early else ""
    print(f"{ran}{args.minutes:g} minutes, seed {seed}: {summary(soak.done)}\n\n{HEAD}")
    for row in soak.rows:
        print(row.line)
    if soak.kept:
        print("\nNothing is lost, and everything is accounted for.")
        if args.keep is None:
            shutil.rmtree(folder)
        return 0
    for line in (*soak.troubles, *(line for row in soak.rows for line in row.wrong)):
        print(f"soak: {line}", file=sys.stderr)
    print(f"soak: ledgers, logs and journals are in {folder}", file=sys.stderr)
    return 1


def progress(left: float, text: str) -> None:
    """One line that is written again and again, where somebody can see it."""
    if sys.stderr.isatty():
        line = f"{left // 60:.0f}:{left % 60:02.0f} left; {text}" if text else ""
        width = shutil.get_terminal_size().columns - 1
        print(f"\r{line[:width]:<{width}}", end="" if text else "\r", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
