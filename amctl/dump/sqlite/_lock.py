"""One writer per dump."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from amctl.dump.errors import DumpBusyError, DumpFullError

__all__ = ["WriterLock", "is_written"]


def is_written(path: str | Path) -> bool:
    """Whether a process has a dump open for writing, by the pid it left; nothing is locked."""
    path = Path(path)
    try:
        pid = int(
            path.with_name(f".{path.name}.lock").read_text(encoding="ascii", errors="replace")
        )
        os.kill(pid, 0)
    except PermissionError:
        return True  # somebody else's process
    except (OSError, ValueError, OverflowError):
        return False
    return pid > 0


class WriterLock:
    """Holds a dump for one writer, from the beginning until `release` or the process's end.

    The system lets go of it with the process, however that dies; so no lock is ever stale, and the
    file beside the dump, which holds the owner's pid, is there only to be locked.

    Raises:
        DumpBusyError: Another process holds it; names its pid.
        DumpFullError: The lock's file can't be made.
    """

    def __init__(self, path: Path, name: str) -> None:
        self._path = path.with_name(f".{path.name}.lock")
        try:
            self._fd = self._take(name)
        except OSError as err:
            raise DumpFullError(name, f"can't be written: {err.strerror}") from None

    def _take(self, name: str) -> int:
        while True:
            fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                owner = os.read(fd, 32).decode("ascii", "replace").strip()
                os.close(fd)
                raise DumpBusyError(name, owner and f"pid {owner}") from None
            except BaseException:
                os.close(fd)
                raise
            # The one before may have removed the file between the two lines above.
            if self._is_there(fd):
                os.ftruncate(fd, 0)
                os.pwrite(fd, f"{os.getpid()}\n".encode(), 0)
                return fd
            os.close(fd)

    def _is_there(self, fd: int) -> bool:
        try:
            return os.path.samestat(os.fstat(fd), self._path.stat())
        except FileNotFoundError:
            return False

    def release(self) -> None:
        """Let others write. A second call does nothing."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            self._path.unlink(missing_ok=True)
            os.close(fd)
