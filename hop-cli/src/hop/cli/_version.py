"""Which versions of what are installed."""

from __future__ import annotations


def installed_version(distribution: str) -> str | None:
    """The version of a distribution; None where it is not installed."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(distribution)
    except PackageNotFoundError:
        return None


def hop_version() -> str:
    """The version of hop-client, or, where its parts are installed by themselves, of hop-cli."""
    return installed_version("hop-client") or installed_version("hop-cli") or "unknown"
