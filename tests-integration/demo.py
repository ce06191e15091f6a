"""`hatch run demo`: alerts go through a broker of one's own and come back on the screen.

Starts the memory broker, publishes the samples beside this file with the real `hop` program, reads them back with it,
and says what was done.
"""

from __future__ import annotations

import subprocess
import sys
import sysconfig
from pathlib import Path

from hop.sandbox import memory_broker

DATA = Path(__file__).parent / "data"
HOP = Path(sysconfig.get_path("scripts"), "hop")
SAMPLES = {
    "gcn.circulars": ("CIRCULAR", "example.gcn3"),
    "gcn.notices": ("VOEVENT", "example_voevent.xml"),
    "survey.alerts": ("AVRO", "example.avro"),
    "survey.status": ("JSON", "example.jsonl"),
}


def hop(*arguments: str) -> str:
    """Run the `hop` program as a user would, show its output, and return it."""
    print(f"\n$ hop {' '.join(arguments)}", flush=True)
    result = subprocess.run([HOP, *arguments], stdout=subprocess.PIPE, timeout=60)
    sys.stdout.buffer.write(result.stdout)
    sys.stdout.flush()
    if result.returncode:
        raise SystemExit(f"the demo failed: hop {arguments[0]} ended with {result.returncode}")
    return result.stdout.decode()


def main() -> None:
    with memory_broker(list(SAMPLES)) as broker:
        print(f"A memory broker is running at {broker.address}.")
        for topic, (kind, name) in SAMPLES.items():
            hop("publish", "--no-auth", broker.url(topic), "-f", kind, str(DATA / name))
        for topic in SAMPLES:
            hop("subscribe", "--no-auth", broker.url(topic), "-s", "EARLIEST", "-e")
        lines = hop("subscribe", "--no-auth", broker.url(*SAMPLES), "-s", "EARLIEST", "-e", "-j")
    count = len(lines.splitlines())
    if count < len(SAMPLES):
        raise SystemExit(f"the demo failed: only {count} messages came back")
    print(
        f"\nDone: {count} messages of {len(SAMPLES)} formats were published to a broker at "
        f"{broker.address}, read back, and shown above as text and as JSON lines."
    )


if __name__ == "__main__":
    main()
