"""VOEvents written as XML, and checked against the official schema."""

from __future__ import annotations

import pickle
from typing import Any

import pytest
from lxml import etree

from hop.models import ValidationError, VOEvent

FULL = """\
<?xml version="1.0" encoding="UTF-8"?>
<voe:VOEvent xmlns:voe="http://www.ivoa.net/xml/VOEvent/v2.0" version="2.0" role="prediction" ivorn="ivo://a/b#c">
  <Who>
    <AuthorIVORN>ivo://a</AuthorIVORN>
    <Date>2026-01-01T00:00:00</Date>
    <Author>
      <title>T</title><shortName>S</shortName><logoURL>https://example.org/logo.png</logoURL>
      <contactName>Zoë</contactName><contactEmail>z@example.org</contactEmail><contactPhone>+1</contactPhone>
      <contributor>One</contributor><contributor>Two</contributor>
    </Author>
    <Description>d</Description>
    <Reference uri="https://example.org"/>
  </Who>
  <What>
    <Param/>
    <Param name="a" value=" spaces and&#10;lines " unit="" ucd="meta.id" dataType="int" utype="u"/>
    <Param name="b"><Value>long &lt;value&gt;</Value><Description>d</Description><Reference uri="u"/></Param>
    <Group name="g" type="t"><Param name="a" value="1"/><Description>d</Description><Reference uri="u"/></Group>
    <Group/>
    <Table name="t" type="t">
      <Description>d</Description><Reference uri="u"/><Param name="p"/>
      <Field name="f" ucd="u" unit="m" dataType="float" utype="u"><Description>d</Description></Field><Field/>
      <Data><TR><TD>1</TD><TD>2</TD></TR><TR><TD/><TD>4</TD></TR></Data>
    </Table>
    <Description>d</Description><Reference uri="u" type="t" mimetype="m" meaning="n"/>
  </What>
  <WhereWhen id="w">
    <ObsDataLocation>
      <ObservatoryLocation id="o">
        <AstroCoordSystem id="UTC-GEOD-TOPO"/>
        <AstroCoords coord_system_id="UTC-GEOD-TOPO">
          <Position3D unit="deg-deg-m">
            <Name1>lon</Name1><Name2>lat</Name2><Name3>h</Name3>
            <Value3><C1>1</C1><C2>2</C2><C3>3</C3></Value3>
          </Position3D>
        </AstroCoords>
      </ObservatoryLocation>
      <ObservationLocation>
        <AstroCoordSystem id="UTC-FK5-GEO"/>
        <AstroCoords coord_system_id="UTC-FK5-GEO">
          <Time unit="s">
            <TimeInstant><ISOTime>2026-01-01T00:00:00</ISOTime><TimeOffset>1</TimeOffset><TimeScale>s</TimeScale></TimeInstant>
            <Error>0.5</Error>
          </Time>
          <Position2D unit="deg">
            <Name1>RA</Name1><Name2>Dec</Name2><Value2><C1>1.5</C1><C2>-2</C2></Value2><Error2Radius>0.1</Error2Radius>
          </Position2D>
        </AstroCoords>
      </ObservationLocation>
    </ObsDataLocation>
    <Description>d</Description><Reference uri="u"/>
  </WhereWhen>
  <How><Description>one</Description><Reference uri="u"/><Description>two</Description></How>
  <Why importance="0.5" expires="2026-02-01T00:00:00">
    <Name>n</Name><Concept>c</Concept><Description>d</Description><Reference uri="u"/>
    <Inference probability="1" relation="r"><Name>n</Name><Concept>c</Concept><Reference uri="u"/></Inference>
  </Why>
  <Citations>
    <EventIVORN cite="followup">ivo://a/b#1</EventIVORN><EventIVORN cite="supersedes">ivo://a/b#2</EventIVORN>
    <EventIVORN cite="retraction">ivo://a/b#3</EventIVORN><EventIVORN>ivo://a/b#4</EventIVORN>
    <Description>d</Description>
  </Citations>
  <Description>the whole</Description>
  <Reference uri="https://example.org" type="url"/>
</voe:VOEvent>
"""


def test_everything_that_the_schema_has_comes_back() -> None:
    event = VOEvent.load(FULL)
    event.validate()
    written = VOEvent.load(event.to_xml())
    assert written == event
    written.validate()


def test_what_was_built_in_code_validates() -> None:
    event = VOEvent(
        "ivo://a/b#c",
        role="observation",
        Who={
            "Date": "2026-01-01T00:00:00",
            "Author": {"contactName": "Zoë", "contributor": ["A", "B"]},
        },
        What={
            "Param": [
                {"name": "n", "value": 1.5, "dataType": "float"},
                {"name": "flag", "value": True},
            ]
        },
        Citations={
            "Description": "first in the dictionary",
            "EventIVORN": {"cite": "followup", "#text": "ivo://x"},
        },
        Description="Ünïcode",  # type: ignore[arg-type]
    )
    event.validate()
    written = VOEvent.load(event.to_xml())
    assert written.params() == {
        "n": {"name": "n", "value": "1.5", "dataType": "float"},
        "flag": {"name": "flag", "value": "true"},
    }
    assert written.Who == event.Who
    assert written.Citations == event.Citations
    assert event.to_xml().startswith(b"<?xml version='1.0' encoding='UTF-8'?>\n<voe:VOEvent ")


