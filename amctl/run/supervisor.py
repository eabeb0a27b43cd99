"""`start`: brings everything up in order, waits for the end, and leaves nothing behind.

    folder, log -> workflow -> collector -> relay -> token file -> orchestrator -> nodes

Each part is pushed on one exit stack as it comes up, so that every way out (verified, gave up,
timeout, Ctrl-C, an error half-way) takes the same parts down in reverse. Only the workers go first
of all, while the relay still stands: they are told to dispose themselves.

A second Ctrl-C ends the process at once; what would outlive it (a browser, the token) is removed
by calls that don't wait.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any, TypeVar

from amctl.relay.errors import BindError, PortInUseError
from amctl.relay.forward import Forward
from amctl.relay.limits import Policy
from amctl.relay.relay import Relay
from amctl.rpc.errors import ExposedError
from amctl.rpc.transports.websocket import dial_websocket
from amctl.run.absence import all_gone, has_joined
from amctl.run.boot import boot_routes
from amctl.run.browser import OpenBrowser, launch, open_for_person, pick_mode
from amctl.run.errors import (
    AddressError,
    BrowserDiedError,
    ExposedAddressError,
    PortTakenError,
    RunError,
)
from amctl.run.events import events_routes
from amctl.run.folder import own_folder
from amctl.run.logs import BROWSER_LOG_FILE, begin_log, log_to
from amctl.run.recording import DUMP_FILE, Recording
from amctl.run.report import Report
from amctl.run.signals import Stopper, stop_on_signals
from amctl.run.spans.store import TRACES_FILE
from amctl.run.spans.tracing import RunTracing
from amctl.run.token import make_token, token_file
from amctl.run.workflow import LocalRunner, RelayInfo, load_workflow
from amctl.telemetry.snapshot import Link

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
    from pathlib import Path

    from starlette.routing import Route

    from amctl.rpc.transports.base import Connection
    from amctl.run.recording import Recorded
    from amctl.run.report import BrowserMode, Ending, Observer, StartOptions
    from amctl.run.settings import Settings
    from amctl.run.spans.tracing import Traced
    from amctl.run.workflow import Workflow

__all__ = ["Supervisor", "supervise"]

T = TypeVar("T")

log = logging.getLogger("amctl.run.supervisor")

GRACE = 2.0
"""Seconds that workers have to dispose themselves; AM_DEBUG doesn't change it."""
PATIENCE = 30.0
"""Seconds for the threads of a headless browser's page to come back, once all of them are gone."""
RESTARTS = 2
"""Times that a headless browser which died in mid-run is started again; its rounds count for
nothing, so the figures of a seed stay the same."""
RECORD_PATH = "/dbg"
"""Of the relay: leads to the collector."""
LAST_WORD = 0.3
"""Seconds for pages to take the last snapshot before the relay goes."""


async def supervise(
    settings: Settings,
    options: StartOptions,
    observer: Observer,
    manifest: Callable[[], dict[str, Any]],
) -> Report:
    """Run the workflow once, from its first part to the last one's end.

    Args:
        settings: What to run.
        options: How.
        observer: Told on the way.
        manifest: Of the built bundle, for the page.

    Raises:
        RunError: If a part can't be brought up, or the browser ended too early.
    """
    folder, am_log = settings.repl_dir, settings.get_int("AM_LOG")
    with (
        own_folder(folder, settings["REPL_DIR"]),
        log_to(folder, am_log=am_log, verbose=options.verbose) as log_path,
    ):
        return await Supervisor(settings, options, observer, manifest, log_path).run()


