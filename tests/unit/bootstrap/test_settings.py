"""Settings: what is wrong is told with file, line and column; files, environment and defaults in their order."""

from __future__ import annotations

from pathlib import Path

import pytest

from bulkhead.bootstrap import model, places, positions, root, settings
from bulkhead.core.errors import SettingsError


@pytest.fixture(autouse=True)
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("BULKHEAD_STATE", str(tmp_path / "state"))
    monkeypatch.delenv("BULKHEAD_SETTINGS", raising=False)


def written(tmp_path: Path, text: str, *, own: bool = False) -> Path:
    path = tmp_path / ("config/bulkhead/config.toml" if own else "bulkhead.toml")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def refused(tmp_path: Path) -> str:
    with pytest.raises(SettingsError) as caught:
        settings.load(tmp_path)
    return str(caught.value).replace(str(tmp_path) + "/", "")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a = 1\nb = \n", "bulkhead.toml:2:5: not TOML: invalid value"),
        ('a = "x', "bulkhead.toml:1:7: not TOML"),
        ("\n\n  fale_on = 'x'", "bulkhead.toml:3:3: fale_on: there is no such setting (is it 'fail_on'?)"),
        ("[serve]\naddres = 'x'", "bulkhead.toml:2:1: serve.addres: there is no such setting (is it 'address'?)"),
        ("serve.evry = 1", "bulkhead.toml:1:1: serve.evry: there is no such setting (is it 'every'?)"),
        ("serve = {every = 60, porrt = 1}", "bulkhead.toml:1:22: serve.porrt: there is no such setting (see"),
        ("[serve]\nevery = 'often'", "bulkhead.toml:2:9: serve.every: expected `int`, got `str`"),
        ("[serve]\nevery = -1", "bulkhead.toml:2:9: serve.every: expected `int` >= 0"),
        ("[serve]\nevery = 3", "bulkhead.toml:2:9: serve.every: a world is scanned every 10 seconds at most"),
        ("[serve]\nlog = 'xml'", "bulkhead.toml:2:7: serve.log: invalid enum value 'xml'"),
        ("[serve]\naddress = '127.0.0.1'", "bulkhead.toml:2:11: serve.address: '127.0.0.1' is no address with a port"),
        ("[serve]\naddress = 'example.com:80'", "bulkhead.toml:2:11: serve.address"),
        ("[serve]\naddress = '::1:80'", "bulkhead.toml:2:11: serve.address"),
        ("[serve]\naddress = '127.0.0.1:99999'", "bulkhead.toml:2:11: serve.address"),
        ("[serve]\ntls_key = 'k'", "bulkhead.toml:2:11: serve.tls_key: it needs tls_certificate"),
        ("[serve]\nhosts = ['a.b', 'http://c']", "bulkhead.toml:2:17: serve.hosts[1]: 'http://c' is no name"),
        ("fail_on = 'gigantic'", "bulkhead.toml:1:11: fail_on: no severity is called 'gigantic'"),
        ("tenant = ''", "bulkhead.toml:1:10: tenant: a tenant's name"),
        ("[rollout]\nshare = 101", "bulkhead.toml:2:9: rollout.share: it is 1 to 100"),
        (
            "[[rollout.windows]]\nstart='01:00'\n[[rollout.windows]]\ndays=['mon']\nstat='02:00'",
            "bulkhead.toml:5:1: rollout.windows[1].stat: there is no such setting",
        ),
        ("[[rollout.windows]]\n[[rollout.windows]]\nzone = 'Mars'", "bulkhead.toml:2:1: rollout.windows[1]: a window has"),
        ("[rollout]\nwindows = [\n  {start = 5}]", "bulkhead.toml:3:12: rollout.windows[0].start: expected `str`"),
        ("skip = 'x'", "bulkhead.toml:1:8: skip: expected `array`, got `str`"),
        ("[parameters]\na = 1", "bulkhead.toml:1:1: parameters: expected `object`, got `int`"),
        ("[store]\nurl = 'postgresql://db/x'", "bulkhead.toml:1:1: store: a folder's file may not set it"),
        ("docker_restart = ['reboot']", "bulkhead.toml:1:1: docker_restart: a folder's file may not set it"),
    ],
)  # fmt: skip
def test_what_is_wrong_has_a_place(tmp_path: Path, text: str, said: str) -> None:
    written(tmp_path, text)
    assert refused(tmp_path).startswith(said)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[store]\nurl = 'postgresql://ada:hunter2@db/x'", "config/bulkhead/config.toml:2:7: store.url: it holds a password"),
        ("[store]\nurl = 'postgresql://db/x?password=hunter2'", "config/bulkhead/config.toml:2:7: store.url: it holds a"),
        ("[store]\nurl = 'mysql://db/x'", "config/bulkhead/config.toml:2:7: store.url: no store has such an address"),
        ("[store]\nurl = 'postgresql://db/x'\nurl_file = 'f'", "config/bulkhead/config.toml:3:12: store.url_file: it is"),
    ],
)  # fmt: skip
def test_a_file_holds_no_password(tmp_path: Path, text: str, said: str) -> None:
    written(tmp_path, text, own=True)
    told = refused(tmp_path)
    assert told.startswith(said)
    assert "hunter2" not in told


def test_bytes_that_are_not_utf_8_have_a_place(tmp_path: Path) -> None:
    written(tmp_path, "").write_bytes(b"a = 1\nbb = '\xff'\n")
    assert refused(tmp_path) == "bulkhead.toml:2:7: not UTF-8"


def test_a_file_that_was_named_must_be_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BULKHEAD_SETTINGS", str(tmp_path / "gone.toml"))
    assert refused(tmp_path).startswith("gone.toml: no such file")