def test_other_versions_have_their_own_namespace() -> None:
    for version in ("1.1", "2.0", "2.1"):
        event = VOEvent("ivo://a/b#c", version=version)
        root = etree.fromstring(event.to_xml())
        assert root.tag == f"{{http://www.ivoa.net/xml/VOEvent/v{version}}}VOEvent"
        assert VOEvent.load(event.to_xml()) == event


@pytest.mark.parametrize(
    ("sections", "place"),
    [
        ({"What": {"Param": [{"name": "a"}, {"name": "\0"}]}}, r"What/Param\[2\]"),
        ({"Description": "\x1b"}, "Description"),
        ({"What": {"not a name": {}}}, "What/not a name"),
        ({"What": {"Param": [["nested"]]}}, r"What/Param\[1\] is a list in a list"),
    ],
)
def test_what_xml_cannot_hold_is_a_value_error_that_says_where(
    sections: dict[str, Any], place: str
) -> None:
    with pytest.raises(ValueError, match=f"VOEvent: {place}"):
        VOEvent("ivo://a/b#c", **sections).to_xml()
    with pytest.raises(ValueError, match="ivorn, role or version cannot be written"):
        VOEvent("\0").to_xml()


@pytest.mark.parametrize(
    ("before", "after", "element"),
    [
        ('role="prediction"', 'role="guess"', "VOEvent"),
        ('ivorn="ivo://a/b#c"', 'ivorn="ivo://a/b#c" id="x"', "VOEvent"),
        ("<Date>2026-01-01T00:00:00</Date>", "<Date>yesterday</Date>", "VOEvent/Who/Date"),
        ("<title>T</title>", "<name>T</name>", "VOEvent/Who/Author/name"),
        ("<Group/>", "<Group><Group/></Group>", "VOEvent/What/Group[2]/Group"),
        ('dataType="int"', 'dataType="integer"', "VOEvent/What/Param[2]"),
        ("<C1>1.5</C1>", "<C1>east</C1>", "VOEvent/WhereWhen/ObsDataLocation/ObservationLocation"),
        (
            "<Error2Radius>0.1</Error2Radius>",
            "",
            "VOEvent/WhereWhen/ObsDataLocation/ObservationLocation",
        ),
        (
            '<AstroCoordSystem id="UTC-FK5-GEO"/>',
            '<AstroCoordSystem id="mine"/>',
            "VOEvent/WhereWhen",
        ),
        ('probability="1"', 'probability="1.1"', "VOEvent/Why/Inference"),
        ('cite="retraction"', 'cite="sorry"', "VOEvent/Citations/EventIVORN[3]"),
        ('<Reference uri="https://example.org" type="url"/>', "<Reference/>", "VOEvent/Reference"),
        ("<Description>the whole</Description>", "<Signature/>", "VOEvent/Signature"),
        (
            "<Citations>",
            "<Citations><Description>first</Description>",
            "VOEvent/Citations/Description",
        ),
    ],
)
def test_what_breaks_the_schema_is_named(before: str, after: str, element: str) -> None:
    assert before in FULL
    event = VOEvent.load(FULL.replace(before, after, 1))
    with pytest.raises(ValidationError, match=r"^not a valid VOEvent 2\.0: VOEvent") as caught:
        event.validate()
    assert caught.value.element.startswith(element)
    assert "\n" not in str(caught.value)
    assert caught.value.problems
    assert isinstance(caught.value, ValueError)


def test_all_problems_are_there() -> None:
    event = VOEvent("ivo://a/b#c", role="guess", Who={"Date": "yesterday"}, How={"Nothing": None})
    with pytest.raises(ValidationError, match=r"and \d more: see \.problems") as caught:
        event.validate()
    assert len(caught.value.problems) >= 3
    assert any(
        "VOEvent/Who/Date" in problem and "yesterday" in problem
        for problem in caught.value.problems
    )
    copy = pickle.loads(pickle.dumps(caught.value))
    assert (str(copy), copy.element, copy.problems) == (
        str(caught.value),
        caught.value.element,
        caught.value.problems,
    )


def test_very_many_problems_are_cut_short() -> None:
    event = VOEvent("ivo://a/b#c", What={"Param": [{"dataType": "nonsense"}] * 10_000})
    with pytest.raises(ValidationError) as caught:
        event.validate()
    assert 10 <= len(caught.value.problems) <= 100


def test_other_versions_are_not_valid_as_2_0() -> None:
    for version in ("1.1", "2.1"):
        with pytest.raises(ValidationError, match=f"version '{version}'"):
            VOEvent("ivo://a/b#c", version=version).validate()


def test_what_is_checked_is_what_was_loaded_until_it_is_changed() -> None:
    # The order of Citations is lost in the dictionary, and right when the packet is written anew.
    event = VOEvent.load(FULL.replace("<Citations>", "<Citations><Description>first</Description>"))
    event.Citations["Description"] = "only one"
    event.validate()
    event.role = "guess"
    with pytest.raises(ValidationError, match="guess"):
        event.validate()
