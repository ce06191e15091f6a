from __future__ import annotations

from collections.abc import Iterator

import pytest

from hop.models import limits


@pytest.fixture
def restored_limits() -> Iterator[None]:
    """Limits that a test changes are as before when it is over."""
    before = dict(vars(limits))
    yield
    vars(limits).update(before)