def test_the_order_of_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tables of several files are joined by name; the environment goes over all files."""
    written(tmp_path, "[serve]\nevery = 60\nlog = 'text'\nworlds = ['a']\n[store]\nurl = 'postgresql://db/x'", own=True)
    written(tmp_path, "[serve]\nevery = 90\nworlds = ['b', 'docker://', 'gcp-inventory:c.json']")
    loaded = settings.load(tmp_path)
    assert (loaded.serve.every, loaded.serve.log, loaded.store.url) == (90, "text", "postgresql://db/x")
    assert loaded.serve.worlds == (str(tmp_path / "b"), "docker://", f"gcp-inventory:{tmp_path / 'c.json'}"), (
        "a path in a file is relative to it"
    )
    named = tmp_path / "named.toml"
    named.write_text("docker_restart = ['service', 'docker', 'restart']\nserve.every = 120")
    monkeypatch.setenv("BULKHEAD_SETTINGS", str(named))
    assert settings.load(tmp_path).serve.every == 120
    monkeypatch.setenv("BULKHEAD_SERVE_EVERY", "0")
    monkeypatch.setenv("BULKHEAD_SERVE_WORLDS", "x,kubernetes://")
    monkeypatch.setenv("BULKHEAD_SERVE_METRICS_OPEN", "true")
    monkeypatch.setenv("BULKHEAD_ROLLOUT_CANARY", "7")
    loaded = settings.load(tmp_path)
    assert (loaded.serve.every, loaded.serve.worlds) == (0, ("x", "kubernetes://"))
    assert (loaded.serve.metrics_open, loaded.rollout.canary) == (True, 7)
    assert loaded.docker_restart == ("service", "docker", "restart")


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("BULKHEAD_SERVE_EVERY", "soon", "BULKHEAD_SERVE_EVERY: 'soon' is no whole number"),
        ("BULKHEAD_SERVE_EVERY", "3", "BULKHEAD_SERVE_EVERY: a world is scanned"),
        ("BULKHEAD_SERVE_LOG", "xml", "BULKHEAD_SERVE_LOG: Invalid enum value"),
        ("BULKHEAD_SERVE_METRICS_OPEN", "perhaps", "BULKHEAD_SERVE_METRICS_OPEN: 'perhaps' is neither true nor false"),
        ("BULKHEAD_SERVE_ADDRESS", "somewhere", "BULKHEAD_SERVE_ADDRESS: 'somewhere' is no address"),
        ("BULKHEAD_ROLLOUT_SHARE", "0", "BULKHEAD_ROLLOUT_SHARE: it is 1 to 100"),
        ("BULKHEAD_FAIL_ON", "huge", "BULKHEAD_FAIL_ON: no severity"),
        ("BULKHEAD_SERVE_TLS_KEY", "k.pem", "serve.tls_key: it needs tls_certificate"),
    ],
)
def test_a_wrong_variable_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str, value: str, said: str
) -> None:
    monkeypatch.setenv(variable, value)
    assert refused(tmp_path).startswith(said)


def test_every_scalar_has_a_variable_and_no_two_the_same() -> None:
    names = settings.variables()
    assert names["BULKHEAD_SERVE_ADDRESS"] == ("serve", "address")
    assert names["BULKHEAD_STORE_URL_FILE"] == ("store", "url_file")
    assert len(set(names.values())) == len(names)


@pytest.mark.parametrize(
    ("address", "parts"),
    [("127.0.0.1:8787", ("127.0.0.1", 8787)), ("localhost:1", ("127.0.0.1", 1)), ("[::1]:80", ("::1", 80)), ("0.0.0.0:0", ("0.0.0.0", 0))],
)  # fmt: skip
def test_addresses(address: str, parts: tuple[str, int]) -> None:
    assert model.Serve(address=address).listen() == parts


def test_the_stores_address_comes_from_a_private_file(tmp_path: Path) -> None:
    secret = tmp_path / "address"
    secret.write_text("postgresql://ada:hunter2@127.0.0.1:1/x\n")
    secret.chmod(0o644)
    written(tmp_path, "[store]\nurl_file = '../../address'", own=True)
    with root.open_root(tmp_path) as opened, pytest.raises(SettingsError, match="open to others"):
        _ = opened.journal
    secret.chmod(0o600)
    secret.write_text("something else")
    with root.open_root(tmp_path) as opened, pytest.raises(SettingsError, match="holds no address"):
        _ = opened.journal
    assert places.state() == tmp_path / "state"


def test_places_in_a_text() -> None:
    text = 'a = 1\n[b."c d"]\ne.f = [1, {g = """\n]"""}] # x = 1\n'
    assert positions.find(text, ("a",)) == (1, 1)
    assert positions.find(text, ("a",), value=True) == (1, 5)
    assert positions.find(text, ("b", "c d", "e", "f", 1, "g")) == (3, 12)
    assert positions.find(text, ("b", "c d", "nothing")) == (2, 1), "the nearest thing above it"
    assert positions.find(text, ("nothing",)) == (0, 0)
    deep = "a = " + "[" * 300 + "]" * 300 + "\nb = 2"
    assert positions.find(deep, ("b",)) == (2, 1)
    for broken in ("[", "[[a", "a", "a = [", "a = {b", '"', "= 1", "a = '", "[a]]", "\x00", "a = [}"):
        list(positions.places(broken))


def test_a_pair_may_come_from_two_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written(tmp_path, "[serve]\ntls_certificate = 'c.pem'", own=True)
    monkeypatch.setenv("BULKHEAD_SERVE_TLS_KEY", "k.pem")
    assert settings.load(tmp_path).serve.tls == (str(tmp_path / "config/bulkhead/c.pem"), "k.pem")
