"""VOEvent XML to dictionaries and back. The only module that imports lxml on the way of a message."""

from __future__ import annotations

import codecs
import re

from lxml import etree

from hop.models._exceptions import DecodeError
from hop.models._limits import limits
from hop.models._voevent import FIELDS, SECTIONS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_XSI = "http://www.w3.org/2001/XMLSchema-instance"
_ENCODING = re.compile(rb"\s*<\?xml[^>]{1,200}?encoding\s*=\s*[\"']([A-Za-z][\w.-]{1,40})[\"']")
_NO_ENCODINGS = ("idna", "punycode", "undefined", "unicode", "raw")
_DECLARATION = re.compile(r"\s*<\?xml[^>]*\?>")


def _parser(encoding: str | None = None) -> etree.XMLParser:
    return etree.XMLParser(
        encoding=encoding,
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )


_bytes_parser = _parser()
_utf8_parser = _parser("utf-8")


def parse_root(data: str | bytes) -> etree._Element:
    """The root element of an XML document that is safe to walk. Raises DecodeError."""
    if len(data) > limits.xml_bytes:
        raise DecodeError(
            f"VOEvent: {len(data)} bytes of XML, more than the {limits.xml_bytes} of limits.xml_bytes"
        )
    try:
        if isinstance(data, str):
            # Text has no encoding any more, whatever it declares.
            root = etree.fromstring(data.encode("utf-8", "surrogatepass"), _utf8_parser)
        else:
            root = etree.fromstring(data, _bytes_parser)
    except etree.XMLSyntaxError as exc:
        problem = " ".join((exc.msg or "empty").split())
        text = (
            _decoded(data)
            if isinstance(data, bytes) and problem.startswith("Unsupported encoding")
            else None
        )
        if text is not None:
            return parse_root(text)
        if problem.startswith("Excessive depth"):
            problem = f"elements nested deeper than {limits.xml_depth} levels"
        raise DecodeError(f"VOEvent: cannot be read as XML: {problem}") from exc
    document: Any = root.getroottree().docinfo
    if (
        document.doctype
        and document.internalDTD is not None
        and any(document.internalDTD.iterentities())
    ):
        raise DecodeError(
            "VOEvent: the DOCTYPE of the XML declares entities, which no VOEvent needs"
        )
    # An attribute has an equals sign: counting those costs nothing, looking at all elements does.
    most = limits.xml_attributes
    if (data.count("=") if isinstance(data, str) else data.count(b"=")) > most:
        crowded: Any = root.xpath("(//*[@*[position() > $most]])[1]", most=most)
        if crowded:
            raise DecodeError(
                f"VOEvent: <{_local(crowded[0].tag)}> has more than {most} attributes"
            )
    return root


def _decoded(data: bytes) -> str | None:
    """The text, where Python knows the encoding that the XML declares (`latin-1`) and libxml2 does not."""
    declared = _ENCODING.match(data)
    try:
        codec = codecs.lookup(declared[1].decode("ascii")) if declared else None
        return (
            data.decode(codec.name) if codec and not codec.name.startswith(_NO_ENCODINGS) else None
        )
    except (LookupError, UnicodeError):
        return None


def parse_packet(data: str | bytes) -> tuple[dict[str, Any], bytes]:
    """The fields of the packet, and the packet as bytes that say their encoding right."""
    root = parse_root(data)
    name = _local(str(root.tag))
    if name != "VOEvent":
        raise DecodeError(f"VOEvent: the root element is <{name}>, not <VOEvent>")
    packet = _value(root, limits.xml_depth - 1)
    if not isinstance(packet, dict) or not isinstance(packet.get("ivorn"), str):
        raise DecodeError("VOEvent: the root element has no attribute 'ivorn'")
    if isinstance(data, str):
        data = _DECLARATION.sub("<?xml version='1.0' encoding='UTF-8'?>", data, count=1).encode()
    return {name: packet[name] for name in FIELDS if name in packet}, data


