from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import settings

from hop.models import limits

# How long one example takes says nothing on a machine that is busy; tests of time have bounds of their own.
settings.register_profile("hop", deadline=None)
settings.load_profile("hop")


@pytest.fixture
def restored_limits() -> Iterator[None]:
    """Limits that a test changes are as before when it is over."""
    before = dict(vars(limits))
    yield
    vars(limits).update(before)
