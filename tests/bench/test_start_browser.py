"""What is read of a browser: its threads, its memory."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from amctl.bench.start_browser import Threads, renderers_pss_mb

if TYPE_CHECKING:
    from pathlib import Path


def test_the_last_thread_decides() -> None:
    threads = Threads({"a": {"ready": 100.5, "woken": True}, "b": {"ready": 300, "woken": True}})
    assert (threads.ready_ms, threads.woken) == (300.0, True)
    threads["b"]["woken"] = False
    assert not threads.woken


def test_memory_is_of_renderers_of_the_group_alone(tmp_path: Path) -> None:
    group = os.getpgid(0)
    rollup = "00-ff ---p [rollup]\nRss:  900 kB\nPss:  500 kB\nPss_Dirty:  9 kB\n"
    others = {
        str(os.getpid()): ("chromium\0--type=renderer\0", rollup),
        str(os.getppid()): ("chromium\0--type=gpu-process\0", rollup),
        "self": ("chromium\0--type=renderer\0", rollup),
    }
    for pid, (line, text) in others.items():
        (tmp_path / pid).mkdir()
        (tmp_path / pid / "cmdline").write_text(line, encoding="ascii")
        (tmp_path / pid / "smaps_rollup").write_text(text, encoding="ascii")
    assert renderers_pss_mb(group, tmp_path) == 500 * 1024 / 1e6
    assert renderers_pss_mb(group + 1_000_000, tmp_path) == 0
    assert renderers_pss_mb(group, tmp_path / "nothing") == 0
