"""``leadline protocols``."""

from __future__ import annotations

import json
from dataclasses import asdict

import click

from leadline.flows.evaluate.protocol import Protocol
from leadline.flows.evaluate.protocol_files import list_protocols, load_protocol

__all__ = ["protocols"]

EXAMPLES = """\b
Examples:
  leadline protocols
  leadline protocols nyu-eigen-raw
  leadline protocols zero-shot-affine-depth/kitti
  leadline protocols my_protocol.toml
"""


@click.command(epilog=EXAMPLES)
@click.argument("name", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def protocols(name: str | None, as_json: bool) -> None:
    """Protocols of evaluation there are; of one, everything it fixes."""
    if name is None:
        found = list_protocols()
        click.echo(json.dumps([asdict(one) for one in found], indent=1) if as_json else _lines(found))
        return
    protocol = load_protocol(name)
    click.echo(json.dumps(asdict(protocol), indent=1) if as_json else _whole(protocol))


def _lines(found: tuple[Protocol, ...]) -> str:
    width = max(len(one.name) for one in found)
    return "\n".join(f"{one.name:{width}}  {one.summary}" for one in found)


def _whole(protocol: Protocol) -> str:
    low, high = protocol.limits_m
    rows = {
        "what": protocol.summary,
        "from": protocol.source,
        "data": " ".join([protocol.dataset or "any", *(f"{k}={v}" for k, v in protocol.options.items())]),
        "needs": "any kind, as pictures" if protocol.eight_bit else f"{protocol.needs}, or surer",
        "aligned": protocol.alignment,
        "truth": f"between {low:g} and {high:g} m, window {protocol.crop}",
        "prediction": ("clipped to the same" if protocol.clamp else "as it is")
        + (", averaged with the mirrored image" if protocol.flip else ""),
        "table": {"mean": "mean over images", "pooled": "all pixels pooled"}[protocol.aggregate],
        "metrics": ", ".join(protocol.metrics),
        "range": f"{protocol.data_range_m:g} (PSNR, SSIM)",
        "notes": protocol.notes,
        "doubts": protocol.doubts,
        "locked": protocol.fingerprint[:16],
    }
    body = "\n".join(
        click.wrap_text(text, 96, initial_indent=f"  {key:<12}", subsequent_indent=" " * 14)
        for key, text in rows.items()
        if text
    )
    return f"{protocol.name}\n{body}"
