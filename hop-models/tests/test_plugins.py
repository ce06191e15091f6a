"""Models of one's own: the documentation's donut, installed as a package is, and plugins that go wrong."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

# As in the documentation of 2022, section 1.5.3, with its two slips: `format_name` is annotated instead of assigned.
DONUT = """
from dataclasses import dataclass
import json
from hop import plugins
from hop.models import MessageModel, format_name

@dataclass
class Donut(MessageModel):
    category: str
    flavor: str
    has_filling: bool
    format_name: "donut" # optional
    @classmethod
    def load(cls, input_):
        # input_ is a file object
        if hasattr(input_, "read"):
            donut = json.load(input_)
        # serialized input_
        else:
            donut = json.loads(input_)
        # unpack the JSON dictionary and return the model
        return cls(**donut)

@plugins.register
def get_models():
    model_classes = [Donut]
    return {format_name(cls): cls for cls in model_classes}
"""
OTHER = DONUT.replace("Donut", "Bagel").replace('    format_name: "donut" # optional\n', "")


class Site:
    """A folder of installed packages, and Python programs that see it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def install(self, name: str, code: str, entry: str | None = None) -> None:
        """A distribution with one module and one entry point, as an installer leaves it."""
        module = name.replace("-", "_")
        (self.folder / f"{module}.py").write_text(code)
        info = self.folder / f"{module}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[hop_plugin]\n{name} = {entry or module}\n")

    def run(self, code: str) -> subprocess.CompletedProcess[str]:
        paths = [str(self.folder), *filter(None, [os.environ.get("PYTHONPATH")])]
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(paths)}
        return subprocess.run(
            [sys.executable, "-W", "error", "-c", dedent(code)],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    def warnings(self, code: str) -> list[str]:
        done = self.run(code)
        assert done.returncode == 0, done.stderr
        return done.stderr.splitlines()


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


READ_DONUT = """
    from hop.models import Blob, decode, message_models
    message = decode([("_format", b"donut")], b'{"category": "yeast", "flavor": "plain", "has_filling": false}')
    assert type(message).__name__ == "Donut", message
    assert (message.category, message.flavor, message.has_filling) == ("yeast", "plain", False)
    assert decode([("_format", b"another")], b"x").reason == "the format 'another' is not known here"
    assert {"voevent", "json", "donut"} <= set(message_models())
"""


def test_the_documented_donut(site: Site, tmp_path: Path) -> None:
    site.install("donut-plugin", DONUT)
    (tmp_path / "donut.json").write_text(
        '{"category": "cake", "flavor": "\u2603", "has_filling": true}', encoding="utf-8"
    )
    code = f"""
    from pathlib import Path
    from hop.models import decode, message_models
    Donut = message_models()["donut"]
    donut = Donut.load_file({str(tmp_path / "donut.json")!r})
    assert donut == Donut("cake", "\\u2603", True)
    assert Donut.load(b'{{"category": "cake", "flavor": "\\\\u2603", "has_filling": true}}') == donut
    serialized = donut.serialize()
    assert serialized["format"] == "donut"
    assert serialized["content"] == b'{{"category": "cake", "flavor": "\\\\u2603", "has_filling": true}}'
    assert decode([("_format", b"donut")], serialized["content"]) == donut
    assert decode(None, b'{{"format": "donut", "content": {{"category": "cake", "flavor": "x", "has_filling": true}}}}')
    assert "cake" in str(donut) and bytes(donut) == str(donut).encode()
    assert donut.summary().startswith("donut: category='cake', flavor=")
    assert donut.to_json_object()["content"] == {{"category": "cake", "flavor": "\\u2603", "has_filling": True}}
    reason = decode([("_format", b"donut")], b'{{"category": "cake"}}').reason
    assert reason.startswith("Donut: ") and "flavor" in reason, reason
    """
    assert site.warnings(code) == []
    assert site.warnings(READ_DONUT) == []


def test_plugins_are_looked_for_only_when_one_may_be_meant(site: Site) -> None:
    site.install("donut-plugin", "print('imported')\n" + DONUT)
    code = """
    from hop.models import Blob, VOEvent, decode
    decode([("_format", b"json")], b"1"), decode(None, b"x"), decode([("_format", b"voevent")], b"<")
    print("before")
    decode([("_format", b"else")], b"1")
    decode([("_format", b"donut")], b"1")
    """
    done = site.run(code)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.split() == ["before", "imported"]


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("raise RuntimeError('no\\nluck')", "cannot be imported: RuntimeError: no luck"),
        ("import nonexistent_module", "cannot be imported: ModuleNotFoundError"),
        ("import sys; sys.exit(3)", "cannot be imported: SystemExit: 3"),
        ("this is no Python", "cannot be imported: SyntaxError"),
        ("", "registers no models"),
        ("def get_models(): return {}", "registers no models"),
        (
            "from hop.plugins import register\n@register\ndef f(): return None",
            "does not return a dictionary of models",
        ),
        ("from hop.plugins import register\n@register\ndef f(): 1/0", "ZeroDivisionError"),
        (
            "from hop.plugins import register\n@register\ndef f(): return {'a': 5}",
            "'a' is not a class derived from",
        ),
        (
            "from hop.plugins import register\n@register\ndef f(): return {'a': dict}",
            "'a' is not a class derived from",
        ),
        (
            "from hop.plugins import register\nfrom hop.models import Blob\n@register\ndef f(): return {5: Blob}",
            "5 is not the name of a format",
        ),
        (
            "from hop.plugins import register\nfrom hop.models import Blob\n@register\ndef f(): return {'JSON': Blob}",
            "'json' is a built-in format, which stays",
        ),
    ],
)
def test_a_bad_plugin_is_named_in_one_warning_and_takes_nothing_down(
    site: Site, code: str, words: str
) -> None:
    site.install("bad-plugin", code)
    site.install("donut-plugin", DONUT)
    warnings = site.warnings(
        READ_DONUT + "    assert decode([('_format', b'json')], b'1').content == 1\n"
    )
    assert len(warnings) == 1
    assert "bad-plugin" in warnings[0]
    assert words in warnings[0]