def _value(element: etree._Element, depth: int) -> Any:
    """The element as a value, with elements in it up to that depth.

    An element without attributes is its text, or None when it is empty; others are a dictionary of attributes,
    elements and `#text`. Comments and processing instructions are not in the tree.
    """
    attributes: Any = element.items()
    value = {name if name[0] != "{" else _local(name): text for name, text in attributes}
    text = element.text or ""
    if len(element):
        if depth <= 0:
            most, line = limits.xml_depth, element.sourceline
            raise DecodeError(f"VOEvent: elements nested deeper than {most} levels (line {line})")
        for child in element:
            tag = child.tag
            if not isinstance(tag, str):  # what is left of an entity whose declaration was not read
                raise DecodeError(
                    f"VOEvent: the entity {child.text} is not defined (line {child.sourceline})"
                )
            name = tag if tag[0] != "{" else _local(tag)
            if name in value:
                _add(value, name, _value(child, depth - 1))
            else:
                value[name] = _value(child, depth - 1)
            text += child.tail or ""
    elif not value:
        return text.strip() or None
    text = text.strip()
    if text:
        value["#text"] = text
    return value


def _add(values: dict[str, Any], name: str, value: Any) -> None:
    """Make what is there under the name and the value a list."""
    if isinstance(values[name], list):
        values[name].append(value)
    else:
        values[name] = [values[name], value]


def _local(name: str) -> str:
    return name.rpartition("}")[2] if name[0] == "{" else name


def write_packet(values: dict[str, Any]) -> bytes:
    """The fields as a packet. Raises DecodeError for what XML cannot hold."""
    namespace = f"http://www.ivoa.net/xml/VOEvent/v{values['version']}"
    try:
        root = etree.Element(f"{{{namespace}}}VOEvent", nsmap={"voe": namespace, "xsi": _XSI})
        root.set(
            f"{{{_XSI}}}schemaLocation",
            f"{namespace} {namespace.rsplit('/', 1)[0]}/VOEvent-v{values['version']}.xsd",
        )
        for name in ("ivorn", "role", "version"):
            root.set(name, str(values[name]))
    except ValueError as exc:
        raise ValueError(
            f"VOEvent: ivorn, role or version cannot be written as XML: {exc}"
        ) from exc
    for name in SECTIONS:
        if values[name] != {}:
            _write(root, name, values[name], name)
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)


def _write(parent: etree._Element, name: str, value: Any, path: str) -> None:
    if isinstance(value, list):
        for number, item in enumerate(value, 1):
            if isinstance(item, list):
                raise ValueError(
                    f"VOEvent: {path}[{number}] is a list in a list, which XML has no form for"
                )
            _write(parent, name, item, f"{path}[{number}]")
        return
    try:
        element = etree.SubElement(parent, name)
        if not isinstance(value, dict):
            element.text = None if value is None else _text(value)
            return
        inner = value
        # The one place where the schema wants an order: a description follows the events that are cited.
        if name == "Citations" and "Description" in value:
            inner = {
                **{key: item for key, item in value.items() if key != "Description"},
                "Description": value["Description"],
            }
        for key, item in inner.items():
            if key == "#text":
                element.text = _text(item)
            elif _is_attribute(name, key, item):
                element.set(key, _text(item))
    except ValueError as exc:
        raise ValueError(f"VOEvent: {path} cannot be written as XML: {exc}") from exc
    for key, item in inner.items():
        if key != "#text" and not _is_attribute(name, key, item):
            _write(element, key, item, f"{path}/{key}")


def _is_attribute(parent: str, key: str, value: Any) -> bool:
    """In VOEvent, attributes have lower-case names and elements do not, except for those of an Author."""
    return (
        key[:1].islower()
        and parent != "Author"
        and value is not None
        and not isinstance(value, (dict, list))
    )


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
