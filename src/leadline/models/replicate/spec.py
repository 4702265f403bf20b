"""The records of models at Replicate, and what can be chosen of any of them."""

from __future__ import annotations

from leadline.core.kind import Freedom, Kind, Quantity
from leadline.plugins.specs import Commercial, ModelSpec, Option, Weights

__all__ = ["ENGINES", "EXTRA", "MARIGOLD", "MIDAS", "PACKAGES", "choices", "notice", "source"]

ENGINES = ("replicate",)
EXTRA = "replicate"
PACKAGES = ("replicate",)


def source(model: str) -> str:
    """Where the weights of a model are.

    Args:
        model: ``OWNER/MODEL``.

    Returns:
        The source of its ``Weights``.
    """
    return f"remote:replicate.com/{model}"


def notice(model: str) -> str:
    """What must be known before the first photo.

    Args:
        model: ``OWNER/MODEL``.

    Returns:
        One sentence.
    """
    return (
        f"{model} runs at replicate.com: every photo is sent there and every run is charged to your account; "
        f"what one costs: https://replicate.com/{model}"
    )


def choices(*, output: str = "", channel: str = "", photo: str = "") -> tuple[Option, ...]:
    """What leadline itself lets a user choose of a remote model. No model can have inputs of such names.

    Args:
        output: Which output it is unless said.
        channel: Which channel it is unless said.
        photo: Which input takes the photo unless said.

    Returns:
        The options.
    """
    return (
        Option(
            "remote.photo",
            "The model's input that takes the photo; unless said 'image', or the only one that takes a file.",
            default=photo,
        ),
        Option(
            "remote.output",
            "Which output is the depth: a place from 0, a name, or both as in depth.0; unless said, the only file.",
            default=output,
        ),
        Option(
            "remote.channel",
            "Which channel of it: a place from 0, or a name in an EXR or NPZ file; unless said, all must be equal.",
            default=channel,
        ),
        Option(
            "remote.scale",
            "What a stored step is, in the kind's own unit: 0.001 for millimetres; 0 where nothing is said.",
            default=0.0,
        ),
        Option(
            "remote.timeout",
            "Longest wait for one photo in seconds, a machine's start included.",
            default=600.0,
        ),
    )


MIDAS = ModelSpec(
    name="replicate-midas",
    kind=Kind(Quantity.INVERSE, Freedom.AFFINE),
    summary="relative inverse depth (MiDaS 3.1) by cjwbw/midas at replicate.com, as a grey picture",
    weights=Weights(
        source("cjwbw/midas"), revision="a6ba5798f04f80d3b314de0f0a62277f21ab3503c60c84d4817de83c5edfdae0"
    ),
    licence="MIT (MiDaS); it runs under Replicate's own terms",
    commercial=Commercial.YES,
    engines=ENGINES,
    paper="https://arxiv.org/abs/2307.14460",
    good_for="which is nearer, without a GPU of your own; a grey picture has few levels",
    step_up="dpt-beit-large-512, which is the same network here, with all its levels",
    options=(
        Option("model_type", "Which MiDaS network.", default="dpt_beit_large_512"),
        *choices(),
    ),
    extra=EXTRA,
    packages=PACKAGES,
    notice=notice("cjwbw/midas"),
)

MARIGOLD = ModelSpec(
    name="replicate-marigold",
    kind=Kind(Quantity.DEPTH, Freedom.AFFINE),
    summary="affine-invariant depth with fine detail by adirik/marigold at replicate.com, as a grey picture of 16 bits",
    weights=Weights(
        source("adirik/marigold"), revision="1a363593bc4882684fc58042d19db5e13a810e44e02f8d4c32afd1eb30464818"
    ),
    licence="Apache-2.0 (Marigold), as its page says; it runs under Replicate's own terms",
    commercial=Commercial.YES,
    engines=ENGINES,
    paper="https://arxiv.org/abs/2312.02145",
    good_for="fine detail, without a GPU of your own",
    step_up="marigold-depth-v1-1, which is newer, and runs here",
    options=(
        Option("num_infer", "Draws that are brought together, 1 to 20.", default=10),
        Option("denoise_steps", "Denoising steps, 1 to 50.", default=10),
        Option(
            "resize_input", "Whether it runs at 768 pixels on the longer side.", "true", ("true", "false")
        ),
        Option("regularizer_strength", "Weight of the regulariser when draws are aligned.", default=0.02),
        Option("reduction_method", "How aligned draws are merged.", "median", ("mean", "median")),
        Option("max_iter", "Most iterations of that alignment, 1 to 20.", default=5),
        Option("seed", "Where the noise starts.", default=0),
        *choices(output="0"),
    ),
    extra=EXTRA,
    packages=PACKAGES,
    notice=notice("adirik/marigold"),
)
