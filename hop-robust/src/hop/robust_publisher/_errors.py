"""What goes wrong with robust publication.

RuntimeError
├── JournalError
│   ├── JournalCorruptError   what the file holds is damaged, or no journal at all
│   ├── JournalInUseError     another process, or another object of this one, works on it
│   └── JournalWriteError     something could not be written, and is not in the journal
│       └── JournalFullError  it would become larger than it may
└── PublisherError            the publisher is not running, or can't

An OSError (PermissionError, …) says that a journal can't be opened or read.
"""

from __future__ import annotations


class JournalError(RuntimeError):
    """Something about a journal on disk."""


class JournalCorruptError(JournalError):
    """A journal's file is damaged, or is no journal at all."""


class JournalInUseError(JournalError):
    """Another process works on the journal, or another object of this process."""


class JournalWriteError(JournalError):
    """Something could not be written to a journal, and is not in it."""


class JournalFullError(JournalWriteError):
    """A journal would become larger than it may."""


class PublisherError(RuntimeError):
    """A publisher was used before it was started or after it was stopped, or it can't go on."""
