"""Publishing on a disk that is full, then has room; then the program is killed, and another sends what is left.

`full_disk.py FOLDER WAY FIRST SECOND`: the folder for the journal; `mount` to have a small file system of its own
there, for those who may mount, or `limit` to have the system limit the size of files; the two jobs of `publish.py`. It
passes on what they say.
"""

from __future__ import annotations

import resource
import signal
import subprocess
import sys
from pathlib import Path

PROGRAM = Path(__file__).with_name("publish.py")
SIZE = 3 << 20
ROOM = 400_000
# After so many refused messages it is full for certain, and after so many accepted ones it has room again.
REFUSED, ACCEPTED = 30, 300


class Disk:
    """A small file system."""

    def __init__(self, folder: Path) -> None:
        options = f"size={SIZE}"
        subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder], check=True)
        self._ballast = folder.joinpath("ballast")

    def fill(self, _: int) -> None:
        self._ballast.write_bytes(bytes(SIZE - ROOM))

    def free(self, _: int) -> None:
        self._ballast.unlink()


class Limit:
    """What the limit of the system does to a write is what a full disk does: a part of it is written, or nothing."""

    def fill(self, pid: int) -> None:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (ROOM, resource.RLIM_INFINITY))

    def free(self, pid: int) -> None:
        unlimited = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, unlimited)


def main() -> None:
    folder, way, first, second = Path(sys.argv[1]), *sys.argv[2:]
    disk = Disk(folder) if way == "mount" else Limit()
    with subprocess.Popen(
        [sys.executable, PROGRAM, first], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        disk.fill(process.pid)
        freed = False
        refused = accepted = 0
        for line in process.stdout:
            sys.stdout.write(line)
            refused += line.startswith("no ")
            accepted += freed and line.startswith("ok ")
            if refused == REFUSED and not freed:
                disk.free(process.pid)
                freed = True
            if accepted == ACCEPTED:
                process.send_signal(signal.SIGKILL)
    sys.stdout.flush()
    sys.exit(subprocess.run([sys.executable, PROGRAM, second], check=False).returncode)


if __name__ == "__main__":
    main()
