"""What a VOEvent says: its parameters, where and when."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from hop.models import Position, VOEvent

UTC = timezone.utc


def _load(inside: str) -> VOEvent:
    return VOEvent.load(f'<VOEvent ivorn="ivo://a/b#c">{inside}</VOEvent>')


def _where(coordinates: str, system: str = "UTC-FK5-GEO") -> VOEvent:
    return _load(
        f"""<WhereWhen><ObsDataLocation><ObservatoryLocation id="x"/><ObservationLocation>
        <AstroCoordSystem id="{system}"/><AstroCoords coord_system_id="{system}">{coordinates}</AstroCoords>
        </ObservationLocation></ObsDataLocation></WhereWhen>"""
    )


def _position(inside: str = "", unit: str = 'unit="deg"') -> VOEvent:
    return _where(f"<Position2D {unit}>{inside}</Position2D>")


VALUES = "<Value2><C1>12.5</C1><C2>-30</C2></Value2>"
RADIUS = "<Error2Radius>0.5</Error2Radius>"


def test_params_by_name_and_by_group() -> None:
    event = _load(
        """<What>
        <Param name="a" value="1" unit="deg"><Description>d</Description></Param>
        <Param name="b"><Value>from the element</Value></Param>
        <Param name="c"/>
        <Param value="without a name"/>
        <Param name="a2" value="first"/><Param name="a2" value="last"/>
        <Group name="g" type="t"><Param name="a" value="2"/></Group>
        <Group name="g"><Param name="d" value="3"/></Group>
        <Group><Param name="e" value="4"/></Group>
        <Group name="empty"/>
        </What>"""
    )
    assert event.params() == {
        "a": {"name": "a", "value": "1", "unit": "deg", "Description": "d"},
        "b": {"name": "b", "Value": "from the element", "value": "from the element"},
        "c": {"name": "c"},
        None: {"value": "without a name"},
        "a2": {"name": "a2", "value": "last"},
    }
    assert event.params(by_group=True) == {
        "g": {"a": {"name": "a", "value": "2"}, "d": {"name": "d", "value": "3"}},
        None: {"e": {"name": "e", "value": "4"}},
        "empty": {},
    }


def test_one_param_and_no_param() -> None:
    assert _load('<What><Param name="a" value="1"/></What>').params() == {
        "a": {"name": "a", "value": "1"}
    }
    for inside in (
        "",
        "<What/>",
        "<What>text</What>",
        "<What><Param/></What>",
        "<What><Group/></What>",
    ):
        assert _load(inside).params() == {}
        assert _load(inside).params(by_group=True) == {}


def test_params_leave_the_event_as_it_is() -> None:
    event = _load('<What><Param name="b"><Value>v</Value></Param></What>')
    event.params()
    assert event.What == {"Param": {"name": "b", "Value": "v"}}


def test_a_position_is_in_degrees() -> None:
    position = _position(f"<Name1>RA</Name1><Name2>Dec</Name2>{VALUES}{RADIUS}").position
    assert position == (12.5, -30.0, 0.5, "UTC-FK5-GEO")
    assert position == Position(ra=12.5, dec=-30.0, error=0.5, system="UTC-FK5-GEO")


@pytest.mark.parametrize(
    ("event", "position"),
    [
        (_position(f"<Name1>Dec</Name1><Name2>RA</Name2>{VALUES}"), (-30.0, 12.5, None)),
        (_position(f"{VALUES}{RADIUS}", unit=""), (12.5, -30.0, 0.5)),
        (_position(f"{VALUES}{RADIUS}", unit='unit="deg-deg"'), (12.5, -30.0, 0.5)),
        (
            _position("<Value2><C1>0.1</C1><C2>-0.2</C2></Value2>", unit='unit="rad"'),
            (5.7295779, -11.4591559, None),
        ),
        (_position('<Value2><C1 pos_unit="deg">1</C1><C2>2</C2></Value2>'), (1.0, 2.0, None)),
        (_position("<Value2>12.5 -30</Value2>"), (12.5, -30.0, None)),
        (
            _position(f'{VALUES}<Error2Radius pos_unit="arcmin">30</Error2Radius>'),
            (12.5, -30.0, 0.5),
        ),
        (_position(f"{VALUES}<Error2Radius/>"), (12.5, -30.0, None)),
        (_position(f"{VALUES}<Error2Radius>NaN</Error2Radius>"), (12.5, -30.0, None)),
        (
            _where(
                '<Position3D unit="deg"><Value3><C1>1</C1><C2>2</C2><C3>3</C3></Value3></Position3D>'
            ),
            (1.0, 2.0, None),
        ),
    ],
)
def test_positions_as_they_come(event: VOEvent, position: tuple[Any, ...]) -> None:
    assert event.position is not None
    assert event.position[:3] == pytest.approx(position)


@pytest.mark.parametrize(
    "event",
    [
        _load(""),
        _load("<WhereWhen/>"),
        _where(""),
        _position(""),
        _position("<Value2/>"),
        _position("<Value2><C1>12:30:00</C1><C2>-30</C2></Value2>"),
        _position("<Value2><C1>nan</C1><C2>-30</C2></Value2>"),
        _position("<Value2><C1>12</C1></Value2>"),
        _position(VALUES, unit='unit="hms"'),
        _position("<Value2>12</Value2>"),
    ],
)
def test_no_position(event: VOEvent) -> None:
    assert event.position is None


def test_the_first_place_that_says_where_counts() -> None:
    event = _load(
        """<WhereWhen><ObsDataLocation/><ObsDataLocation><ObservationLocation>
        <AstroCoords coord_system_id="UTC-ICRS-TOPO"><Position2D><Value2><C1>1</C1><C2>2</C2></Value2></Position2D>
        <Position2D><Value2><C1>3</C1><C2>4</C2></Value2></Position2D></AstroCoords>
        </ObservationLocation></ObsDataLocation></WhereWhen>"""
    )
    assert event.position == (1.0, 2.0, None, "UTC-ICRS-TOPO")


def test_packets_of_old_clients_have_prefixes_in_their_names() -> None:
    coordinates = {
        "Position2D": {"Value2": {"C1": "1", "C2": "2"}},
        "Time": {"TimeInstant": {"ISOTime": "2026-01-01"}},
    }
    location = {"stc:ObservationLocation": {"stc:AstroCoords": coordinates}}
    event = VOEvent("ivo://a/b#c", WhereWhen={"stc:ObsDataLocation": location})
    assert event.position == (1.0, 2.0, None, None)
    assert event.event_time == datetime(2026, 1, 1, tzinfo=UTC)


def _at(text: str, system: str = "UTC-FK5-GEO") -> datetime | None:
    return _where(
        f"<Time><TimeInstant><ISOTime>{text}</ISOTime></TimeInstant></Time>", system
    ).event_time


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2026-01-02T03:04:05", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
        ("2026-01-02T03:04:05.123456789Z", datetime(2026, 1, 2, 3, 4, 5, 123456, tzinfo=UTC)),
        ("2026-01-02T03:04:05.5+02:00", datetime(2026, 1, 2, 1, 4, 5, 500000, tzinfo=UTC)),
        ("2026-01-02T03:04:05-0130", datetime(2026, 1, 2, 4, 34, 5, tzinfo=UTC)),
        (" 2026-01-02 03:04 ", datetime(2026, 1, 2, 3, 4, tzinfo=UTC)),
        ("2026-01-02", datetime(2026, 1, 2, tzinfo=UTC)),
        ("2016-12-31T23:59:60", datetime(2017, 1, 1, tzinfo=UTC)),
        ("2026-13-02T03:04:05", None),
        ("2026-01-02T03:04:61", None),
        ("0001-01-01T00:00:00+10:00", None),
        ("soon", None),
        ("", None),
    ],
)
def test_times(text: str, time: datetime | None) -> None:
    assert _at(text) == time


@pytest.mark.parametrize(
    ("text", "system", "ahead"),
    [
        ("2026-01-01T00:00:00", "TT-ICRS-TOPO", 69.184),
        ("2016-10-31T22:27:33", "TDB-ICRS-BARY", 68.184),
        ("2026-01-01T00:00:00", "GPS-FK5-TOPO", 18),
        ("2026-01-01T00:00:00", "UTC-ICRS-TOPO", 0),
        ("2026-01-01T00:00:00", "LOCAL-TIME", 0),
        ("2017-01-01T00:00:17.5", "GPS-FK5-TOPO", 17),
        ("2017-01-01T00:00:18.5", "GPS-FK5-TOPO", 18),
        ("1972-01-01T00:00:42.184", "TT-ICRS-TOPO", 42.184),
        ("1998-12-31T23:59:59", "TT-FK5-GEO", 63.184),
        ("1999-06-01T00:00:00", "TT-FK5-GEO", 64.184),
        ("2006-06-01T00:00:00", "TT-FK5-GEO", 65.184),
        ("2012-06-01T00:00:00", "TT-FK5-GEO", 66.184),
    ],
)
def test_other_time_scales_become_utc(text: str, system: str, ahead: float) -> None:
    given = _at(text)
    found = _at(text, system)
    assert given is not None
    assert found is not None
    assert (given - found).total_seconds() == pytest.approx(ahead)
    assert found.utcoffset() == timedelta(0)


def test_no_time() -> None:
    assert _load("").event_time is None
    assert _where("<Time/>").event_time is None
    assert _at("0001-01-01T00:00:00", "GPS-FK5-TOPO") is None
