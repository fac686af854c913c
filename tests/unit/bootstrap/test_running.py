"""Work that is waited for: its result, its errors, and that nobody writes the result out."""

from __future__ import annotations

import pytest

from bulkhead.bootstrap.running import run


class _Large:
    def __repr__(self) -> str:
        raise AssertionError("the result was written out")


def test_the_result_comes_back_unwritten() -> None:
    made = _Large()

    async def work() -> _Large:
        return made

    assert run(work()) is made


def test_an_error_comes_back_as_it_is() -> None:
    async def work() -> None:
        raise KeyError("x")

    with pytest.raises(KeyError):
        run(work())
