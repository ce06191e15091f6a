"""The distributions as users install them: wheels and sdists in fresh environments."""

from __future__ import annotations

import subprocess
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from installing import DISTRIBUTIONS, Environment, clean_environment, run

Fresh = Callable[..., Environment]

MODULES = [
    "hop.auth",
    "hop.cli",
    "hop.configure",
    "hop.io",
    "hop.list_topics",
    "hop.models",
    "hop.plugins",
    "hop.publish",
    "hop.robust_publisher",
    "hop.subscribe",
    "hop.version",
]
EVERYTHING = f"import importlib\nfor name in {MODULES}: importlib.import_module(name)\n"
PIECES = [name for name in DISTRIBUTIONS if name not in {"hop-client", "hop-sandbox"}]


def stem(name: str) -> str:
    return name.replace("-", "_") + "-1.0.0"


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_a_wheel_and_an_sdist_with_what_belongs_to_them(built: Path, name: str) -> None:
    with zipfile.ZipFile(built / f"{stem(name)}-py3-none-any.whl") as wheel:
        packed = set(wheel.namelist())
        metadata = wheel.read(f"{stem(name)}.dist-info/METADATA").decode()
    assert any(entry.endswith("/py.typed") for entry in packed)
    assert f"{stem(name)}.dist-info/licenses/LICENSE" in packed
    assert ("hop/__init__.py" in packed) == (name == "hop-client")
    assert "License-Expression: BSD-3-Clause" in metadata
    assert "Requires-Python: >=3.10" in metadata
    with tarfile.open(built / f"{stem(name)}.tar.gz") as sdist:
        files = set(sdist.getnames())
    for entry in ("LICENSE", "README.md", "CHANGELOG.md", "pyproject.toml", "tests"):
        assert any(file.startswith(f"{stem(name)}/{entry}") for file in files), entry


def test_every_leaf_but_the_plugins_is_a_package_and_typed(built: Path) -> None:
    # pip removes the flat modules of an older hop-client last: a leaf in their place would vanish.
    leaves: dict[str, set[str]] = {}
    for name in DISTRIBUTIONS:
        with zipfile.ZipFile(built / f"{stem(name)}-py3-none-any.whl") as wheel:
            for entry in wheel.namelist():
                parts = entry.split("/")
                if parts[0] == "hop":
                    leaves.setdefault(parts[1], set()).add("/".join(parts[2:]))
    flat = {leaf for leaf, entries in leaves.items() if entries == {""}}
    assert flat == {"__init__.py", "__main__.py", "plugins.py", "py.typed"}
    for leaf in leaves.keys() - flat:
        assert {"__init__.py", "py.typed"} <= leaves[leaf], leaf


def test_hop_models_alone_brings_lxml_and_fastavro_and_nothing_more(fresh: Fresh) -> None:
    alone = fresh()
    alone.install("hop-models")
    assert alone.names() == {"hop-models", "lxml", "fastavro"}
    assert alone.eval("import hop.models; print(hop.models.JSONBlob([1]).content)") == "[1]"
    assert alone.fails("import hop.io") == "ModuleNotFoundError: No module named 'hop.io'"


def test_hop_auth_alone_brings_tomli_and_tomli_w(fresh: Fresh) -> None:
    alone = fresh()
    alone.install("hop-auth")
    assert alone.names() == {"hop-auth", "tomli", "tomli-w"}
    assert alone.eval("from hop.auth import Auth; print(Auth('a', 'b').username)") == "a"
    assert alone.fails("import hop.models") == "ModuleNotFoundError: No module named 'hop.models'"


def test_the_meta_package_brings_all(fresh: Fresh) -> None:
    whole = fresh()
    whole.install("hop-client")
    assert {*PIECES, "hop-client", "confluent-kafka"} <= whole.names()
    assert "hop-sandbox" not in whole.names()
    whole.eval(EVERYTHING)
    # As other people's programs do it: one import, then attributes.
    program = (
        "import hop\n"
        "from hop import Stream, stream, subscribe\n"
        f"for name in {[name.removeprefix('hop.') for name in MODULES]}:\n"
        "    assert getattr(hop, name).__name__ == 'hop.' + name, name\n"
        "assert callable(hop.list_topics.list_topics)\n"
        "assert isinstance(stream, Stream)\n"
        "assert subscribe.__name__ == 'hop.subscribe'\n"
        "print(hop.__version__)\n"
    )
    assert whole.eval(program) == "1.0.0"
    for command in ([whole.hop], [whole.python, "-m", "hop"], [whole.python, "-m", "hop.cli"]):
        assert "hop-models==1.0.0" in run(*command, "version").stdout


