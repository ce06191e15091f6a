"""The public names, pinned: a name that goes breaks programs, one that comes has to be meant."""

from __future__ import annotations

import inspect

import pytest

import hop.models
import hop.plugins


def test_names_of_hop_models() -> None:
    assert hop.models.__all__ == [
        "AvroBlob",
        "Blob",
        "DecodeError",
        "ExternalMessage",
        "GCNCircular",
        "GCNTextNotice",
        "JSONBlob",
        "MessageModel",
        "Position",
        "VOEvent",
        "ValidationError",
        "decode",
        "format_name",
        "is_test",
        "limits",
        "message_models",
    ]
    assert set(hop.models.__all__) <= set(dir(hop.models))
    for name in hop.models.__all__:
        assert getattr(hop.models, name) is not None


def test_names_of_hop_plugins() -> None:
    assert hop.plugins.__all__ == ["get_models", "register"]


def test_a_name_that_does_not_exist_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match=r"module 'hop\.models' has no attribute 'Nonsense'"):
        hop.models.Nonsense  # noqa: B018


@pytest.mark.parametrize(
    ("model", "signature"),
    [
        ("AvroBlob", "(content, schema=None, *, single_record=False)"),
        ("Blob", "(content, declared_format=None, reason=None)"),
        ("ExternalMessage", "(url, reason=None)"),
        ("GCNCircular", "(header, body)"),
        ("GCNTextNotice", "(raw)"),
        ("JSONBlob", "(content)"),
    ],
)
def test_how_models_are_made(model: str, signature: str) -> None:
    shown = inspect.signature(getattr(hop.models, model))
    bare = [
        parameter.replace(annotation=inspect.Parameter.empty)
        for parameter in shown.parameters.values()
    ]
    assert str(inspect.Signature(bare)) == signature


def test_how_a_voevent_is_made() -> None:
    assert [*inspect.signature(hop.models.VOEvent).parameters] == [
        *(
            "ivorn",
            "role",
            "version",
            "Who",
            "What",
            "WhereWhen",
            "How",
            "Why",
            "Citations",
            "Description",
            "Reference",
        )
    ]
    assert hop.models.VOEvent("ivo://a/b#c") == hop.models.VOEvent(
        "ivo://a/b#c", "observation", "2.0", {}, {}, {}
    )
