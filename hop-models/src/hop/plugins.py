"""Message models of one's own.

A package names a module under its entry point `hop_plugin`; in it a function, marked with `register`, returns its
models:

    @plugins.register
    def get_models():
        return {format_name(Donut): Donut}

Entry points are looked for when a format is first needed that is not built in. A plugin that fails to import, or
returns something else than models, is named in one warning of the logger `hop`, and the others work on.
"""

from __future__ import annotations

import threading

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from importlib.metadata import EntryPoint
    from typing import Any, TypeVar

    from hop.models import MessageModel

    Function = TypeVar("Function", bound=Callable[[], Mapping[str, type[MessageModel]]])

__all__ = ["get_models", "register"]

_GROUP = "hop_plugin"
# By module and name: a module that is loaded again, or a notebook's cell run again, replaces what it registered.
_functions: dict[tuple[str, str], Callable[[], Any]] = {}
_names: dict[tuple[str, str], str] = {}
_lock = threading.RLock()
_discovered = False
_collected: tuple[Callable[[], Any], ...] = ()
_models: dict[str, type[MessageModel]] = {}


def register(function: Function) -> Function:
    """Mark a function that returns message models, `{format name: class}`; a decorator.

    Its models are known in this process from then on. For other programs to find them, the module needs an entry point.
    """
    _functions[(function.__module__, function.__qualname__)] = function
    return function


def get_models() -> dict[str, type[MessageModel]]:
    """The models of all plugins, by the name of their format in lower case.

    A plugin cannot replace a built-in format, and of two that claim one name the first stays; a warning names the
    other.
    """
    global _discovered, _collected, _models
    with _lock:
        if not _discovered:
            _discovered = True
            _discover()
        current = tuple(_functions.values())
        if current != _collected:
            _collected, _models = current, _collect()
        return dict(_models)


def _discover() -> None:
    """Import what the entry points name; their modules register themselves."""
    from importlib.metadata import entry_points

    for entry in entry_points(group=_GROUP):
        known = set(_functions)
        try:
            loaded = entry.load()
        except (Exception, SystemExit) as exc:
            _warn(f"the plugin {_described(entry)} cannot be imported: {type(exc).__name__}: {exc}")
            continue
        if callable(loaded) and not isinstance(loaded, type):
            register(loaded)
        # Its functions may have been registered before, when somebody imported its package.
        package = entry.value.partition(":")[0].partition(".")[0]
        found = [
            key for key in _functions if key not in known or key[0].partition(".")[0] == package
        ]
        if not found:
            _warn(
                f"the plugin {_described(entry)} registers no models: mark its function with hop.plugins.register"
            )
        for key in found:
            _names.setdefault(key, _described(entry))


def _collect() -> dict[str, type[MessageModel]]:
    from hop.models._registry import BUILT_IN

    models: dict[str, type[MessageModel]] = {}
    for key, function in _functions.items():
        good, problems = _models_of(function)
        for name, model in good.items():
            if name in BUILT_IN:
                problems.append(f"{name!r} is a built-in format, which stays")
            elif models.setdefault(name, model) is not model:
                problems.append(f"{name!r} is already a format of another plugin, which stays")
        if problems:
            _warn(f"the plugin {_names.get(key, '.'.join(key))}: {'; '.join(problems)}")
    return models


def _models_of(function: Callable[[], Any]) -> tuple[dict[str, type[MessageModel]], list[str]]:
    """The models that a plugin's function returns, and what else it returns, in words."""
    from hop.models import MessageModel

    try:
        returned = function()
        items = list(returned.items())
    except (Exception, SystemExit) as exc:
        return {}, [f"it does not return a dictionary of models: {type(exc).__name__}: {exc}"]
    good, problems = {}, []
    for name, model in items:
        if not isinstance(name, str):
            problems.append(f"{name!r} is not the name of a format")
        elif not (isinstance(model, type) and issubclass(model, MessageModel)):
            problems.append(f"{name!r} is not a class derived from hop.models.MessageModel")
        else:
            good[name.lower()] = model
    return good, problems


def _described(entry: EntryPoint) -> str:
    owner = f" of {entry.dist.name}" if entry.dist else ""
    return f"{entry.name!r} ({entry.value}{owner})"


_warned: set[str] = set()


def _warn(text: str) -> None:
    import logging

    text = " ".join(text.split())
    if text not in _warned:
        _warned.add(text)
        logging.getLogger("hop").warning(text)
