"""All faces and jobs of one process in one task group.

1. Every address of every face is bound and every certificate read before anything answers: all of it starts, or nothing does.
2. Jobs that fail are started again, each time later; health tells of it. A face that ends by itself ends the process.
3. On SIGTERM or SIGINT nothing new is accepted and what is under way has its time; then it is cut off. A second signal does
   not wait.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, Final

from bulkhead.core.errors import BulkheadError, SourceError
from bulkhead.server import sockets, tls
from bulkhead.server.faces import Face, Job, Listen
from bulkhead.server.logs import Log
from bulkhead.server.running import Running, running
from bulkhead.server.sockets import Bound
from bulkhead.server.tls import Certificate

_FIRST, _LONGEST = 0.5, 60.0
_WELL_SECONDS: Final = 30.0
"""A job that ran for so long is well again."""
_CUT_SECONDS: Final = 2.0


class Supervisor:
    """Runs faces and jobs.

    Attributes:
        state: ``starting``, ``ready`` (every address listens), ``stopping``.
        jobs: by name, why each is not well; empty when it is.
        restarts: by name, how often each was started again.
        addresses: by face, where it really listens.
    """

    def __init__(
        self, faces: Sequence[Face], jobs: Sequence[Job], log: Log, *, drain_seconds: float = 10.0,
        first_pause: float = _FIRST, look_seconds: float = tls.LOOK_SECONDS,
    ) -> None:  # fmt: skip
        self._faces, self._jobs, self._log = tuple(faces), tuple(jobs), log
        self._drain, self._first_pause, self._look = drain_seconds, first_pause, look_seconds
        self._stop = asyncio.Event()
        self._at_once = asyncio.Event()
        self._fault: BulkheadError | None = None
        self.state = "starting"
        self.jobs: dict[str, str] = {job.name: "" for job in jobs}
        self.restarts: dict[str, int] = {job.name: 0 for job in jobs}
        self.addresses: dict[str, tuple[Listen, ...]] = {}

    def stop(self) -> None:
        """Ask it to end; asked twice, it does not wait for anybody."""
        if self._stop.is_set():
            self._at_once.set()
        self._stop.set()

    async def run(self) -> bool:
        """Until asked to stop; whether everything that was under way came to its end.

        Raises:
            SettingsError: an address cannot be had, or a certificate cannot be taken; nothing was started.
            SourceError: a face did not come up, or ended by itself; or a job that must not fail did.
        """
        certificates = {face.name: Certificate(face.tls) for face in self._faces if face.tls is not None}
        bound = sockets.bind(self._faces)
        try:
            with self._signals():
                whole = await self._serve(bound, certificates)
        finally:
            for item in bound:
                item.close()
        self._log.info("stopped", whole=whole)
        if self._fault is not None:
            raise self._fault
        return whole

    async def _serve(self, bound: Sequence[Bound], certificates: dict[str, Certificate]) -> bool:
        async with asyncio.TaskGroup() as group:
            started: list[Running] = []
            for item in bound:
                kind = running(item.face, group.create_task)
                certificate = certificates.get(item.face.name)
                try:
                    await kind.start(tuple(item.sockets), certificate.context if certificate else None)
                except SourceError as error:
                    self._fault = error
                    self._stop.set()
                    break
                started.append(kind)
                self._tell(item)
            tasks = []
            if self._fault is None:
                tasks = [group.create_task(self._job(job), name=job.name) for job in self._jobs]
                tasks += [
                    group.create_task(certificate.renew(self._stop, self._log, every=self._look))
                    for certificate in certificates.values()
                ]
                for item, kind in zip(bound, started, strict=True):
                    group.create_task(self._watch(item.face, kind))
                if not self._stop.is_set():
                    self.state = "ready"
            await self._stop.wait()
            self.state = "stopping"
            return await self._end(started, tasks)

    def _tell(self, item: Bound) -> None:
        self.addresses[item.face.name] = item.addresses()
        for listen in item.addresses():
            self._log.info("listening", face=item.face.name, address=str(listen), tls=item.face.tls is not None)

    async def _watch(self, face: Face, kind: Running) -> None:
        await kind.ended()
        if not self._stop.is_set():
            self._fault = SourceError("the face ended by itself", where=face.name, hint="the log tells why")
            self._log.error("face ended", face=face.name)
            self._stop.set()

    async def _end(self, started: Sequence[Running], tasks: Sequence[asyncio.Task[None]]) -> bool:
        """Drain, then cut off; whether nothing had to be."""
        self._log.info("stopping", drain_seconds=self._drain)
        stops = [asyncio.ensure_future(kind.stop()) for kind in started]
        hurry = asyncio.ensure_future(self._at_once.wait())
        left: set[asyncio.Future[Any]] = {*stops, *tasks}
        until = asyncio.get_running_loop().time() + self._drain
        while left and not hurry.done():
            time = until - asyncio.get_running_loop().time()
            if time <= 0:
                break
            await asyncio.wait({*left, hurry}, timeout=time, return_when=asyncio.FIRST_COMPLETED)
            left = {task for task in left if not task.done()}
        hurry.cancel()
        if left:
            self._log.warning("cut off", faces=sum(not stop.done() for stop in stops), at_once=self._at_once.is_set())
            for kind in started:
                kind.cut()
            for task in tasks:
                task.cancel()
            await asyncio.wait(left, timeout=_CUT_SECONDS)
            for stop in stops:
                stop.cancel()
        return not left

    async def _job(self, job: Job) -> None:
        """Again and again, with a longer pause each time; health is told why."""
        loop = asyncio.get_running_loop()
        pause = self._first_pause
        while not self._stop.is_set():
            began = loop.time()
            well = loop.call_later(_WELL_SECONDS, self.jobs.__setitem__, job.name, "")
            fault = await self._once(job)
            well.cancel()
            if not fault:
                self.jobs[job.name] = ""
                if job.restart != "always":
                    return
            else:
                self.jobs[job.name] = fault
                if job.restart == "never":
                    self._fault = SourceError(f"the job ended: {fault}", where=job.name)
                    self._stop.set()
                    return
                if loop.time() - began >= _WELL_SECONDS:
                    pause = self._first_pause
                self._log.error("job failed", job=job.name, reason=fault, again_in=pause)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stop.wait(), pause)
                return
            pause = min(pause * 2, _LONGEST)
            self.restarts[job.name] += 1

    async def _once(self, job: Job) -> str:
        """Why it failed; empty when it returned. Whatever it raises is seen here, and nothing is caught by name."""
        task = asyncio.ensure_future(job.run(self._stop))
        try:
            await asyncio.wait({task})
        finally:
            task.cancel()
        if task.cancelled():
            return "it was cancelled"
        error = task.exception()
        if error is None:
            return ""
        return str(error) if isinstance(error, BulkheadError) else f"{type(error).__name__}: {error}"

    @contextmanager
    def _signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        taken = []
        for number in (signal.SIGTERM, signal.SIGINT):
            # Only the main thread may; elsewhere (a test) somebody calls ``stop``.
            with suppress(ValueError, RuntimeError):
                loop.add_signal_handler(number, self.stop)
                taken.append(number)
        try:
            yield
        finally:
            for number in taken:
                loop.remove_signal_handler(number)
