"""All start or none; jobs come back; what is under way has its time."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import ssl
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from bulkhead.core.errors import SettingsError, SourceError
from bulkhead.server.faces import Face, Job, Listen
from bulkhead.server.supervisor import Supervisor
from tests.unit.server.serving import ANY, Heard, asgi, certificate, echo, get, hello, serve, web


def test_all_kinds_answer(tmp_path: Path) -> None:
    """Pages, a raw protocol and a service of its own, over TCP and Unix sockets, under one supervisor."""

    class Service:
        """As gRPC would be: it accepts by itself."""

        async def start(self, sockets: tuple[socket.socket, ...], tls: ssl.SSLContext | None) -> None:
            async def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                writer.write(b"service")
                writer.close()

            self.server = await asyncio.start_server(greet, sock=sockets[0], ssl=tls)

        async def stop(self) -> None:
            self.server.close()
            await self.server.wait_closed()

    path = Listen(path=str(tmp_path / "s"), mode=0o620)
    faces = [web(), echo(), web("local", path), Face(name="service", listen=(ANY,), kind=Service())]

    async def use(supervisor: Supervisor) -> None:
        assert (await get(supervisor)).endswith(b"hello")
        assert (await get(supervisor, "local")).endswith(b"hello")
        assert await get(supervisor, "service", head=b"") == b"service"
        assert os.stat(path.path).st_mode & 0o777 == 0o620
        listen = supervisor.addresses["echo"][0]
        reader, writer = await asyncio.open_connection(listen.host, listen.port)
        writer.write(b"x")
        assert await reader.read(1) == b"x"
        writer.close()

    heard = Heard()
    assert serve(faces, use, heard=heard)
    assert heard.events().count("listening") == 4
    assert not Path(path.path).exists()


def test_all_or_none() -> None:
    """An address that is taken is named with the reason, and no other face was ever to be reached."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            first = free.getsockname()[1]

        async def use(_: Supervisor) -> None:
            raise AssertionError("it started")

        heard = Heard()
        faces = [echo("a", Listen(host="127.0.0.1", port=first)), echo("b", Listen(host="127.0.0.1", port=port))]
        with pytest.raises(SettingsError, match=f"127.0.0.1:{port}: b cannot listen there: address already in use"):
            serve(faces, use, heard=heard)
        assert heard.events() == []
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", first)) != 0


@pytest.mark.parametrize("what", ["a live socket", "a file", "no folder", "an unknown user"])
def test_a_unix_socket_that_cannot_be_had(tmp_path: Path, what: str) -> None:
    path, user = tmp_path / "s", ""
    said = {"a live socket": "somebody does already", "a file": "a file stands in the way", "no folder": "no such file", "an unknown user": "there is no user 'nobody-here'"}  # fmt: skip

    async def use(_: Supervisor) -> None:
        raise AssertionError("it started")

    with socket.socket(socket.AF_UNIX) as other:
        if what == "a live socket":
            other.bind(str(path))
            other.listen()
        elif what == "a file":
            path.write_text("precious")
        elif what == "no folder":
            path = tmp_path / "nowhere" / "s"
        else:
            user = "nobody-here"
        with pytest.raises(SettingsError, match=said[what]):
            serve([echo(listen=Listen(path=str(path)), user=user)], use)
    if what == "a file":
        assert path.read_text() == "precious"


def test_a_socket_that_was_left_behind_is_taken_away(tmp_path: Path) -> None:
    path = tmp_path / "s"
    with socket.socket(socket.AF_UNIX) as old:
        old.bind(str(path))

    async def use(supervisor: Supervisor) -> None:
        assert (await get(supervisor)).endswith(b"hello")

    assert serve([web(listen=Listen(path=str(path)))], use)


def test_a_face_whose_lifespan_fails_stops_all() -> None:
    async def broken(scope: dict[str, Any], receive: Any, send: Any) -> None:
        raise ZeroDivisionError

    async def use(_: Supervisor) -> None:
        raise AssertionError("it started")

    with pytest.raises(SourceError, match="web: the face does not come up"):
        serve([echo(), web(application=broken)], use)


