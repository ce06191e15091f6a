"""`python -m hop`."""

import sys

from hop.cli import main

if __name__ == "__main__":
    sys.exit(main())
