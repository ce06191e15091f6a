"""VOEvent packets, the astronomers' format for alerts."""

from __future__ import annotations

from dataclasses import dataclass, field

from hop.models._exceptions import DecodeError
from hop.models._input import read_any
from hop.models._json import dump_json, parse_json_object
from hop.models._model import MessageModel

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime
    from os import PathLike
    from typing import Any

    from typing_extensions import Self

    from hop.models._input import Input
    from hop.models._voevent_facts import Position

SECTIONS = ("Who", "What", "WhereWhen", "How", "Why", "Citations", "Description", "Reference")
FIELDS = ("ivorn", "role", "version", *SECTIONS)


@dataclass(repr=False)
class VOEvent(MessageModel):
    """A VOEvent packet, https://www.ivoa.net/documents/VOEvent/20110711/, as dictionaries.

    Element and attribute names are keys. An element is its text, None when it is empty, or a dictionary when it has
    attributes or elements in it; the text is then under `#text`. Repeated elements are a list. All values are text.
    A section that the packet does not have is an empty dictionary.
    """

    ivorn: str
    role: str = "observation"
    version: str = "2.0"
    Who: dict[str, Any] = field(default_factory=dict)
    What: dict[str, Any] = field(default_factory=dict)
    WhereWhen: dict[str, Any] = field(default_factory=dict)
    How: dict[str, Any] = field(default_factory=dict)
    Why: dict[str, Any] = field(default_factory=dict)
    Citations: dict[str, Any] = field(default_factory=dict)
    Description: dict[str, Any] = field(default_factory=dict)
    Reference: dict[str, Any] = field(default_factory=dict)

    format_name = "voevent"

    def __post_init__(self) -> None:
        self.xml: bytes | None = None
        """XML to send instead of JSON. None unless `load` was told to keep it, or it was assigned."""
        self._source: bytes | None = None

    @classmethod
    def load(cls, xml_input: Input, keep_xml: bool = False) -> Self:
        """Create a VOEvent from XML: text, bytes, an open file, or lines.

        `keep_xml` keeps the original in `.xml`; it is then what is sent, byte for byte, instead of JSON. Clients before
        0.12 cannot read that.

        Raises ValueError, in one line that says where, for what is no VOEvent, declares entities, or goes over the
        bounds in `hop.models.limits`.
        """
        from hop.models._voevent_xml import parse_packet

        data = read_any(xml_input, cls.__name__)
        values, source = parse_packet(data)
        event = cls(**values)
        event._source = source
        if keep_xml:
            event.xml = source
        return event

    @classmethod
    def load_file(cls, filename: str | PathLike[str], keep_xml: bool = False) -> Self:
        """Create a VOEvent from an XML file, in whatever encoding it declares. `keep_xml` is as for `load`."""
        from pathlib import Path

        return cls.load(Path(filename).read_bytes(), keep_xml)

    def serialize(self) -> dict[str, Any]:
        """`{"format": "voevent", "content": …}`: the fields as JSON, or `.xml` where that is set."""
        content = dump_json(self._fields()) if self.xml is None else self.xml
        return {"format": self.format_name, "content": content}

    @classmethod
    def deserialize(cls, data: bytes) -> Self:
        """The event from JSON or from XML, told apart by how they begin."""
        if not data:
            raise DecodeError(
                f"{cls.__name__}: empty, as hop-client 0.12 and 0.13 send events that were built in code"
            )
        if data[:1] != b"{" and not data.lstrip().startswith(b"{"):
            return cls.load(data)
        content = parse_json_object(data, cls.__name__)
        ivorn = content.get("ivorn")
        if not isinstance(ivorn, str):
            raise DecodeError(f"{cls.__name__}: the JSON object has no text 'ivorn'")
        return cls(**{name: content[name] for name in FIELDS if name in content})

    def to_xml(self) -> bytes:
        """The packet as XML in UTF-8, in the order of the schema; `load` reads the same event from it.

        Raises ValueError for what XML cannot hold, and says where it is.
        """
        from hop.models._voevent_xml import write_packet

        return write_packet({name: getattr(self, name) for name in FIELDS})

    def validate(self) -> None:
        """Check the event against the official schema of VOEvent 2.0, without the network.

        What is checked is the XML that the event was loaded from as long as nothing was changed since, and otherwise
        what `to_xml` writes. Raises ValidationError, a ValueError, which says which element breaks the schema and how.
        """
        from hop.models._voevent_schema import validate_packet

        source = self.xml or self._source
        if source is None or type(self).load(source) != self:
            source = self.to_xml()
        validate_packet(source)

    def params(self, *, by_group: bool = False) -> dict[str | None, dict[str | None, Any]]:
        """The Params of What by name, each with its attributes: `event.params()["GraceID"]["value"]`.

        Without `by_group` those that are in no Group; with it those in Groups, as
        `event.params(by_group=True)["GW_SKYMAP"]["skymap_fits"]["value"]`. A name that is missing is None, and of a
        name that is repeated the last Param counts. `value` is filled from the Value element where that has it.
        """
        from hop.models._voevent_facts import grouped_params, toplevel_params

        return grouped_params(self.What) if by_group else toplevel_params(self.What)

    @property
    def position(self) -> Position | None:
        """Where it happened: `(ra, dec, error, system)`, the first three in degrees. None when the packet does not say.

        `error` is None when only that is missing. `system` is the coordinate system, such as `UTC-FK5-GEO`.
        """
        from hop.models._voevent_facts import position

        return position(self.WhereWhen)

    @property
    def event_time(self) -> datetime | None:
        """When it happened, in UTC. None when the packet does not say.

        Times that the packet gives as TT, TDB or GPS are converted; the light's way to the barycentre is not.
        """
        from hop.models._voevent_facts import event_time

        return event_time(self.WhereWhen)

    def _fields(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in FIELDS}

    def _shown(self) -> dict[str, Any]:
        return {name: value for name, value in self._fields().items() if value}

    def _marks(self) -> list[str]:
        from hop.models._voevent_facts import marks

        return marks(self)

    def _headline(self) -> str:
        from hop.models._voevent_facts import headline

        return headline(self)
