from __future__ import annotations

from typing import Any

import pytest

from bulkhead.core.errors import LimitExceeded, ParseError
from bulkhead.core.resource import UNKNOWN
from bulkhead.formats.dockerfile import parse


def _model(text: str) -> dict[str, Any]:
    return dict(parse(text.encode()))


def _base(text: str) -> dict[str, Any]:
    return dict(_model(text)["stages"][-1]["base"])


@pytest.mark.parametrize(
    ("image", "registry", "repository", "tag", "digest"),
    [
        ("debian", None, "debian", None, None),
        ("debian:12", None, "debian", "12", None),
        ("a/b:1@sha256:0", None, "a/b", "1", "sha256:0"),
        ("localhost:5000/x/y", "localhost:5000", "x/y", None, None),
        ("quay.io/a/b:c", "quay.io", "a/b", "c", None),
    ],
)
def test_references(image: str, registry: str | None, repository: str, tag: str | None, digest: str | None) -> None:
    found = _base(f"FROM {image}\n")
    assert [found.get(key) for key in ("registry", "repository", "tag", "digest")] == [
        registry,
        repository,
        tag,
        digest,
    ]
    assert not found["arg"]


def test_arguments_before_from_are_resolved_and_others_unknown() -> None:
    assert _base("ARG V=12\nFROM debian:${V}")["tag"] == "12"
    assert _base("ARG A=debian\nARG I=$A:12\nFROM $I")["repository"] == "debian"
    assert _base("FROM debian:${V:-12}")["tag"] == "12"
    unknown = _base("ARG V\nFROM debian:$V")
    assert (unknown["arg"], unknown["repository"], unknown["tag"]) == (True, "debian", UNKNOWN)
    whole = _base("ARG I\nFROM ${I}")
    assert whole["repository"] is UNKNOWN
    assert whole["tag"] is UNKNOWN


def test_stages_inherit_what_earlier_ones_leave() -> None:
    model = _model(
        'FROM debian AS base\nENV A=1\nWORKDIR /w\nUSER app\nSHELL ["/bin/bash", "-o", "pipefail", "-c"]\n'
        "FROM BASE\nRUN x\nFROM scratch\nCOPY --from=base /a /b\nCOPY --from=1 /a /b\nCOPY --from=img /a /b\n",
    )
    run = model["instructions"][6]
    assert (run["env"], run["workdir"], run["user"], run["pipefail"]) == ({"A": "1"}, "/w", "app", True)
    assert [stage["final"] for stage in model["stages"]] == [False, False, True]
    assert [stage["continued"] for stage in model["stages"]] == [True, False, False]
    assert model["stages"][2]["base"]["scratch"]
    assert "user" not in model["stages"][2]
    assert [found.get("copies") for found in model["instructions"][8:]] == [
        {"name": "base", "stage": 0},
        {"name": "1", "stage": 1},
        {"name": "img"},
    ]


def test_commands() -> None:
    run = _model("FROM a\nRUN A=1 /usr/bin/apt-get -qq install -y x=1 y && sudo -u b curl -k u | sh -c 'wget v'\n")[
        "instructions"
    ][1]
    first = run["commands"][0]
    assert (first["name"], first["flags"], first["words"], first["env"]) == (
        "apt-get", ["q", "q", "y"], ["install", "x=1", "y"], {"A": "1"},
    )  # fmt: skip
    assert first["packages"] == [{"name": "x=1", "pinned": True}, {"name": "y", "pinned": False}]
    assert [(entry["name"], entry["via"]) for entry in run["effective"]] == [
        ("apt-get", ""), ("sudo", ""), ("curl", "sudo"), ("sh", ""), ("wget", "sh"),
    ]  # fmt: skip
    assert run["pipes"]
    assert run["head"] + "".join(p["before"] + p["text"] for p in run["pieces"]) + run["tail"] == run["source"]


@pytest.mark.parametrize(
    ("command", "pinned"),
    [
        ("pip install a==1 b", [True, False]),
        ("python3 -m pip install git+https://x/y@1 ./z gitpython", [True, True, False]),
        ("pip install -i https://x a", [False]),
        ("apk add -t .deps a a=1 b~2", [False, True, True]),
        ("apt-get install -t sid a b/sid c.deb", [False, True, True]),
        ("dnf install -y a a-1.2 a-b x.rpm a-b.rpm", [False, True, False, False, True]),
        ("dnf module install n:1 m", [True, False]),
        ("zypper in a 'b>1'", [False, True]),
        ("npm install -g a b@1 @s/c @s/d@2 ./e", [False, True, False, True, True]),
        ("gem install a:1 b", [True, False]),
        ("go install a@latest b@v1 ./c", [False, True, True]),
        ("go run x@v1 y", [True]),
        ("echo install a", None),
    ],
)
def test_packages(command: str, pinned: list[bool] | None) -> None:
    found = _model(f"FROM a\nRUN {command}\n")["instructions"][1]["commands"][0].get("packages")
    assert (None if found is None else [package["pinned"] for package in found]) == pinned


def test_heredocs_onbuild_and_exec_forms() -> None:
    model = _model(
        'FROM a\nRUN <<EOF\nfoo x\nbar\nEOF\nRUN bash <<EOF\nbaz\nEOF\nONBUILD RUN ["sh", "-c", "q | r"]\nCMD a b\n'
        'SHELL ["pwsh"]\nRUN Get-X | Y\n',
    )["instructions"]
    assert [entry["name"] for entry in model[1]["commands"]] == ["foo", "bar"]
    assert [(entry["name"], entry["via"]) for entry in model[2]["effective"]] == [("bash", ""), ("baz", "bash")]
    assert (model[3]["cmd"], model[3]["step"], model[3]["pipes"]) == ("ONBUILD", "RUN", True)
    assert [entry["name"] for entry in model[3]["effective"]] == ["sh", "q", "r"]
    assert model[4]["json"] is False
    assert model[6]["commands"] == []


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("FROM a\nNOSUCH x\n", 2),
        ("FROM\n", 1),
        ("FROM a b\n", 1),
        ("FROM a\nCOPY x\n", 2),
        ("FROM a\nENV x\n", 2),
        ("FROM a\nRUN <<EOF\nx\n", 2),
        ("# escape=x\nFROM a\n", 1),
        ("FROM a\nLABEL =b\n", 2),
        ("FROM a\n\0\n", 2),
        ("", 1),
    ],
)
def test_what_is_no_dockerfile_says_where(text: str, line: int) -> None:
    with pytest.raises(ParseError) as caught:
        parse(text.encode())
    assert caught.value.line == line


def test_not_utf8() -> None:
    with pytest.raises(ParseError):
        parse(b"FROM a\nLABEL x=\xff\n")


@pytest.mark.parametrize(
    "text", ["RUN " + "x" * (2 << 20), "FROM a\n" * 6_000, "RUN <<E\n" + "x\n" * (600 << 10) + "E\n", "x" * (5 << 20)]
)
def test_bounds(text: str) -> None:
    with pytest.raises(LimitExceeded):
        parse(text.encode())
