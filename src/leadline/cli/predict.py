"""``leadline predict``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from leadline.cli.errors import SOME_FAILED, tell_error
from leadline.cli.options import options_of, request_of
from leadline.cli.progress import Progress
from leadline.core.errors import LeadlineError
from leadline.flows.predict import run
from leadline.flows.predict_request import PredictRequest
from leadline.flows.report import Failed, Predicted, Report
from leadline.plugins.registry import MODELS

__all__ = ["carry_out", "predict", "tell_report"]

SHOWN = 4
"""Photos that a summary shows one by one; of more it shows the first ones."""

EXAMPLES = """\b
Examples:
  leadline predict photo.jpg
  leadline predict holiday/ -r -f png16,colour,ply --skip-existing
  leadline predict kitchen.jpg --side-by-side --colormap turbo --range 0.5,6
  leadline predict "rooms/*.jpg" --fov 69 -o metres
  leadline predict @photos.txt --json > done.jsonl
  leadline predict photo.jpg -m depth-anything-v2-small
  leadline predict photo.jpg --tta flip,scales -f npz,uncertainty
  leadline predict photo.jpg -m marigold-depth-v1-1 --input ensemble=5 --colormap Spectral_r
  leadline predict frames/ -m depth-anything-v2-small --calibration kitchen.json -f png16,ply
  leadline predict photo.jpg -m replicate:cjwbw/midas --input model_type=dpt_beit_large_512
  leadline predict photo.jpg -m my_net.onnx --kind metric-depth --unit cm --mean 0.485,0.456,0.406 --std 0.229,0.224,0.225
  curl -s https://example.org/room.jpg | leadline predict -
"""


@click.command(epilog=EXAMPLES)
@options_of(PredictRequest)
@click.option(
    "--json",
    "as_json",
    is_flag=True,
    help="Print one JSON object an event on standard output, a summary last.",
)
def predict(as_json: bool, **options: Any) -> None:
    """Depth from photos.

    SOURCES are photos, folders, globs, @lists of photos, http(s) addresses, or - for standard input. Files appear
    whole or not at all; a photo that cannot be used is reported at the end, and the others are done.
    """
    report = carry_out(request_of(PredictRequest, options), as_json=as_json)
    click.get_current_context().exit(_exit_status(report))


def carry_out(request: PredictRequest, *, as_json: bool = False) -> Report:
    """Runs a request, shows how far it is, and says at the end what came of it.

    Args:
        request: What to do.
        as_json: Whether to speak JSON lines.

    Returns:
        The report.
    """
    progress = Progress(as_json=as_json)
    try:
        with progress:
            report = run(request, on_event=progress)
    except (KeyboardInterrupt, LeadlineError):
        if progress.finished:
            _tell_rest(progress, request)
        raise
    if as_json:
        progress.line(report.to_dict())
    else:
        tell_report(report)
    for remark in report.remarks:
        click.echo(f"leadline: {remark}", err=True)
    _tell_failed(report.failed)
    return report


def tell_report(report: Report) -> None:
    """Prints what was made, where, and what the numbers are.

    Args:
        report: What came of a run.
    """
    for photo in report.done[:SHOWN]:
        _tell_photo(photo)
    if len(report.done) > SHOWN:
        click.echo(f"… and {len(report.done) - SHOWN} more")
    if report.skipped or len(report.done) + len(report.failed) > 1:
        click.echo(_sums(report))
    if report.done:
        _tell_models(report)


def _tell_photo(photo: Predicted) -> None:
    click.echo(f"{photo.source} -> {', '.join(map(str, photo.outputs))}")
    for made in photo.made:
        who = f"{made.model}: " if len(photo.made) > 1 else ""
        click.echo(f"  {who}{made.words}")


def _sums(report: Report) -> str:
    speed = f" in {report.time_s:.1f} s ({report.photos_per_s:.1f} a second)" if report.done else ""
    parts = [f"{_photos(len(report.done))} done{speed}"]
    if report.skipped:
        parts.append(f"{len(report.skipped)} there already")
    if report.failed:
        parts.append(f"{len(report.failed)} failed")
    return f"{', '.join(parts)}; files are in {report.out}"


def _tell_models(report: Report) -> None:
    if any(made.scale_uncertain for photo in report.done for made in photo.made):
        click.echo(
            "The lens is not known, so the metres are uncertain: give --fov DEGREES or --focal PIXELS."
        )
    for record in report.models:
        spec = MODELS.get(record.name) if record.name in MODELS.names() else None
        # A file of one's own may have a listed model's name: the weights tell.
        if spec is None or not spec.good_for or spec.weights.sha256 not in ("", record.weights_sha256):
            continue
        more = f" For more: {spec.step_up}." if spec.step_up else ""
        click.echo(f"{spec.name} is good for {spec.good_for.rstrip('.')}.{more}")


def _tell_failed(failed: Sequence[Failed]) -> None:
    for failure in failed:
        tell_error(failure.error)


def _tell_rest(progress: Progress, request: PredictRequest) -> None:
    _tell_failed(progress.failed)
    click.echo(
        f"leadline: stopped after {progress.finished} of {_photos(progress.total)}; the files in {request.out} "
        "are whole, and --skip-existing goes on from there",
        err=True,
    )


def _photos(number: int) -> str:
    return "1 photo" if number == 1 else f"{number} photos"


def _exit_status(report: Report) -> int:
    if not report.failed:
        return 0
    alone = len(report.failed) == 1 and not report.done and not report.skipped
    return int(getattr(report.failed[0].error, "exit_status", SOME_FAILED)) if alone else SOME_FAILED
