"""What goes wrong with robust publication.

RuntimeError
├── JournalError
│   ├── JournalCorruptError   what the file holds is damaged, or no journal at all
│   └── JournalWriteError     a record could not be written; it is not in the journal
└── PublisherError            the publisher is not running, or can't

An OSError (PermissionError, …) says that a journal can't be opened or read.
"""

from __future__ import annotations


class JournalError(RuntimeError):
    """Something about a journal on disk."""


class JournalCorruptError(JournalError):
    """A journal's file is damaged, or is no journal at all."""


class JournalWriteError(JournalError):
    """Something could not be written to a journal, and is not in it."""


class PublisherError(RuntimeError):
    """A publisher was used before it was started or after it was stopped, or it can't go on."""
