"""What goes wrong with a broker of one's own.

RuntimeError
└── SandboxError    the broker can't be started, or refuses what it was asked
"""

from __future__ import annotations


class SandboxError(RuntimeError):
    """A broker could not be started or did not do what it was asked; the message says what to do."""
