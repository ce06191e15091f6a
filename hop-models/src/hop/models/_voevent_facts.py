"""What a VOEvent says, found in its dictionaries. They may come from anyone: nothing here trusts their shape."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from hop.models._marks import MOCK, RETRACTION, TEST, marks_of_text
from hop.models._time import parse_iso, to_utc

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from typing import Any

    from hop.models._voevent import VOEvent

_DEGREES = {
    "deg": 1.0,
    "degree": 1.0,
    "degrees": 1.0,
    "arcmin": 1 / 60,
    "arcsec": 1 / 3600,
    "rad": 180 / math.pi,
}


class Position(NamedTuple):
    """A place on the sky: right ascension, declination and the radius of the error circle, in degrees."""

    ra: float
    dec: float
    error: float | None
    system: str | None


def toplevel_params(what: Any) -> dict[str | None, dict[str | None, Any]]:
    """The Params that are in no Group, by name."""
    params: dict[str | None, Any] = {}
    for param in _dicts(what, "Param"):
        params[_text(param.get("name"))] = _with_value(param)
    return params


def grouped_params(what: Any) -> dict[str | None, dict[str | None, Any]]:
    """The Params in Groups, by the name of the group and their own. Groups of one name are one."""
    groups: dict[str | None, dict[str | None, Any]] = {}
    for group in _dicts(what, "Group"):
        groups.setdefault(_text(group.get("name")), {}).update(toplevel_params(group))
    return groups


def position(where: Any) -> Position | None:
    """The first position of the packet that can be told in degrees."""
    for coordinates, system in _coordinates(where):
        for name, values_name in (("Position2D", "Value2"), ("Position3D", "Value3")):
            for place in _dicts(coordinates, name):
                found = _position(place, values_name, system)
                if found is not None:
                    return found
    return None


def event_time(where: Any) -> datetime | None:
    """The first time of the packet, in UTC."""
    for coordinates, system in _coordinates(where):
        for time in _dicts(coordinates, "Time"):
            text = _text(_find(_find(time, "TimeInstant"), "ISOTime"))
            instant = parse_iso(text) if text else None
            if instant is not None:
                try:
                    return to_utc(instant, (system or "").partition("-")[0])
                except OverflowError:  # the first or last minutes of the calendar
                    return None
    return None


def marks(event: VOEvent) -> list[str]:
    """What must not be overlooked about the event."""
    found = []
    params = toplevel_params(event.What)
    for group in grouped_params(event.What).values():
        params = {**group, **params}
    value = {name: str(param.get("value", "")).strip().lower() for name, param in params.items()}
    if str(event.role).strip().lower() == "test" or value.get("Test_Submission") == "true":
        found.append(TEST)
    names = [str(event.ivorn), str(params.get("GraceID", {}).get("value", ""))]
    found += [mark for name in names for mark in marks_of_text(name)]
    if value.get("HardwareInj") == "1":
        found.append(MOCK)
    cited = _items(_find_all(event.Citations, "EventIVORN"))
    if (
        any(
            isinstance(event_ivorn, dict) and event_ivorn.get("cite") == "retraction"
            for event_ivorn in cited
        )
        or value.get("AlertType") == "retraction"
        or "retraction" in str(event.ivorn).lower()
    ):
        found.append(RETRACTION)
    return found


def headline(event: VOEvent) -> str:
    """What the event is, where and when."""
    parts = [str(event.ivorn)]
    if event.role not in ("observation", "test"):  # a test is marked before all else
        parts.append(str(event.role))
    when, where = event_time(event.WhereWhen), position(event.WhereWhen)
    if when is not None:
        parts.append(f"at {when:%Y-%m-%dT%H:%M:%S}")
    if where is not None:
        parts.append(f"ra {where.ra:g} dec {where.dec:+g}")
    return " ".join(parts)


def _coordinates(where: Any) -> Iterator[tuple[dict[str, Any], str | None]]:
    """The AstroCoords of what was observed, with the name of their system."""
    for location in _dicts(where, "ObsDataLocation"):
        for observation in _dicts(location, "ObservationLocation"):
            declared = _text(_find(_find(observation, "AstroCoordSystem"), "id"))
            for coordinates in _dicts(observation, "AstroCoords"):
                yield coordinates, declared or _text(coordinates.get("coord_system_id"))


def _position(place: dict[str, Any], values_name: str, system: str | None) -> Position | None:
    values = _find(place, values_name)
    if isinstance(values, dict):
        first, second = _find(values, "C1"), _find(values, "C2")
    else:  # VOEvent 1.1 also writes the two numbers as one text
        numbers = str(values).split()
        first, second = (numbers[0], numbers[1]) if len(numbers) > 1 else (None, None)
    unit = _text(place.get("unit"))
    ra, dec = _degrees(first, unit), _degrees(second, unit)
    if ra is None or dec is None:
        return None
    names = [(_text(_find(place, name)) or "").lower() for name in ("Name1", "Name2")]
    if names[0].startswith("dec") and names[1].startswith("ra"):
        ra, dec = dec, ra
    return Position(ra, dec, _degrees(_find(place, "Error2Radius"), unit), system)


def _degrees(value: Any, unit: str | None) -> float | None:
    """A number with its unit, its own or else that of the position, in degrees."""
    if isinstance(value, dict):
        unit = _text(value.get("pos_unit") or value.get("unit")) or unit
    factor = (
        _DEGREES.get((unit or "deg").replace("-", " ").split()[0].lower())
        if (unit or "deg").strip(" -")
        else 1.0
    )
    try:
        number = float(_text(value) or "")
    except ValueError:
        return None
    return number * factor if factor is not None and math.isfinite(number) else None


def _with_value(param: dict[str, Any]) -> dict[str, Any]:
    return (
        param
        if "value" in param or "Value" not in param
        else {**param, "value": _text(param["Value"])}
    )


def _text(value: Any) -> str | None:
    """The text of an element or attribute; the first when it is repeated."""
    if isinstance(value, list):
        value = value[0] if value else None
    if isinstance(value, dict):
        value = value.get("#text")
    return None if value is None or isinstance(value, (dict, list)) else str(value)


def _find_all(parent: Any, name: str) -> Any:
    """What is under that name, also where an old client kept the namespace's prefix in it."""
    if isinstance(parent, list):
        parent = parent[0] if parent else None
    if not isinstance(parent, dict):
        return None
    if name in parent:
        return parent[name]
    return next((value for key, value in parent.items() if str(key).endswith(f":{name}")), None)


def _find(parent: Any, name: str) -> Any:
    """The first of what is under that name."""
    value = _find_all(parent, name)
    if isinstance(value, list):
        return value[0] if value else None
    return value


def _items(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _dicts(parent: Any, name: str) -> list[dict[str, Any]]:
    return [item for item in _items(_find_all(parent, name)) if isinstance(item, dict)]
