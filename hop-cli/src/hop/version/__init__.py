"""`hop version`: list all the dependencies' versions."""

from __future__ import annotations

import argparse
from collections.abc import Iterable

__all__ = ["add_arguments", "get_packages", "main", "print_packages_versions"]

_PACKAGES = (
    "hop-client",
    "hop-auth",
    "hop-cli",
    "hop-io",
    "hop-models",
    "hop-robust",
    "hop-sandbox",
    "confluent-kafka",
    "fastavro",
    "lxml",
    "tomli",
    "tomli-w",
)


def get_packages() -> list[str]:
    """Returns the package dependencies used within hop-client, its own parts first."""
    return list(_PACKAGES)


def print_packages_versions(packages: Iterable[str]) -> None:
    """Print versions for the passed packages, one `name==version` a line.

    Args:
        packages: names of distributions; one that is not installed is printed as such.
    """
    from importlib.metadata import PackageNotFoundError, version

    for package in packages:
        try:
            print(f"{package}=={version(package)}")
        except PackageNotFoundError:
            print(f"{package} (not installed)")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.description = "List all the dependencies' versions."


def main(args: argparse.Namespace) -> None:
    print_packages_versions(get_packages())
