"""Settings of the user's: what a program says, else the environment, else `config.toml`, else the default."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Any

from hop.configure import get_config_path

logger = logging.getLogger("hop.io")

_WORDS = {
    **dict.fromkeys(("true", "yes", "on", "1"), True),
    **dict.fromkeys(("false", "no", "off", "0"), False),
}
_MOST = 1 << 20


def choice(name: str, argument: bool | None) -> bool:
    """A setting of `[config]`, which is on unless somebody says no.

    What can't be understood is logged and has no effect: a message in hand is not the place to end a program for it.
    """
    if argument is not None:
        return argument
    variable = f"HOP_{name.upper()}"
    text = os.environ.get(variable, "").strip()
    if text:
        if text.lower() in _WORDS:
            return _WORDS[text.lower()]
        logger.warning(
            "%s is %r, which is neither true nor false; it has no effect", variable, text
        )
    value = _stored().get(name, True)
    if isinstance(value, bool):
        return value
    logger.warning("%s in config.toml is %r, neither true nor false", name, value)
    return True


def _stored() -> dict[str, Any]:
    import tomli

    try:
        path = Path(get_config_path())
        if not path.is_file():
            return {}
        with path.open("rb") as file:
            table = tomli.loads(file.read(_MOST).decode()).get("config", {})
    except (OSError, ValueError, RuntimeError, RecursionError) as exc:
        logger.warning("the settings in config.toml have no effect: %s", exc)
        return {}
    return table if isinstance(table, dict) else {}
