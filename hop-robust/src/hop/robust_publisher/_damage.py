"""What is damaged in a journal's file is put aside, for people to look at."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from pathlib import Path
from zlib import crc32

from hop.robust_publisher._disk import copy_part
from hop.robust_publisher._frame import MARK_SIZE, Damage

logger = logging.getLogger("hop.robust_publisher")

_CHUNK = 1 << 20


def merge(damages: Sequence[Damage]) -> list[Damage]:
    """Parts that touch as one."""
    merged: list[Damage] = []
    for damage in damages:
        if merged and merged[-1].offset + merged[-1].size == damage.offset:
            last = merged.pop()
            damage = Damage(last.offset, last.size + damage.size, last.torn and damage.torn)
        merged.append(damage)
    return merged


def put_aside(path: Path, descriptor: int, mark: bytes | None, damages: Sequence[Damage]) -> None:
    """Copy damaged parts of a file beside the journal, each to a file that ends in `.bad`, and say so once.

    Args:
        path: the journal, whose name those files begin with.
        descriptor: the damaged file.
        mark: the damaged file's mark, which tells parts of different files apart; None if it has none that is sound.
        damages: where the damage is.
    """
    names, size = [], 0
    if mark is None:
        mark = crc32(os.pread(descriptor, _CHUNK, 0)).to_bytes(MARK_SIZE, "big")
    for damage in merge(damages):
        name = f"{path.name}.{mark.hex()}-{damage.offset}.bad"
        target = path.with_name(name)
        # The same damage is met again as long as anything else in that file is to be sent.
        if target.exists():
            continue
        try:
            copy_part(descriptor, damage.offset, damage.size, target)
        except OSError as exc:
            logger.error("cannot copy damaged bytes of the journal %s to %s: %s", path, target, exc)
        names.append(name)
        size += damage.size
    if names:
        logger.warning(
            "the journal %s is damaged: %d bytes are no records, messages may be lost; "
            "everything else in it is sent; the damaged bytes are in %s",
            path,
            size,
            ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else ""),
        )
