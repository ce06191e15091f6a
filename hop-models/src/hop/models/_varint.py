"""Avro's integers, and a place in bytes that does not run over their end."""

from __future__ import annotations

from hop.models._exceptions import DecodeError


class Cursor:
    """A place in bytes. What runs over the end raises DecodeError."""

    def __init__(self, data: bytes, position: int = 0) -> None:
        self.data = data
        self.position = position

    @property
    def at_end(self) -> bool:
        return self.position >= len(self.data)

    def take(self, size: int) -> bytes:
        start = self.position
        self.skip(size)
        return self.data[start : self.position]

    def skip(self, size: int) -> None:
        if not 0 <= size <= len(self.data) - self.position:
            raise DecodeError(
                f"AvroBlob: {size} bytes are announced where {len(self.data) - self.position} are left"
            )
        self.position += size

    def long(self) -> int:
        """A zigzag-coded integer of up to 64 bits."""
        value = shift = 0
        while True:
            if self.position >= len(self.data) or shift > 63:
                raise DecodeError(
                    "AvroBlob: the container ends in the middle of a number, or is damaged"
                )
            byte = self.data[self.position]
            self.position += 1
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return (value >> 1) ^ -(value & 1)
            shift += 7


def encode_long(value: int) -> bytes:
    """The value zigzag-coded."""
    value = (value << 1) ^ (value >> 63)
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)
