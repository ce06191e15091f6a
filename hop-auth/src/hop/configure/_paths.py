import os
from pathlib import Path

_FILE_NAMES = {"general": "config.toml", "auth": "auth.toml"}


def get_config_path(type: str = "general") -> str:
    """Return the path of one of hop's configuration files, whether or not it exists.

    They lie in ``${XDG_CONFIG_HOME}/hop``, or in ``~/.config/hop`` when that variable is unset,
    empty or, as its specification asks, not an absolute path.

    Args:
        type: ``"general"`` for the settings (``config.toml``), ``"auth"`` for the credentials
            (``auth.toml``).

    Raises:
        ValueError: there is no such type of configuration.
        RuntimeError: the user has no home directory to look in.
    """
    try:
        name = _FILE_NAMES[type]
    except (KeyError, TypeError):
        known = ", ".join(map(repr, _FILE_NAMES))
        raise ValueError(f"unknown type of configuration {type!r}: it is one of {known}") from None
    base = os.environ.get("XDG_CONFIG_HOME", "")
    folder = Path(base)
    if not folder.is_absolute():
        try:
            folder = Path.home() / ".config"
        except RuntimeError as exc:
            raise RuntimeError(
                "cannot tell where hop's configuration is, because there is no home directory: "
                "set HOME or XDG_CONFIG_HOME"
            ) from exc
    return str(folder / "hop" / name)
