"""`python -m hop.sandbox`: what `hop sandbox` does, where hop-cli is not installed."""

from __future__ import annotations

import argparse
import sys

from hop.sandbox import SandboxError, command


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m hop.sandbox")
    command.add_arguments(parser)
    try:
        return command.main(parser.parse_args())
    except SandboxError as exc:
        print(f"hop: {exc}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