class Supervisor:
    """One run; see the module's text."""

    def __init__(
        self,
        settings: Settings,
        options: StartOptions,
        observer: Observer,
        manifest: Callable[[], dict[str, Any]],
        log_path: Path,
    ) -> None:
        self._settings, self._options, self._observer = settings, options, observer
        self._manifest, self._log_path = manifest, log_path
        self._token = make_token()
        self._mode = pick_mode(options.browser) if options.nodes == "browser" else "none"
        self._stopper = Stopper()
        self._browser: OpenBrowser | None = None
        self._local: LocalRunner | None = None
        self._recording: Recording | None = None
        self._record_door: Forward | None = None
        self._tracing: RunTracing | None = None
        self._is_watched = False
        self._ready_ms: int | None = None
        self._done_ms: int | None = None

    async def run(self) -> Report:
        """Bring up, wait, take down."""
        workflow = load_workflow(self._settings, token=self._token)
        self._observe(workflow)
        async with AsyncExitStack() as stack:
            stack.enter_context(stop_on_signals(self._stopper))
            self._stopper.at_hard_exit(self._observer.let_go)
            self._prepare_recording(workflow, stack)
            self._prepare_tracing(stack)
            relay = await self._serve(workflow, stack)
            self._record(workflow)
            self._trace(workflow)
            stack.push_async_callback(self._close_nodes)
            await stack.enter_async_context(_beside(self._observer.watch(workflow.recorder)))
            stack.callback(workflow.recorder.close)
            stack.push_async_callback(self._dismiss, workflow)
            with _last_words_of(workflow):
                await self._start_orchestrator(workflow, relay)
                await self._start_nodes(workflow, relay)
                ending = await self._until_end(workflow, relay)
            if ending in ("timeout", "interrupted"):
                workflow.recorder.finish("stopped", self._last_words(ending))
            snapshot, now_ms = workflow.recorder.snapshot(), self._elapsed()
            # asked here: a Ctrl-C may overtake the news of an end that came just before it
            outcome = workflow.outcome
        log.info("%s after %d ms", ending, now_ms)
        done_ms = now_ms if self._done_ms is None else self._done_ms
        recorded, traced = self._recorded(workflow), self._traced(workflow)
        return Report(ending, snapshot, self._ready_ms, done_ms, outcome, recorded, traced)

    # --- up

    async def _serve(self, workflow: Workflow, stack: AsyncExitStack) -> Relay:
        address = self._settings.get_address("RELAY_ADDR")
        relay = Relay(
            workflow.name,
            host=address.host,
            port=address.port,
            token=self._token,
            parent=workflow.machine,
            static=[self._settings.home / "web"],
            repl_dir=self._settings.repl_dir,
            policy=Policy(forced=self._settings.get_bool("RELAY_ALLOW_PLAIN")),
            matchers=workflow.matchers,
            routes=[
                *events_routes(workflow.recorder),
                *self._boot_routes(workflow),
                *([self._record_door.route] if self._record_door else ()),
                *([self._tracing.route] if self._tracing else ()),
            ],
        )
        try:
            await relay.start()
        except PortInUseError as err:
            raise PortTakenError(address.host, address.port) from err
        except ExposedError as err:
            raise ExposedAddressError(str(address)) from err
        except BindError as err:
            raise AddressError(f"RELAY_ADDR {address}", err.why) from err
        stack.push_async_callback(relay.stop)
        begin_log(self._log_path)
        self._browser_log.unlink(missing_ok=True)
        path = stack.enter_context(token_file(self._settings.repl_dir, self._token))
        self._stopper.at_hard_exit(lambda: path.unlink(missing_ok=True))
        workflow.recorder.light("relay", "up", relay.url)
        run = workflow.recorder.run
        log.info("run %s of %s, seed %s, at %s", run.id, run.workflow, run.seed, relay.url)
        return relay

    def _prepare_recording(self, workflow: Workflow, stack: AsyncExitStack) -> None:
        """The collector outlives the relay, through which browser threads say their last words."""
        address = self._settings["AM_DBG_ADDR"]
        if self._settings.value("AM_DBG_ADDR").value:
            folder = self._settings.repl_dir
            name, forward = self._shown(folder / DUMP_FILE), "" if address == "1" else address
            recorder = workflow.recorder

            def show(is_up: bool) -> None:
                recorder.light("debugger", *(("up", name) if is_up else ("down", "not recorded")))
                if is_up:
                    recorder.link(Link("dump", "Dump", "", name))

            gob = str(self._settings.value("AM_DBG_GOB_ADDR").value or "")
            self._recording = Recording(
                folder, name, forward=forward, gob=gob, tell=self._tell, show=show
            )
            stack.push_async_callback(self._recording.close)
            self._stopper.at_hard_exit(self._recording.kill)
            self._record_door = Forward(RECORD_PATH, self._recording.connect)

    def _record(self, workflow: Workflow) -> None:
        """From here on the folder is ours for sure: an earlier run's dump may be set aside."""
        recording, door = self._recording, self._record_door
        if recording is not None and door is not None:
            recording.start()
            workflow.record_to(recording.dial, recording.token, door.until_idle)

    def _recorded(self, workflow: Workflow) -> Recorded | None:
        """What became of the recording; what is missing in it is told."""
        recorded = self._recording.result(workflow.unrecorded) if self._recording else None
        if recorded is not None and recorded.lost:
            why = ", ".join(recorded.why)
            self._tell(f"{recorded.lost} messages are missing in {recorded.path}: {why}")
        return recorded

    def _prepare_tracing(self, stack: AsyncExitStack) -> None:
        if self._settings.get_bool("AM_OTEL_TRACE"):
            folder = self._settings.repl_dir
            name = self._shown(folder / TRACES_FILE)
            self._tracing = RunTracing(self._settings, folder, name, tell=self._tell)
            stack.push_async_callback(self._tracing.close)

    def _trace(self, workflow: Workflow) -> None:
        tracing, recorder = self._tracing, workflow.recorder
        if tracing is None:
            recorder.light("traces", "off", "not traced")
            return
        store = tracing.store
        tracing.trace_id = workflow.trace_to(tracing.post, tracing.plan(), store.until_ended)
        recorder.light("traces", "up", tracing.receiver or tracing.name)
        recorder.link(Link("traces", "Traces", tracing.url, tracing.name))
        if tracing.url:
            self._observer.say(f"the trace, in Jaeger: {tracing.url}")

    def _traced(self, workflow: Workflow) -> Traced | None:
        """What became of the traces; what is missing is told."""
        traced = self._tracing.result(workflow.untraced) if self._tracing else None
        if traced is not None and traced.lost:
            self._tell(f"{traced.lost} spans are missing in {traced.path}")
        return traced

    def _tell(self, text: str) -> None:
        log.warning("%s", text)
        self._observer.say(text)

    def _boot_routes(self, workflow: Workflow) -> list[Route]:
        if self._options.nodes == "local":
            # The page may be opened all the same: it shows the run and starts nothing.
            return boot_routes(lambda: None, dict, workflow.node_ids)

        def show(node: str, gist: str) -> None:
            # An error of a thread may be why nothing happens: a person should see it.
            known = node if node in workflow.node_ids else None
            workflow.recorder.say("failed", gist if known else f"{node}: {gist}", known)

        return boot_routes(workflow.boot_plan, self._manifest, workflow.node_ids, show)

    async def _start_orchestrator(self, workflow: Workflow, relay: Relay) -> None:
        try:
            await workflow.start(RelayInfo(relay.url, self._token, self._settings.repl_dir))
        except OSError as err:
            problem = f"it can't start, {err.strerror or err}"
            raise AddressError("orchestrator (ORCHESTRATOR_REPL_ADDR)", problem) from err

    async def _start_nodes(self, workflow: Workflow, relay: Relay) -> None:
        if self._options.nodes == "local":

            async def dial(path: str, subprotocol: str = "", /) -> Connection:
                url = relay.url.replace("http", "ws", 1) + path
                headers = {"Authorization": f"Bearer {self._token}"}
                return await dial_websocket(url, subprotocol, headers=headers)

            self._observer.say(f"the page, to look at: {relay.page_url}", level=1)
            self._local = workflow.local(dial)
            await self._local.start()
            return
        self._stopper.at_hard_exit(self._kill_browser)
        await self._open(self._mode, relay.page_url)

    async def _open(self, mode: BrowserMode, url: str) -> None:
        self._is_watched = mode != "headless"
        if mode == "none":
            self._observer.say(f"open this page to start the nodes: {url}")
            return
        if mode == "open" and await asyncio.to_thread(open_for_person, url):
            self._observer.say(f"the page, should no browser come up: {url}")
            return
        headless = mode == "headless"
        door = self._settings.repl_dir if self._settings.get_bool("BROWSER_DEBUG") else None
        self._browser = await launch(url, headless=headless, log_file=self._browser_log, door=door)

    def _observe(self, workflow: Workflow) -> None:
        """Tell the recorder what only the supervisor knows, and hear when the nodes are ready."""
        recorder = workflow.recorder
        recorder.light("debugger", "off", "not recorded")
        recorder.light("traces", "off", "not traced")
        recorder.link(Link("log", "Log", "", self._shown(self._log_path)))

        def look() -> None:
            if self._ready_ms is None and recorder.run.round > 0:
                self._ready_ms = self._elapsed()

        recorder.subscribe(look)

    # --- until

    async def _until_end(self, workflow: Workflow, relay: Relay) -> Ending:
        restarts = RESTARTS
        timeout = self._options.timeout
        deadline = None if timeout is None else self._options.began + timeout
        stay = not self._settings.get_bool("EXIT_ON_COMPLETED")
        while True:
            try:
                async with asyncio.timeout(None if deadline is None else deadline - _now()):
                    ending = await self._next(workflow)
            except TimeoutError:
                return "timeout"
            except BrowserDiedError as err:
                # One that never loaded the page would fare no better the next time.
                loaded = has_joined(workflow.recorder, workflow.node_ids)
                if self._mode != "headless" or restarts == 0 or not loaded:
                    raise
                restarts -= 1
                await self._reopen(workflow, relay, err)
                continue
            if ending != "verified" or not stay:
                return ending
            # It did what it was for; from now on only a person ends it.
            deadline = None

    async def _next(self, workflow: Workflow) -> Ending:
        """The next thing that could end the run."""
        async with _Race() as race:
            work = race.enter(workflow.finished())
            stop = race.enter(self._stopper.asked.wait())
            death = race.enter(self._browser_died(workflow)) if self._browser else None
            await race.first()
            if stop.done():
                return "interrupted"
            if work.done():
                self._done_ms = self._elapsed()
                return "verified" if work.result().ok else "gave_up"
            assert death is not None
            raise death.result()

    async def _browser_died(self, workflow: Workflow) -> BrowserDiedError:
        """Wait for the end of our browser, or of a page that nobody sees and could reload."""
        assert self._browser is not None
        code: int | None = None
        async with _Race() as race:
            death = race.enter(self._browser.wait())
            if self._mode == "headless":
                race.enter(all_gone(workflow.recorder, workflow.node_ids, PATIENCE))
            await race.first()
            if death.done():
                code = death.result()
        return BrowserDiedError(
            self._browser.browser.program.name,
            code,
            self._shown(self._browser_log),
            windowed=self._mode == "open",
        )

    async def _reopen(self, workflow: Workflow, relay: Relay, err: BrowserDiedError) -> None:
        assert self._browser is not None
        await self._browser.close()
        log.warning("%s (%s); it is started again", err, err.hint)
        self._observer.say(f"{err}; it is started again")
        workflow.recorder.say("failed", str(err))
        await self._open("headless", relay.page_url)

    def _last_words(self, ending: Ending) -> str:
        return "Out of time" if ending == "timeout" else f"Stopped by {self._stopper.asked_by}"

    # --- down

    async def _dismiss(self, workflow: Workflow) -> None:
        """Tell the workers to go, while the relay still carries the word to them."""
        try:
            async with asyncio.timeout(GRACE + 0.5):
                await workflow.stop(GRACE)
        except TimeoutError:
            log.warning("the orchestrator took more than %.1f s to stop", GRACE)

    async def _close_nodes(self) -> None:
        if self._is_watched:
            # Pages of people take the last moment before the server goes.
            await asyncio.sleep(LAST_WORD)
        if self._local is not None:
            await self._local.stop()
        if self._browser is not None:
            await self._browser.close()

    def _kill_browser(self) -> None:
        if self._browser is not None:
            self._browser.kill()

    @property
    def _browser_log(self) -> Path:
        return self._log_path.with_name(BROWSER_LOG_FILE)

    def _shown(self, path: Path) -> str:
        """A path as a person in the project would type it."""
        home = self._settings.home
        return str(path.relative_to(home) if path.is_relative_to(home) else path)

    def _elapsed(self) -> int:
        return round((_now() - self._options.began) * 1000)


@contextlib.contextmanager
def _last_words_of(workflow: Workflow) -> Iterator[None]:
    """Have an error that breaks the run off stand in the last snapshot too."""
    try:
        yield
    except RunError as err:
        text = str(err)
        workflow.recorder.finish("stopped", text[:1].upper() + text[1:])
        raise


def _now() -> float:
    return time.monotonic()


class _Race:
    """Waits for the first of several; leaving it cancels the others and waits for their end."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()

    def enter(self, runner: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        task = asyncio.get_running_loop().create_task(runner)
        self._tasks.add(task)
        return task

    async def first(self) -> None:
        await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)

    async def __aenter__(self) -> _Race:
        return self

    async def __aexit__(self, *exc: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


@contextlib.asynccontextmanager
async def _beside(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Run `work` beside the body. Give it a moment to end by itself afterwards, then cancel it."""
    task = asyncio.get_running_loop().create_task(work)
    try:
        yield
    finally:
        await asyncio.wait({task}, timeout=LAST_WORD)
        task.cancel()
        await asyncio.wait({task})
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("the view broke off: %r", error)
