"""`amctl doctor`: what is wrong with this machine or project, and how to mend it."""

from __future__ import annotations

import json
import platform
from importlib.metadata import version
from typing import TYPE_CHECKING, Annotated, Any

import typer

from amctl.cli.exitcodes import ExitCode
from amctl.cli.options import global_options

if TYPE_CHECKING:
    from amctl.run.doctor.finding import Finding, Patient

__all__ = ["app", "doctor"]

app = typer.Typer(add_completion=False)


@app.command()
def doctor(
    ctx: typer.Context,
    sets: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Any key of config.env; repeatable."),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json/--no-json", help="One document, for bug reports; no secrets.")
    ] = False,
) -> int:
    """Look at all that a run needs, change nothing, and say how to mend what is wrong.

    With -v each setting is shown with its value and where that came from. Exit code 1 if a run
    would fail.

    Example: amctl doctor --json
    """
    # not at the top: other commands' help shouldn't pay for the relay
    from amctl.cli.views.doctor import show_findings, show_settings
    from amctl.run.doctor.examine import examine, patient_of
    from amctl.run.doctor.finding import Status

    options = global_options(ctx)
    patient, findings = patient_of(options.config, sets or ())
    looked = [*findings, *examine(patient)]
    if as_json:
        print(json.dumps(_document(patient, looked)))
    else:
        show_findings(looked, options)
        if options.verbose:
            show_settings(patient.settings, options)
    is_bad = any(finding.status is Status.BAD for finding in looked)
    return int(ExitCode.FAILED if is_bad else ExitCode.DONE)


def _document(patient: Patient, findings: list[Finding]) -> dict[str, Any]:
    settings = patient.settings
    return {
        "amctl": version("amctl"),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "findings": [finding.to_json() for finding in findings],
        "settings": {
            key: {"value": settings[key], "origin": settings.value(key).origin} for key in settings
        },
    }
