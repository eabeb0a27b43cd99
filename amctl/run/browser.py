"""Browsers: find one, open the page in it, and end it with all its children.

A headless browser gets a private profile in a folder of its own and a process group of its own,
so that nothing of it survives the run: neither processes nor files. A browser that is opened for
a person is the person's: its tab stays.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import webbrowser
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Literal

from amctl.run.devtools.door import DEVTOOLS_FILE, DOOR_FLAGS, keep_door
from amctl.run.errors import NoBrowserError
from amctl.run.programs import which

if TYPE_CHECKING:
    from collections.abc import Mapping

    from amctl.run.report import BrowserMode

__all__ = [
    "Browser",
    "OpenBrowser",
    "can_open",
    "find_browser",
    "launch",
    "open_for_person",
    "pick_mode",
]

log = logging.getLogger("amctl.run.browser")

_CHROMIUMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
_FIREFOXES = ("firefox", "firefox-esr")
_MAC_APPS = (
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Firefox.app/Contents/MacOS/firefox",
)
_GRACE = 1.0
"""Seconds between asking a browser to end and ending it."""

_LONGEST_TEMP = 40

_WATCH = 'read -r _; kill -KILL "-$1" 2>/dev/null; rm -rf -- "$2"'
"""A shell that waits for the end of its stdin, which comes with this process's own end, however
that happens (kill -9 too), and then does what we can't do any more."""

_CHROMIUM_FLAGS = (
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-extensions",
    "--disable-sync",
    "--mute-audio",
    "--password-store=basic",
    # Machines in containers have a tiny /dev/shm; a tab that outgrows it dies.
    "--disable-dev-shm-usage",
    # A page that nobody looks at must run as fast as one that is looked at.
    "--disable-background-timer-throttling",
    "--disable-backgrounding-occluded-windows",
    "--disable-renderer-backgrounding",
)


@dataclass(frozen=True, slots=True)
class Browser:
    """A browser on this machine."""

    family: Literal["chromium", "firefox"]
    program: Path

    def command(
        self, url: str, profile: Path, *, headless: bool, root: bool, door: bool = False
    ) -> list[str]:
        """The command line that opens `url` with a private profile.

        Args:
            url: The page.
            profile: The browser's folder.
            headless: Without a window.
            root: Whether root starts it.
            door: With a debugging port on the loopback. Firefox has none of that kind.
        """
        if self.family == "firefox":
            options = ["--headless"] if headless else []
            return [str(self.program), "--no-remote", "--profile", str(profile), *options, url]
        options = ["--headless=new", "--disable-gpu"] if headless else []
        if root:
            # Chromium's sandbox refuses root; the page is our own.
            options.append("--no-sandbox")
        if door:
            options.extend(DOOR_FLAGS)
        flags = (*_CHROMIUM_FLAGS, f"--user-data-dir={profile}")
        return [str(self.program), *options, *flags, url]


def find_browser() -> Browser | None:
    """The first browser found, Chromium's family before Firefox; None if there is none."""
    for name in _CHROMIUMS:
        if path := which(name):
            return Browser("chromium", Path(path))
    for app in _MAC_APPS:
        if os.access(app, os.X_OK):
            return Browser("firefox" if "irefox" in app else "chromium", Path(app))
    for name in _FIREFOXES:
        if path := which(name):
            return Browser("firefox", Path(path))
    return None


def can_open(environ: Mapping[str, str] | None = None) -> bool:
    """Whether a person could see a window here: a display, and a browser to show on it."""
    environ = os.environ if environ is None else environ
    shown = sys.platform == "darwin" or bool(
        environ.get("DISPLAY") or environ.get("WAYLAND_DISPLAY")
    )
    return shown and find_browser() is not None


def pick_mode(wished: BrowserMode | None) -> BrowserMode:
    """How the page is opened here: as wished, or as well as it can be done.

    Raises:
        NoBrowserError: If what it takes isn't here.
    """
    mode = wished or ("open" if can_open() else "headless")
    if mode == "open" and not can_open():
        raise NoBrowserError("there is no display, or nothing to show on it")
    if mode == "headless" and find_browser() is None:
        looked_for = ", ".join((*_CHROMIUMS[:3], _FIREFOXES[0]))
        raise NoBrowserError(f"none found (looked for {looked_for})")
    return mode


