"""The gate: what is kept, what is compared, what ends when."""

from __future__ import annotations

import hmac
from pathlib import Path

import pytest

from bulkhead.core.errors import SettingsError
from bulkhead.server import tokens
from bulkhead.server.tokens import Gate


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def gate(tmp_path: Path, clock: Clock) -> Gate:
    return Gate(tmp_path, clock=clock)


def test_the_token_is_made_once_and_kept_as_a_digest(tmp_path: Path) -> None:
    first = Gate(tmp_path)
    token = first.plain.read_text().strip()
    assert first.first
    assert len(token) >= 43, "32 random bytes"
    kept = tmp_path / tokens.DIGEST
    assert token not in kept.read_text()
    for path in (first.plain, kept):
        assert path.stat().st_mode & 0o777 == 0o600
    first.plain.unlink()
    again = Gate(tmp_path)
    assert not again.first
    assert again.good(token), "its owner may take the file away"
    assert not first.plain.exists()
    for wrong in ("", token[:-1], token + "x", kept.read_text().strip(), "x" * 100_000, "\udcff"):
        assert not again.good(wrong)


def test_a_digest_that_others_can_write_is_refused(tmp_path: Path) -> None:
    Gate(tmp_path)
    kept = tmp_path / tokens.DIGEST
    kept.chmod(0o660)
    with pytest.raises(SettingsError, match="not ours alone"):
        Gate(tmp_path)
    kept.chmod(0o600)
    kept.write_text("")
    with pytest.raises(SettingsError, match="damaged"):
        Gate(tmp_path)
    kept.unlink()
    kept.symlink_to(tmp_path / tokens.PLAIN)
    with pytest.raises(SettingsError, match="not ours alone"):
        Gate(tmp_path)


def test_comparing_takes_the_same_time(gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every comparison goes through ``compare_digest``, over digests of one length."""
    seen: list[tuple[int, int]] = []
    real = hmac.compare_digest

    def watched(one: str, other: str) -> bool:
        seen.append((len(one), len(other)))
        return real(one, other)

    monkeypatch.setattr(hmac, "compare_digest", watched)
    gate.good("x")
    tokens.same("a", "abc")
    assert seen == [(64, 64), (64, 64)]


def test_sessions_end(gate: Gate, clock: Clock) -> None:
    name = gate.sign_in()
    assert gate.session(name) is not None
    assert gate.session(name + "x") is gate.session("") is None
    clock.now += tokens.IDLE_SECONDS - 1
    assert gate.session(name) is not None, "used, so it goes on"
    clock.now += tokens.IDLE_SECONDS + 1
    assert gate.session(name) is None
    name = gate.sign_in()
    for _ in range(int(tokens.ABSOLUTE_SECONDS / 1800)):
        clock.now += 1800
        assert gate.session(name) is not None
    clock.now += 1
    assert gate.session(name) is None, "however busy, it ends"
    name = gate.sign_in()
    gate.sign_out(name)
    assert gate.session(name) is None


def test_the_number_of_sessions_is_bounded(gate: Gate, clock: Clock) -> None:
    names = []
    for _ in range(tokens.SESSIONS + 1):
        clock.now += 1
        names.append(gate.sign_in())
    assert gate.session(names[0]) is None, "the one that was not used for longest made room"
    assert all(gate.session(name) is not None for name in names[1:])
    assert len({gate.session(name).form for name in names[1:]}) == tokens.SESSIONS  # type: ignore[union-attr]  # looked at above


def test_a_ticket_is_good_once_and_for_a_while(gate: Gate, clock: Clock) -> None:
    ticket = gate.ticket()
    assert not gate.redeem("x")
    assert gate.redeem(ticket)
    assert not gate.redeem(ticket)
    late = gate.ticket()
    clock.now += tokens.TICKET_SECONDS + 1
    assert not gate.redeem(late)
    first = gate.ticket()
    for _ in range(tokens.SESSIONS):
        gate.ticket()
    assert not gate.redeem(first)


def test_wrong_guesses_are_bounded_by_peer(gate: Gate, clock: Clock) -> None:
    for _ in range(tokens.TRIES):
        assert gate.may_try("1.2.3.4")
        gate.guessed_wrong("1.2.3.4")
    assert not gate.may_try("1.2.3.4")
    assert gate.may_try("1.2.3.5")
    clock.now += tokens.WINDOW_SECONDS + 1
    assert gate.may_try("1.2.3.4")
    for number in range(5000):
        clock.now += 0.001
        gate.guessed_wrong(f"peer {number}")
    assert len(gate._wrong) <= 1024


def test_an_empty_word_is_never_the_same() -> None:
    assert not tokens.same("", "")
    assert tokens.same("a", "a")
