"""`./amctlw`: stamps, words, and what it says on a machine without Python.

Installing is what every fresh clone and CI do for real; here the environment is a stub.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.support.house import ROOT

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [
    pytest.mark.realtime,
    pytest.mark.skipif(shutil.which("sh") is None, reason="no POSIX shell"),
]

STUB = '#!/bin/sh\necho "$(basename "$0") in $PWD: $*"\n'


class Checkout:
    """A copy of the wrapper, with a stub of everything that it would install."""

    def __init__(self, root: Path) -> None:
        self.root = root
        for name in ("amctlw", "requirements.txt", "requirements-dev.txt", "pyproject.toml"):
            shutil.copy(ROOT / name, root / name)
        (root / "web").mkdir()
        (root / "web" / "package.json").write_text("{}")
        programs = root / ".venv" / "bin"
        programs.mkdir(parents=True)
        for name in ("amctl", "python"):
            (programs / name).write_text(STUB)
            (programs / name).chmod(0o755)

    def run(self, *words: str, **environ: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self.root / "amctlw", *words],
            cwd="/",
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
            env={**os.environ, **environ},
        )


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


def test_words_reach_amctl_and_the_current_folder_stays(checkout: Checkout) -> None:
    done = checkout.run("start", "--seed", "7", "a b")
    assert done.stdout == "amctl in /: start --seed 7 a b\n"
    assert done.returncode == 0


def test_test_runs_the_gate_in_the_checkout(checkout: Checkout) -> None:
    done = checkout.run("test", "-k", "relay")
    assert done.stdout == f"python in {checkout.root}: -m tests -k relay\n"


def test_it_installs_once_and_again_when_what_is_pinned_changes(checkout: Checkout) -> None:
    first = checkout.run("start")
    assert "installing what requirements.txt pins" in first.stderr
    assert "--require-hashes" in first.stderr
    assert "amctl in /: setup" in first.stderr
    assert checkout.run("start").stderr == ""
    (checkout.root / "requirements.txt").write_text("# changed\n")
    assert "installing" in checkout.run("start").stderr


def test_development_tools_come_only_with_test(checkout: Checkout) -> None:
    assert "requirements-dev.txt" not in checkout.run("start").stderr
    assert "requirements-dev.txt" in checkout.run("test").stderr
    assert checkout.run("test").stderr == ""


@pytest.mark.parametrize("words", [["--help"], ["--version"], ["setup"], ["start", "-h"]])
def test_looking_needs_no_setup(checkout: Checkout, words: list[str]) -> None:
    assert "amctl in /: setup\n" not in checkout.run(*words).stderr


def test_a_link_to_it_works_from_anywhere(checkout: Checkout, tmp_path: Path) -> None:
    link = tmp_path / "elsewhere"
    link.mkdir()
    (link / "am").symlink_to(checkout.root / "amctlw")
    done = subprocess.run([link / "am", "x"], capture_output=True, text=True, check=False)
    assert done.stdout.endswith(": x\n")


def test_a_lock_of_a_dead_run_is_taken_over(checkout: Checkout) -> None:
    dead = subprocess.Popen(["true"])
    dead.wait()
    lock = checkout.root / ".venv.lock"
    lock.mkdir()
    (lock / "pid").write_text(str(dead.pid))
    assert checkout.run("start").returncode == 0
    assert not lock.exists()


@pytest.mark.slow
def test_runs_beside_each_other_install_once(checkout: Checkout) -> None:
    (checkout.root / ".venv" / "bin" / "python").write_text(STUB + "sleep 0.1\n")
    command = [checkout.root / "amctlw", "start"]
    runs = [
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    errors = [run.communicate(timeout=60)[1] for run in runs]
    assert [run.returncode for run in runs] == [0, 0, 0, 0]
    assert sum("installing what" in text for text in errors) == 1


FAKE_PYTHON = """#!/bin/sh
here=$(dirname "$0")
case "$*" in
    *"-m venv "*)
        [ -f "$here/has-venv" ] || exit 1
        for last in "$@"; do :; done
        mkdir -p "$last/bin"
        cp "$here/stub" "$last/bin/amctl"
        cp "$here/stub" "$last/bin/python" ;;
esac
"""


@pytest.mark.parametrize("root", [True, False])
def test_a_python_that_cannot_make_environments_gets_debians_package_if_root(
    checkout: Checkout, tmp_path: Path, root: bool
) -> None:
    programs = tmp_path / "programs"
    programs.mkdir()
    for name, text in {
        "python3": FAKE_PYTHON,
        "stub": STUB,
        "id": f"#!/bin/sh\necho {0 if root else 1000}\n",
        "apt-get": '#!/bin/sh\necho "apt-get $*" >&2; touch "$(dirname "$0")/has-venv"\n',
    }.items():
        (programs / name).write_text(text)
        (programs / name).chmod(0o755)
    shutil.rmtree(checkout.root / ".venv")
    done = checkout.run("start", PATH=f"{programs}:{os.environ['PATH']}", PYTHON="")
    assert ("install -y python3-venv" in done.stderr) is root
    if root:
        assert done.stdout == "amctl in /: start\n"
    else:
        assert done.returncode == 1
        assert "hint: Debian: apt-get install python3-venv" in done.stderr


@pytest.mark.parametrize("root", [True, False])
@pytest.mark.parametrize("works", [True, False])
def test_test_gets_tmux_from_debian_if_it_is_root(
    checkout: Checkout, tmp_path: Path, root: bool, works: bool
) -> None:
    programs = tmp_path / "programs"
    programs.mkdir()
    for name in ("dirname", "cat", "cksum", "mkdir", "rm", "basename", "readlink", "sh", "touch"):
        found = shutil.which(name)
        assert found is not None
        (programs / name).symlink_to(found)
    fake = "#!/bin/sh\necho apt-get $* >&2\n"
    fake += f'[ "$2" = update ] && exit 100\n{"" if works else "exit 100"}\n'
    fake += f'printf "#!/bin/sh\\n" >{programs}/tmux; {shutil.which("chmod")} +x {programs}/tmux\n'
    for name, text in {"apt-get": fake, "id": f"#!/bin/sh\necho {0 if root else 1000}\n"}.items():
        (programs / name).write_text(text)
        (programs / name).chmod(0o755)
    first, second = (checkout.run("test", PATH=str(programs)) for _ in range(2))
    assert first.returncode == second.returncode == 0
    assert ("install -y --no-install-recommends tmux" in first.stderr) is root
    assert ("that failed: the tests that need it are skipped" in first.stderr) is (
        root and not works
    )
    assert ("tmux" in second.stderr) is (root and not works), "what is there is not got again"


def test_without_python_it_says_how(checkout: Checkout, tmp_path: Path) -> None:
    programs = tmp_path / "programs"
    programs.mkdir()
    needed = ("dirname", "cat", "cksum", "mkdir", "rm", "basename", "id", "readlink", "sh")
    for name in needed:
        found = shutil.which(name)
        assert found is not None
        (programs / name).symlink_to(found)
    shutil.rmtree(checkout.root / ".venv")
    done = checkout.run("start", PATH=str(programs))
    assert done.returncode == 1
    assert done.stdout == ""
    assert "error: no Python 3.11 or newer on this machine" in done.stderr
    assert "hint: install one" in done.stderr
    assert not (checkout.root / ".venv.lock").exists()