def test_a_job_that_fails_comes_back() -> None:
    tries = 0
    well = asyncio.Event()

    async def work(stop: asyncio.Event) -> None:
        nonlocal tries
        tries += 1
        if tries == 1:
            raise SourceError("the engine is away", where="docker")
        if tries == 2:
            raise KeyError("a fault of ours")
        well.set()
        await stop.wait()

    async def use(supervisor: Supervisor) -> None:
        await well.wait()
        assert supervisor.restarts["work"] == 2
        assert "KeyError" in supervisor.jobs["work"], "until it ran for a while it is not well"

    heard = Heard()
    assert serve([web()], use, jobs=(Job(name="work", run=work),), heard=heard)
    failed = [line for line in heard.lines if line["event"] == "job failed"]
    assert [line["reason"] for line in failed] == ["docker: the engine is away", "KeyError: 'a fault of ours'"]
    assert failed[0]["again_in"] < failed[1]["again_in"]


def test_a_job_that_is_done_stays_done_and_one_that_must_not_fail_ends_all() -> None:
    done = 0

    async def once(_: asyncio.Event) -> None:
        nonlocal done
        done += 1

    async def fatal(_: asyncio.Event) -> None:
        await asyncio.sleep(0.1)
        raise OSError("the disk went away")

    async def use(supervisor: Supervisor) -> None:
        while supervisor.state == "ready":  # noqa: ASYNC110 (it tells no event)
            await asyncio.sleep(0.01)

    jobs = (Job(name="once", run=once), Job(name="fatal", run=fatal, restart="never"))
    with pytest.raises(SourceError, match="fatal: the job ended: OSError: the disk went away"):
        serve([web()], use, jobs=jobs)
    assert done == 1


def test_what_is_under_way_is_answered_before_the_end() -> None:
    begun = asyncio.Event()

    async def slow(_: dict[str, Any]) -> bytes:
        begun.set()
        await asyncio.sleep(0.3)
        return b"whole"

    answers: list[bytes] = []

    async def use(supervisor: Supervisor) -> None:
        asked = asyncio.create_task(get(supervisor))
        await begun.wait()
        listen = supervisor.addresses["web"][0]
        supervisor.stop()
        await asyncio.sleep(0.2)
        with pytest.raises(OSError):
            await asyncio.open_connection(listen.host, listen.port)
        answers.append(await asked)

    assert serve([web(application=asgi(slow))], use)
    assert answers[0].endswith(b"whole")


@pytest.mark.parametrize("second", [False, True])
def test_who_takes_too_long_is_cut_off(second: bool) -> None:
    """When the time is over; at once on a second signal."""
    begun = asyncio.Event()

    async def stuck(_: dict[str, Any]) -> bytes:
        begun.set()
        await asyncio.sleep(60)
        return b""

    async def busy(stop: asyncio.Event) -> None:
        await asyncio.sleep(60)

    async def use(supervisor: Supervisor) -> None:
        asked = asyncio.create_task(get(supervisor))
        talking = asyncio.create_task(get(supervisor, "echo", head=b"x"))
        await begun.wait()
        os.kill(os.getpid(), signal.SIGTERM)
        if second:
            await asyncio.sleep(0.1)
            os.kill(os.getpid(), signal.SIGTERM)
        answers = await asyncio.gather(asked, talking, return_exceptions=True)
        assert not any(isinstance(answer, bytes) and b"200 OK" in answer for answer in answers)

    heard = Heard()
    faces = [web(application=asgi(stuck)), echo()]
    began = asyncio.run(clock())
    assert not serve(faces, use, drain=30 if second else 0.5, jobs=(Job(name="busy", run=busy),), heard=heard)
    assert asyncio.run(clock()) - began < 5
    cut = next(line for line in heard.lines if line["event"] == "cut off")
    assert cut["at_once"] is second


async def clock() -> float:
    return asyncio.get_running_loop().time()


def test_a_draining_stream_ends_after_its_answer() -> None:
    async def use(supervisor: Supervisor) -> None:
        listen = supervisor.addresses["echo"][0]
        reader, writer = await asyncio.open_connection(listen.host, listen.port)
        writer.write(b"1")
        assert await reader.read(1) == b"1"
        supervisor.stop()
        await asyncio.sleep(0.05)
        writer.write(b"2")
        assert await reader.read() == b"2"
        writer.close()

    assert serve([echo()], use)


