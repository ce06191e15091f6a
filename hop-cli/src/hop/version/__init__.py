"""`hop version`: list all the dependencies' versions."""

from __future__ import annotations

import argparse

from hop.cli._version import installed_version

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["add_arguments", "get_packages", "main", "print_packages_versions"]

_OURS = (
    "hop-client",
    "hop-auth",
    "hop-cli",
    "hop-io",
    "hop-models",
    "hop-robust",
    "hop-sandbox",
)
_EXAMPLE = """\
example:
  hop version --json"""


def get_packages() -> list[str]:
    """Returns the package dependencies used within hop-client: its own parts, then what they need."""
    from importlib.metadata import PackageNotFoundError, requires

    needed: set[str] = set()
    for name in _OURS:
        try:
            requirements = requires(name) or []
        except PackageNotFoundError:
            continue
        # What an extra asks for is not needed.
        needed.update(_name(line) for line in requirements if "extra ==" not in line)
    return [*_OURS, *sorted(needed - set(_OURS))]


def print_packages_versions(packages: Iterable[str]) -> None:
    """Print versions for the passed packages, one `name==version` a line.

    Args:
        packages: names of distributions; one that is not installed is printed as such.
    """
    for package in packages:
        version = installed_version(package)
        print(f"{package}=={version}" if version else f"{package} (not installed)")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `hop version` takes to an argument parser."""
    parser.description = "List all the dependencies' versions."
    parser.epilog = _EXAMPLE
    parser.add_argument(
        "--json", action="store_true", help="Print one JSON object, null for what is not installed."
    )


def main(args: argparse.Namespace) -> None:
    """Print the versions of hop's parts, of what they need, of Kafka's library and of Python."""
    import platform

    from confluent_kafka import libversion

    others = {"librdkafka": libversion()[0], "python": platform.python_version()}
    if args.json:
        import json

        versions = {name: installed_version(name) for name in get_packages()}
        print(json.dumps({**versions, **others}, indent=2))
        return
    print_packages_versions(get_packages())
    for name, version in others.items():
        print(f"{name}=={version}")


def _name(requirement: str) -> str:
    """`tomli>=2; python_version < "3.11"` is about `tomli`."""
    end = next((i for i, c in enumerate(requirement) if not (c.isalnum() or c in "-_.")), None)
    return requirement[:end].lower().replace("_", "-")
