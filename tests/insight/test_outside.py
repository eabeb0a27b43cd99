"""Third parties: names, sizes, licences, requirements."""

from __future__ import annotations

from importlib.metadata import distribution
from typing import TYPE_CHECKING

import pytest

from amctl.insight.outside import (
    ThirdParty,
    described,
    distribution_name,
    is_standard,
    licence_of,
    size_of,
    with_requirements,
)

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that packages can be installed into."""
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


def install(site: Path, name: str, *lines: str, version: str = "1.0") -> None:
    info = site / f"{name.replace('-', '_')}-{version}.dist-info"
    info.mkdir()
    meta = ["Metadata-Version: 2.4", f"Name: {name}", f"Version: {version}", *lines, ""]
    (info / "METADATA").write_text("\n".join(meta), encoding="utf-8")
    (site / f"{name}.py").write_text("12345", encoding="utf-8")
    cached = site / "__pycache__"
    cached.mkdir(exist_ok=True)
    (cached / f"{name}.cpython-311.pyc").write_text("1234567", encoding="utf-8")
    record = [f"{name}.py,,5", f"__pycache__/{name}.cpython-311.pyc,,7", "gone.py,,1"]
    (info / "RECORD").write_text("\n".join(record), encoding="utf-8")


@pytest.mark.parametrize(
    ("lines", "licence"),
    [
        (["License-Expression: BSD-3-Clause", "License: other"], "BSD-3-Clause"),
        (["License: MIT"], "MIT"),
        (["License: UNKNOWN", "Classifier: License :: OSI Approved :: ISC License"], "ISC License"),
        ([f"License: {'all of a long text ' * 9}", "Classifier: License :: X :: Y"], "Y"),
        (["Classifier: License :: A :: B", "Classifier: License :: A :: C"], "B, C"),
        (["Classifier: Typing :: Typed"], "unknown"),
    ],
)
def test_a_licence_is_what_the_package_declares(site: Path, lines: list[str], licence: str) -> None:
    install(site, "zz-lic", *lines)
    assert licence_of(distribution("zz-lic")) == licence


def test_size_is_of_files_that_are_there_without_bytecode(site: Path) -> None:
    install(site, "zz-size")
    assert size_of(distribution("zz-size")) == 5


def test_what_is_not_installed_has_no_version() -> None:
    assert described("zz-nobody", imports=("zz",)) == ThirdParty("zz-nobody", ("zz",))


def test_the_distribution_of_a_module() -> None:
    homes = {"spaces": ["other", "spaces.one"], "yaml": ["PyYAML", "PyYAML"]}
    assert distribution_name("spaces.one.deep", homes) == "spaces.one"
    assert distribution_name("yaml.reader", homes) == "PyYAML"
    assert distribution_name("zz.deep", homes) == "zz"


def test_requirements_come_along_once_with_who_needs_them(site: Path) -> None:
    requires = [
        "Requires-Dist: zz_leaf>=1",
        "Requires-Dist: zz-more; extra == 'full'",
        "Requires-Dist: zz-old; python_version < '3.0'",
        "Requires-Dist: zz-new; python_version >= '3.0' and python_version > '2.7'",
        "Requires-Dist: zz-any; python_version < '3.0' or os_name == 'posix'",
        "Requires-Dist: zz-absent",
    ]
    install(site, "zz-top", *requires)
    install(site, "zz-leaf", "Requires-Dist: zz-top")
    for name in ("zz-more", "zz-old", "zz-new", "zz-any"):
        install(site, name)
    found = with_requirements([described("zz-top", needed_by=("ours",))])
    assert [(one.name, one.needed_by) for one in found] == [
        ("zz-any", ("zz-top",)),
        ("zz-leaf", ("zz-top",)),
        ("zz-new", ("zz-top",)),
        ("zz-top", ("ours", "zz-leaf")),
    ]


def test_what_a_runtime_brings_requires_nothing_here() -> None:
    brought = ThirdParty("zz-runtime", version="1")
    assert with_requirements([brought]) == (brought,)


def test_the_standard_library_of_newer_pythons_counts_too() -> None:
    assert is_standard("os.path")
    assert is_standard("compression.zstd")
    assert not is_standard("starlette")