def open_for_person(url: str) -> bool:
    """Open the page in the person's own browser; False if none took it.

    Root gets False: a browser that belongs to root's desktop refuses to start without a private
    profile, which `launch` gives it.
    """
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        return False
    try:
        return webbrowser.open(url)
    except webbrowser.Error:
        return False


class OpenBrowser:
    """A browser process that this run started, with its profile folder.

    Use `close` on every way out; it is idempotent and leaves neither processes nor files.
    """

    def __init__(
        self,
        browser: Browser,
        process: asyncio.subprocess.Process,
        profile: Path,
        door: Path | None = None,
    ):
        self.browser = browser
        self.process = process
        self.profile = profile
        self._door = door
        self._watch: subprocess.Popen[bytes] | None = None
        with contextlib.suppress(OSError):  # without it, all is well unless we are killed
            self._watch = subprocess.Popen(
                ["/bin/sh", "-c", _WATCH, "amctl-watch", str(process.pid), str(profile)],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        self._keeping: asyncio.Task[None] | None = None
        if door is not None and browser.family == "chromium":
            keeping = keep_door(profile, door)
            self._keeping = asyncio.get_running_loop().create_task(keeping)

    async def wait(self) -> int:
        """Wait until the browser has ended; its exit code. Cancelling the wait is safe."""
        return await self.process.wait()

    async def close(self) -> None:
        """End the whole process group: ask, wait a second, insist; then remove the profile."""
        if self._keeping is not None:
            self._keeping.cancel()
            await asyncio.wait({self._keeping})
            if not self._keeping.cancelled() and (error := self._keeping.exception()):
                log.warning("nobody could be told of the browser's debugging port: %s", error)
            self._keeping = None
        self._signal(signal.SIGTERM)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_GRACE):
                await self.process.wait()
        self._unwatch()
        # Children may outlive their parent, so the group is told even if the leader has gone.
        self._signal(signal.SIGKILL)
        await self.process.wait()
        await asyncio.to_thread(_remove, self.profile)

    def kill(self) -> None:
        """End everything at once, from a place that can't wait."""
        self._unwatch()
        self._signal(signal.SIGKILL)
        shutil.rmtree(self.profile, ignore_errors=True)
        if self._keeping is not None and self._door is not None:
            (self._door / DEVTOOLS_FILE).unlink(missing_ok=True)

    def _unwatch(self) -> None:
        """Before the group's number may become somebody else's."""
        watch, self._watch = self._watch, None
        if watch is not None:
            watch.kill()
            if watch.stdin is not None:
                watch.stdin.close()
            watch.wait()

    def _signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, number)


def _remove(folder: Path) -> None:
    """A dying child may still write into the profile: a few tries."""
    for _ in range(20):
        shutil.rmtree(folder, ignore_errors=True)
        if not folder.exists():
            return


def _make_profile() -> Path:
    """A folder with a path short enough for the Unix socket that Chromium puts there."""
    deep = len(tempfile.gettempdir()) > _LONGEST_TEMP and os.path.isdir("/tmp")
    return Path(tempfile.mkdtemp(prefix="amctl-browser-", dir="/tmp" if deep else None))


def _appending(log_file: Path | None) -> BinaryIO:
    return open(log_file or os.devnull, "ab")


async def launch(
    url: str, *, headless: bool, log_file: Path | None = None, door: Path | None = None
) -> OpenBrowser:
    """Start a browser of our own on `url`.

    Args:
        url: The page, token included.
        headless: Without a window.
        log_file: What the browser says is appended here; None drops it.
        door: Folder to keep the address of its debugging port in, see `devtools.door`; None
            opens no port.

    Raises:
        NoBrowserError: If there is none, or it can't be started.
    """
    browser = find_browser()
    if browser is None:
        raise NoBrowserError("there was one, and now there is none")
    profile = _make_profile()
    root = hasattr(os, "geteuid") and os.geteuid() == 0
    has_door = door is not None
    command = browser.command(url, profile, headless=headless, root=root, door=has_door)
    try:
        with _appending(log_file) as output:
            process = await asyncio.create_subprocess_exec(
                *command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                # Its sockets and scraps go with the profile, even if it is killed.
                env={**os.environ, "TMPDIR": str(profile)},
                start_new_session=True,
            )
    except OSError as err:
        shutil.rmtree(profile, ignore_errors=True)
        raise NoBrowserError(f"{browser.program} can't be started, {err.strerror}") from err
    return OpenBrowser(browser, process, profile, door)