def test_slow_heads_and_large_heads_are_not_waited_for() -> None:
    from bulkhead.server.faces import Asgi

    face = Face(name="web", listen=(ANY,), kind=Asgi(application=asgi(hello), patience_seconds=0.3))

    async def use(supervisor: Supervisor) -> None:
        listen = supervisor.addresses["web"][0]
        for said in (b"", b"GET / HTTP/1.1\r\nhost", b"GET / HTTP/1.1\r\nhost: x\r\n\r\nGET / HT"):
            reader, writer = await asyncio.open_connection(listen.host, listen.port)
            writer.write(said)
            async with asyncio.timeout(5):
                answer = b""
                with suppress(ConnectionError):
                    answer = await reader.read()
            assert answer.count(b"hello") == said.count(b"\r\n\r\n")
            writer.close()
        large = b"GET / HTTP/1.1\r\nhost: x\r\n" + b"x: " + b"y" * 200_000 + b"\r\n\r\n"
        refused = b" 400 "
        with suppress(ConnectionError):
            refused = (await get(supervisor, head=large))[:20]
        assert b" 400 " in refused

    assert serve([face], use)


def client(certificate: str, *, most: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3) -> ssl.SSLContext:
    made = ssl.create_default_context(cafile=certificate)
    made.maximum_version = most
    return made


def test_tls_for_both_kinds(tmp_path: Path) -> None:
    files = certificate(tmp_path)

    async def use(supervisor: Supervisor) -> None:
        trusting = client(files[0])
        assert (await get(supervisor, tls=trusting)).endswith(b"hello")
        assert (await get(supervisor, tls=client(files[0], most=ssl.TLSVersion.TLSv1_2))).endswith(b"hello")
        listen = supervisor.addresses["echo"][0]
        reader, writer = await asyncio.open_connection(
            listen.host, listen.port, ssl=trusting, server_hostname="localhost"
        )
        writer.write(b"x")
        assert await reader.read(1) == b"x"
        writer.close()
        old = client(files[0])
        with pytest.warns(DeprecationWarning, match="TLSv1_1"):
            old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
        old.set_ciphers("ALL:@SECLEVEL=0")
        with pytest.raises((ssl.SSLError, ConnectionError)):
            await get(supervisor, tls=old)
        weak = client(files[0], most=ssl.TLSVersion.TLSv1_2)
        weak.set_ciphers("AES128-SHA")
        with pytest.raises((ssl.SSLError, ConnectionError)):
            await get(supervisor, tls=weak)

    assert serve([web(tls=files), echo(tls=files)], use)


def test_a_renewed_certificate_is_taken_and_a_wrong_one_is_not(tmp_path: Path) -> None:
    files = certificate(tmp_path)
    heard = Heard()

    async def said(event: str) -> None:
        while event not in heard.events():  # noqa: ASYNC110 (a log tells no event)
            await asyncio.sleep(0.01)

    async def use(supervisor: Supervisor) -> None:
        assert (await get(supervisor, tls=client(files[0]))).endswith(b"hello")
        served = tmp_path / "tls.crt"
        before = served.read_text()
        served.write_text("half a certificate")
        await said("certificate not renewed")
        (tmp_path / "old").write_text(before)
        assert (await get(supervisor, tls=client(str(tmp_path / "old")))).endswith(b"hello"), "the old one stays"
        certificate(tmp_path, "renewed.example")
        await said("certificate renewed")
        assert (await get(supervisor, tls=client(files[0]))).endswith(b"hello")

    assert serve([web(tls=files)], use, heard=heard)
    assert heard.events().count("certificate not renewed") == 1, "told once, not every time it is looked at"


def test_a_wrong_certificate_starts_nothing(tmp_path: Path) -> None:
    files = certificate(tmp_path)
    other = certificate(tmp_path, stem="other")
    Path(files[0]).chmod(0o600)

    async def use(_: Supervisor) -> None:
        raise AssertionError("it started")

    for pair, said in (
        ((files[0], other[1]), "no certificate with its key"),
        ((files[0], files[0]), "no certificate with its key"),
        ((str(tmp_path / "gone"), files[1]), "gone: the certificate cannot be read: No such file"),
    ):
        with pytest.raises(SettingsError, match=said):
            serve([web(tls=pair)], use)
    Path(files[1]).chmod(0o644)
    with pytest.raises(SettingsError, match="open to everybody"):
        serve([web(tls=files)], use)
