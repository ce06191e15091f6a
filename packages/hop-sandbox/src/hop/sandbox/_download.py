"""Obtaining Kafka: the jars that `kafka.lock` names, from Maven repositories into the user's cache folder."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from hop.sandbox._errors import SandboxError, reason

if TYPE_CHECKING:
    from jgo.maven import MavenContext

_DOWNLOADS_AT_ONCE = 4
# Seconds that a Maven repository may stay silent.
_TIMEOUT = 15
_PARTIAL = "partial-"


@dataclass(frozen=True)
class Jar:
    """A line of `kafka.lock`."""

    sha256: str
    size: int
    coordinate: str

    @property
    def name(self) -> str:
        _, artifact, version = self.coordinate.split(":")
        return f"{artifact}-{version}.jar"

    def is_in(self, folder: Path) -> bool:
        """Whether the folder holds this jar, whole and unchanged."""
        try:
            content = (folder / self.name).read_bytes()
        except OSError:
            return False
        return len(content) == self.size and hashlib.sha256(content).hexdigest() == self.sha256


def _read_lock() -> tuple[Jar, ...]:
    text = (files("hop.sandbox") / "kafka.lock").read_text(encoding="ascii")
    rows = [line.split() for line in text.splitlines() if not line.startswith("#")]
    return tuple(Jar(sha256, int(size), coordinate) for sha256, size, coordinate in rows)


JARS = _read_lock()
KAFKA_VERSION = next(
    jar.coordinate.rpartition(":")[2] for jar in JARS if ":kafka-clients:" in jar.coordinate
)


def cache_folder() -> Path:
    """Where this user's programs keep what they can download again."""
    xdg = os.environ.get("XDG_CACHE_HOME", "")
    if Path(xdg).is_absolute():
        return Path(xdg) / "hop-sandbox"
    home = Path.home()
    return home / ("Library/Caches" if sys.platform == "darwin" else ".cache") / "hop-sandbox"


def kafka_jars() -> list[Path]:
    """The jars to put on Kafka's class path, downloaded if the cache does not hold them unchanged.

    Raises:
        SandboxError: they can't be downloaded or stored, or are not what the lock names.
    """
    cache = cache_folder()
    # The name says what is in it, so another version of hop-sandbox has a folder of its own.
    digest = hashlib.sha256("".join(jar.sha256 for jar in JARS).encode()).hexdigest()
    folder = cache / f"kafka-{KAFKA_VERSION}-{digest[:8]}"
    if not _holds_all(folder):
        try:
            cache.mkdir(parents=True, exist_ok=True)
            with _only_process(cache / "download.lock"):
                # Whoever held the lock before may have done it all.
                if not _holds_all(folder):
                    _fill(folder)
        except OSError as exc:
            raise SandboxError(
                f"cannot store Kafka in {cache}: {reason(exc)}; make room there, "
                "or name another cache folder in XDG_CACHE_HOME"
            ) from exc
    return [folder / jar.name for jar in JARS]


def _holds_all(folder: Path) -> bool:
    return all(jar.is_in(folder) for jar in JARS)


@contextlib.contextmanager
def _only_process(lock: Path) -> Iterator[None]:
    with lock.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _fill(folder: Path) -> None:
    # Only the holder of the lock makes these, so what is there was left by a process that was killed.
    for abandoned in folder.parent.glob(f"{_PARTIAL}*"):
        shutil.rmtree(abandoned)
    with tempfile.TemporaryDirectory(prefix=_PARTIAL, dir=folder.parent) as partial:
        complete = Path(partial) / "complete"
        complete.mkdir()
        missing = [jar for jar in JARS if not jar.is_in(folder)]
        _download(missing, Path(partial) / "maven", complete)
        if folder.exists():  # something in it was lost or damaged
            for jar in JARS:
                if jar not in missing:
                    (folder / jar.name).rename(complete / jar.name)
            shutil.rmtree(folder)
        complete.rename(folder)


def _download(jars: Sequence[Jar], repository: Path, complete: Path) -> None:
    try:
        import requests
        from jgo.config import GlobalSettings
        from jgo.maven import MavenContext, PythonResolver
        from tqdm import tqdm  # type: ignore[import-untyped, unused-ignore]
    except ImportError as exc:
        raise extra_is_missing(exc) from exc
    with (
        # The bar is for a person at a terminal only.
        tqdm(
            total=sum(jar.size for jar in jars),
            desc=f"Downloading Kafka {KAFKA_VERSION}",
            unit="B",
            unit_scale=True,
            disable=None,
        ) as bar,
        ThreadPoolExecutor(_DOWNLOADS_AT_ONCE) as pool,
    ):

        def progress(count: int) -> None:
            bar.update(count)

        resolver = PythonResolver(progress_callback=lambda *_: contextlib.nullcontext(progress))
        context = MavenContext(resolver=resolver, repo_cache=repository, timeout=_TIMEOUT)
        # Where a site has a repository of its own, the public one may be out of reach: theirs goes first.
        context.remote_repos = {**GlobalSettings.load().repositories, **context.remote_repos}
        try:
            for _ in pool.map(lambda jar: _fetch(context, jar, complete), jars):
                pass
        except requests.RequestException as exc:
            raise SandboxError(
                "cannot download Kafka: the Maven repository can't be reached; "
                "connect to the network for the first start, later ones need none "
                f"({type(exc).__name__})"
            ) from exc
        finally:
            # What is under way ends soon, what is not does not begin.
            pool.shutdown(cancel_futures=True)


def _fetch(context: MavenContext, jar: Jar, complete: Path) -> None:
    artifact = context.create_dependency(jar.coordinate).artifact
    try:
        file = artifact.resolve()
    except RuntimeError as exc:
        raise SandboxError(
            f"cannot download Kafka: no Maven repository that jgo is set up with has {jar.coordinate}; "
            "check the repositories in your jgo settings"
        ) from exc
    file.rename(complete / jar.name)
    if not jar.is_in(complete):
        raise SandboxError(
            f"cannot use {jar.coordinate}: what was downloaded is not the file that this version of "
            "hop-sandbox was made for; try again, or check the repositories in your jgo settings"
        )


def extra_is_missing(exc: ImportError) -> SandboxError:
    """What to say when a package of the extra `kafka` is not installed."""
    return SandboxError(
        f"the Kafka broker needs {exc.name}: install it with pip install 'hop-sandbox[kafka]'"
    )
