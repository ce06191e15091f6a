"""How much of a message is believed."""

from __future__ import annotations


class Limits:
    """Bounds on what is read, so that no message takes a reader down. Assign to change one, for the whole process.

    What goes over a bound is a `DecodeError` from `load` and `deserialize`, and a `Blob` with the reason from `decode`.
    """

    def __init__(self) -> None:
        self.json_depth = 200
        """How deep arrays and objects may be nested in JSON."""
        self.xml_bytes = 10 * 1024 * 1024
        """The size of an XML document in bytes; libxml2 itself ends at 10 MB of text in one element."""
        self.xml_depth = 100
        """How deep elements may be nested in XML; libxml2 itself ends at 256."""
        self.xml_attributes = 256
        """How many attributes one XML element may have: lxml's time grows with the square of it."""
        self.avro_bytes = 32 * 1024 * 1024
        """What a compressed Avro container may unpack to, in bytes. One that is not compressed is as large as it is."""
        self.avro_depth = 100
        """How deep the values of an Avro record may be nested."""
        self.avro_values = 1_000_000
        """How many values an Avro block may hold whose schema lets it claim more than it is long."""


limits = Limits()