def test_a_sandbox_that_is_not_installed_is_explained(fresh: Fresh) -> None:
    whole = fresh()
    whole.install("hop-client")
    result = subprocess.run(
        [whole.hop, "sandbox", "--topic", "gcn"],
        capture_output=True,
        text=True,
        env=clean_environment(),
    )
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr == (
        "hop: cannot run a broker: hop-sandbox is not installed; "
        "install it with: pip install 'hop-client[sandbox]'\n"
    )
    whole.install("hop-client[sandbox]")
    assert "--topic" in run(whole.hop, "sandbox", "--help").stdout


@pytest.mark.parametrize("installer", ["pip", "uv"])
def test_upgrading_the_published_client_leaves_everything_ours(
    fresh: Fresh, built: Path, installer: str
) -> None:
    environment = fresh("--seed")
    environment.install("hop-client==0.13.0", "six")
    assert environment.eval("import hop.io; print(hop.io.__file__)").endswith("/hop/io.py")
    if installer == "pip":
        pip = [environment.python, "-m", "pip", "install", "-q", "-U", "--find-links", built]
        run(*pip, "hop-client>=1")
    else:
        environment.install("-U", "hop-client>=1")
    environment.eval(EVERYTHING)
    assert environment.eval("import hop.io; print(hop.io.__file__)").endswith("/hop/io/__init__.py")
    assert environment.eval("import hop; print(hop.__version__)") == "1.0.0"
    # The program belongs to hop-cli, and the older hop-client takes its own away last.
    assert "publish" in run(environment.hop, "--help").stdout


def test_removing_and_installing_one_again_harms_no_other(fresh: Fresh) -> None:
    environment = fresh()
    environment.install("hop-client[sandbox]")
    for name in ["hop-client", "hop-sandbox", *PIECES]:
        environment.uninstall(name)
        others = environment.eval(
            "import importlib.util\n"
            f"print([m for m in {[*MODULES, 'hop.sandbox']} if importlib.util.find_spec(m)])"
        )
        gone = {
            "hop-client": set(),
            "hop-sandbox": {"hop.sandbox"},
            "hop-auth": {"hop.auth", "hop.configure"},
            "hop-cli": {
                "hop.cli",
                "hop.list_topics",
                "hop.publish",
                "hop.subscribe",
                "hop.version",
            },
            "hop-io": {"hop.io"},
            "hop-models": {"hop.models", "hop.plugins"},
            "hop-robust": {"hop.robust_publisher"},
        }[name]
        assert set(eval(others)) == {*MODULES, "hop.sandbox"} - gone, name
        environment.install(name)
        environment.eval(EVERYTHING)


@pytest.mark.parametrize("editable", ["hop-models", "hop-io", "hop-client"])
def test_editable_and_wheel_installs_mix(fresh: Fresh, editable: str) -> None:
    environment = fresh()
    environment.install("-e", DISTRIBUTIONS[editable], "hop-client[sandbox]")
    environment.eval(EVERYTHING + "import hop.sandbox\nfrom hop import stream")
    leaf = {"hop-models": "hop.models", "hop-io": "hop.io", "hop-client": "hop"}[editable]
    where = environment.eval(f"import {leaf}; print({leaf}.__file__)")
    assert Path(where).is_relative_to(DISTRIBUTIONS[editable])
    other = "hop.auth"
    assert environment.eval(f"import {other}; print({other}.__file__)").startswith(
        str(environment.path)
    )


def test_a_model_is_the_same_class_alone_and_in_the_full_set(fresh: Fresh, tmp_path: Path) -> None:
    alone, whole = fresh(), fresh()
    alone.install("hop-models")
    whole.install("hop-client")
    pickled = tmp_path / "message"
    alone.eval(
        "import pickle, pathlib\nfrom hop.models import VOEvent\n"
        f"pathlib.Path({str(pickled)!r}).write_bytes(pickle.dumps(VOEvent(ivorn='ivo://x/y#1')))"
    )
    assert (
        whole.eval(
            "import pickle, pathlib, hop, hop.io, hop.models\n"
            f"message = pickle.loads(pathlib.Path({str(pickled)!r}).read_bytes())\n"
            "print(type(message) is hop.models.VOEvent is hop.io.Deserializer['VOEVENT'].value,"
            " message.ivorn)"
        )
        == "True ivo://x/y#1"
    )


def test_the_sdists_install(fresh: Fresh, built: Path) -> None:
    environment = fresh()
    environment.install(*sorted(built.glob("*.tar.gz")))
    environment.eval(EVERYTHING + "import hop.sandbox")