def test_what_is_good_of_a_bad_plugin_is_used(site: Site) -> None:
    site.install(
        "donut-plugin",
        DONUT.replace("for cls in model_classes}", "for cls in model_classes} | {'a': 5, 'b': 6}"),
    )
    warnings = site.warnings(READ_DONUT)
    assert len(warnings) == 1
    assert "'a' is not" in warnings[0]
    assert "'b' is not" in warnings[0]


def test_of_two_plugins_for_one_name_the_first_stays(site: Site) -> None:
    site.install("a-donut", DONUT)
    site.install("b-donut", DONUT)
    code = """
    from hop import plugins
    from hop.models import decode, message_models
    for number in range(3):
        owner = message_models()["donut"].__module__
        decode([("_format", b"nonsense")], b"x")
        # What comes later is looked at with all the others: they are not warned of again.
        plugins.register(type(f"Later{number}", (dict,), {}))
    print(owner, {"a_donut": "b-donut", "b_donut": "a-donut"}[owner])
    """
    done = site.run(code)
    assert done.returncode == 0, done.stderr
    _, other = done.stdout.split()
    assert len(done.stderr.splitlines()) == 1
    assert f"the plugin '{other}'" in done.stderr
    assert "'donut' is already a format of another plugin, which stays" in done.stderr


def test_two_plugins_for_two_names(site: Site) -> None:
    site.install("donut-plugin", DONUT)
    site.install("bagel-plugin", OTHER)
    assert site.warnings(READ_DONUT + "    assert 'bagel' in message_models()\n") == []


def test_an_entry_point_can_name_the_function(site: Site) -> None:
    site.install("donut-plugin", DONUT, entry="donut_plugin:get_models")
    assert site.warnings(READ_DONUT) == []
    site.install(
        "bagel-plugin", OTHER.replace("@plugins.register", ""), entry="bagel_plugin:get_models"
    )
    assert site.warnings(READ_DONUT + "    assert 'bagel' in message_models()\n") == []


def test_the_functions_module_may_be_another_of_its_package(site: Site) -> None:
    package = site.folder / "donuts"
    package.mkdir()
    (package / "__init__.py").write_text("from donuts import models")
    (package / "models.py").write_text(DONUT)
    site.install("donut-plugin", "", entry="donuts")
    assert site.warnings(READ_DONUT) == []
    assert site.warnings("import donuts\n" + dedent(READ_DONUT)) == []


def test_a_program_registers_models_of_its_own(site: Site) -> None:
    code = (
        DONUT
        + dedent(READ_DONUT)
        + dedent(
            """
        first = message_models()["donut"]
        class Donut(first):
            pass
        @plugins.register
        def get_models():
            return {"DONUT": Donut}
        assert message_models()["donut"] is Donut, "a notebook's cell run again replaces what it registered"
        assert plugins.get_models() == {"donut": Donut}
        """
        )
    )
    assert site.warnings(code) == []


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("format_name = 'pastry'", "pastry"),
        ("format_name: str = 'pastry'", "pastry"),
        ("format_name: str", "donut"),
        ("format_name: 'pastry'", "donut"),
        ("", "donut"),
    ],
)
def test_a_format_name_is_of_the_class_and_no_field(site: Site, line: str, name: str) -> None:
    code = DONUT.replace('format_name: "donut" # optional', line) + dedent(
        f"""
        from dataclasses import fields
        assert format_name(Donut) == {name!r}
        assert [field.name for field in fields(Donut)] == ["category", "flavor", "has_filling"]
        assert Donut("a", "b", True).serialize()["format"] == {name!r}
        """
    )
    assert site.warnings(code) == []


def test_a_model_with_its_own_serialization(site: Site) -> None:
    code = """
    from dataclasses import dataclass
    from hop import plugins
    from hop.models import MessageModel, decode, format_name

    @dataclass
    class Shout(MessageModel):
        text: str
        @classmethod
        def load(cls, input_):
            return cls(input_.read())
        def serialize(self):
            return {"format": format_name(Shout), "content": self.text.upper().encode()}
        @classmethod
        def deserialize(cls, data):
            return cls(data.decode())

    @plugins.register
    def models():
        return {format_name(Shout): Shout}

    assert decode([("_format", b"shout")], Shout("hello").serialize()["content"]) == Shout("HELLO")
    """
    assert site.warnings(code) == []


def test_a_model_needs_to_be_loadable(site: Site) -> None:
    code = """
    from dataclasses import dataclass
    from hop.models import MessageModel
    @dataclass
    class Useless(MessageModel):
        text: str
    Useless("x")
    """
    done = site.run(code)
    assert done.returncode == 1
    assert "Can't instantiate abstract class Useless" in done.stderr
