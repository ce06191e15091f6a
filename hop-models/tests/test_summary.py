"""One line for logs and lists, in which nothing is overlooked."""

from __future__ import annotations

from typing import Any

import pytest

from hop.models import (
    AvroBlob,
    Blob,
    ExternalMessage,
    GCNCircular,
    GCNTextNotice,
    JSONBlob,
    MessageModel,
    VOEvent,
)


def _event(ivorn: str = "ivo://a/b#S230518h-1", **sections: Any) -> VOEvent:
    return VOEvent(ivorn, **sections)


def _params(**values: str) -> dict[str, Any]:
    return {"Param": [{"name": name, "value": value} for name, value in values.items()]}


WHERE = {
    "ObsDataLocation": {
        "ObservationLocation": {
            "AstroCoordSystem": {"id": "UTC-FK5-GEO"},
            "AstroCoords": {
                "Time": {"TimeInstant": {"ISOTime": "2026-01-02T03:04:05.6"}},
                "Position2D": {"Value2": {"C1": "12.5", "C2": "3"}, "Error2Radius": "0.5"},
            },
        }
    }
}


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (
            _event(WhereWhen=WHERE),
            "voevent: ivo://a/b#S230518h-1 at 2026-01-02T03:04:05 ra 12.5 dec +3",
        ),
        (_event(role="utility"), "voevent: ivo://a/b#S230518h-1 utility"),
        (
            GCNCircular({"number": "5", "subject": "GRB 260101A: limits"}, "body"),
            "circular: 5 GRB 260101A: limits",
        ),
        (GCNCircular({}, "only\na body"), "circular: only a body"),
        (
            GCNTextNotice("NOTICE_TYPE: Burst\nTRIGGER_NUM: 5\nRA: 1"),
            "gcntextnotice: Burst, 5",
        ),
        (GCNTextNotice("RA: 1\nDEC: 2"), "gcntextnotice: RA: 1 DEC: 2"),
        (
            JSONBlob({"superevent_id": "S230518h", "alert_type": "INITIAL"}),
            "json: S230518h INITIAL",
        ),
        (JSONBlob([1, 2]), "json: [1, 2]"),
        (AvroBlob([{"superevent_id": "S230518h"}]), "avro: 1 record: S230518h"),
        (AvroBlob([]), "avro: 0 records"),
        (AvroBlob([1, 2]), "avro: 2 records: 1"),
        (Blob(b"some\x00text"), "blob: 9 bytes: some text"),
        (Blob(b"x", "voevent", "because"), "blob: 1 bytes that are not voevent: because"),
        (ExternalMessage("https://example.org"), "external: https://example.org"),
    ],
)
def test_it_says_what_the_message_is(message: MessageModel, expected: str) -> None:
    assert message.summary() == expected
    assert message.summary(test=True) == f"[TEST] {expected}"


@pytest.mark.parametrize(
    ("message", "marks"),
    [
        (_event(role="test"), "[TEST]"),
        (_event("ivo://gwnet/LVC#MS181101ab-1-Preliminary"), "[MOCK]"),
        (_event("ivo://gwnet/LVC#TS181101ab-1-Preliminary"), "[TEST]"),
        (_event("ivo://a/b#1", What=_params(GraceID="MS181101ab")), "[MOCK]"),
        (_event(What=_params(HardwareInj="1")), "[MOCK]"),
        (_event(What=_params(AlertType="Retraction")), "[RETRACTION]"),
        (_event(What={"Group": {"name": "g", **_params(Test_Submission="true")}}), "[TEST]"),
        (_event(Citations={"EventIVORN": {"cite": "retraction", "#text": "x"}}), "[RETRACTION]"),
        (
            _event(Citations={"EventIVORN": [{"cite": "followup"}, {"cite": "retraction"}]}),
            "[RETRACTION]",
        ),
        (
            _event("ivo://gwnet/LVC#MS181101ab-2-Retraction", role="test"),
            "[TEST] [MOCK] [RETRACTION]",
        ),
        (
            GCNCircular({"subject": "GRB 260101A: retraction of the counterpart"}, ""),
            "[RETRACTION]",
        ),
        (GCNCircular({"subject": "LVK MS181101ab: mock"}, ""), "[MOCK]"),
        (GCNCircular({"subject": "Test circular"}, ""), "[TEST]"),
        (GCNTextNotice("NOTICE_TYPE: LVC Retraction"), "[RETRACTION]"),
        (GCNTextNotice("NOTICE_TYPE: Burst TEST Position"), "[TEST]"),
        (GCNTextNotice("NOTICE_TYPE: LVC Update\nTRIGGER_NUM: MS181101ab"), "[MOCK]"),
        (
            JSONBlob({"alert_type": "RETRACTION", "superevent_id": "MS181101ab"}),
            "[RETRACTION] [MOCK]",
        ),
        (JSONBlob({"alert_type": "initial", "alert_tense": "test"}), "[TEST]"),
        (JSONBlob({"alert_tense": "injection"}), "[MOCK]"),
        (AvroBlob([{"superevent_id": "MS181101ab"}]), "[MOCK]"),
        (AvroBlob([{"alert_type": "update"}, {"alert_type": "RETRACTION"}]), "[RETRACTION]"),
        (JSONBlob({"id": ["x", "TS181101ab"]}), "[TEST]"),
    ],
)
def test_tests_mock_events_and_retractions_are_marked(message: MessageModel, marks: str) -> None:
    assert message.summary().startswith(f"{marks} ")


@pytest.mark.parametrize(
    "message",
    [
        _event(),
        _event(What=_params(HardwareInj="0", AlertType="Preliminary", Test_Submission="false")),
        _event(Citations={"EventIVORN": {"cite": "followup"}}),
        GCNCircular(
            {"subject": "LIGO/Virgo S200129m: Not observable; latest results"}, "retraction test"
        ),
        GCNTextNotice("NOTICE_TYPE: Burst Position\nCOMMENTS: no test\n"),
        JSONBlob({"alert_type": "initial", "alert_tense": "current", "superevent_id": "S230518h"}),
        JSONBlob({"text": "this is a test of a retraction"}),
    ],
)
def test_others_are_not_marked(message: MessageModel) -> None:
    assert "[" not in message.summary()


@pytest.mark.parametrize(
    "message",
    [
        _event("ivo://" + "x" * 10**6),
        GCNCircular({"subject": "one\ntwo\x1b[31m red " + "long " * 10**5}, ""),
        GCNTextNotice("A: " + "long " * 10**5),
        JSONBlob({"id": "long " * 10**5}),
        JSONBlob("line\u2028break " * 10**5),
        AvroBlob([b"x" * 10**6]),
        Blob(b"x" * 10**6),
        Blob(b"", "f" * 1000, "r" * 1000),
        ExternalMessage("https://" + "x" * 1000),
    ],
)
def test_it_is_one_line_of_at_most_120_characters(message: MessageModel) -> None:
    for summary in (message.summary(), message.summary(test=True)):
        assert summary.isprintable()
        assert 20 < len(summary) <= 120
        assert summary.endswith("…") or len(summary) < 120
