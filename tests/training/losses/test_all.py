"""What every loss owes: kinds stated and refused, unknown pixels unseen, finite numbers at the edges of their range."""

from __future__ import annotations

from itertools import product

import pytest
import torch

from leadline.core.errors import InputError, KindError, UnknownName
from leadline.core.kind import Freedom, Kind
from leadline.training.losses.comparison import Comparison, Loss, Scale, check_kind, compare
from leadline.training.losses.pointwise import L1, SILog
from leadline.training.losses.weighted import LOSSES, WeightedSum, make_loss

WITH_TRUTH = sorted(set(LOSSES) - {"edge-aware-smoothness"})
FORGIVEN = {"silog": SILog(1.0)}


def seen(batch: Comparison, said: torch.Tensor, mask: torch.Tensor | None = None) -> Comparison:
    rgb = torch.rand((2, 3, 24, 32), generator=torch.Generator().manual_seed(0)) * 255
    return compare(said, batch.truth, mask=batch.mask if mask is None else mask, rgb=rgb)


@pytest.mark.parametrize("name", WITH_TRUTH)
def test_nothing_unknown_moves_the_network(batch: Comparison, name: str) -> None:
    said = batch.said.clone().requires_grad_()
    loss = make_loss(name, {})
    loss(seen(batch, said)).backward()
    assert said.grad is not None
    assert not said.grad[~batch.mask].any()
    assert said.grad[batch.mask].any() or name == "ssim"  # few windows are known throughout
    spoilt = batch.said.where(batch.mask, 1e6)
    poisoned = Comparison(spoilt, batch.truth.where(batch.mask, torch.nan), batch.mask)
    assert loss(seen(poisoned, spoilt)).item() == pytest.approx(
        loss(seen(batch, batch.said)).item(), rel=1e-5
    )


@pytest.mark.parametrize("name", WITH_TRUTH)
def test_nothing_known_costs_nothing_and_moves_nothing(batch: Comparison, name: str) -> None:
    said = batch.said.clone().requires_grad_()
    loss = make_loss(name, {})(seen(batch, said, torch.zeros_like(batch.mask)))
    loss.backward()
    assert loss.item() == 0
    assert said.grad is not None
    assert not said.grad.any()


@pytest.mark.parametrize("name", WITH_TRUTH)
def test_the_truth_costs_nothing(batch: Comparison, name: str) -> None:
    flat = Comparison(batch.truth, torch.ones_like(batch.truth), torch.ones_like(batch.mask))
    held = flat if name == "target-edge-smoothness" else batch
    assert make_loss(name, {})(seen(held, held.truth)).item() == pytest.approx(0, abs=1e-5)


@pytest.mark.parametrize(
    ("name", "said", "kind"),
    list(product(sorted(LOSSES), [0.0, 1e-8, -1.0, 6e4], [torch.float16, torch.float32, torch.bfloat16])),
)
def test_numbers_stay_finite(batch: Comparison, name: str, said: float, kind: torch.dtype) -> None:
    flat = torch.full((2, 1, 24, 32), said, dtype=kind, requires_grad=True)
    truth = Comparison(batch.said, (batch.truth * 1e-3 if said < 1 else batch.truth).to(kind), batch.mask)
    loss = make_loss(name, {})(seen(truth, flat))
    loss.backward()
    assert torch.isfinite(loss)
    assert flat.grad is not None
    assert torch.isfinite(flat.grad).all()


@pytest.mark.parametrize(
    ("name", "allowed", "on_logarithms"),
    [
        ("l1", Freedom.NONE, Freedom.NONE),
        ("l2", Freedom.NONE, Freedom.NONE),
        ("berhu", Freedom.NONE, Freedom.NONE),
        ("silog", Freedom.SCALE, Freedom.SCALE),
        ("ssim", Freedom.NONE, Freedom.NONE),
        ("gradient", Freedom.NONE, Freedom.SCALE),
        ("edge-aware-smoothness", Freedom.SCALE, Freedom.SCALE),
        ("target-edge-smoothness", Freedom.NONE, Freedom.NONE),
        ("scale-shift-invariant", Freedom.AFFINE, Freedom.SCALE),
    ],
)
def test_each_refuses_what_it_cannot_compare(name: str, allowed: Freedom, on_logarithms: Freedom) -> None:
    loss: Loss = FORGIVEN.get(name) or make_loss(name, {})
    for scale, most in ((Scale.LINEAR, allowed), (Scale.LOG, on_logarithms)):
        for freedom in Freedom:
            kind = Kind(freedom=freedom)
            if freedom <= most:
                check_kind(loss, kind, scale=scale)
            else:
                with pytest.raises(KindError, match=f"loss '{name}' cannot compare {kind.words}"):
                    check_kind(loss, kind, scale=scale)


def test_the_table_above_names_every_loss_and_silog_forgives_no_factor_by_itself() -> None:
    assert len(LOSSES) == 9
    with pytest.raises(KindError, match="use silog with forgiven = 1") as refused:
        check_kind(SILog(), Kind.parse("disparity"))
    assert "use silog with forgiven = 1" in refused.value.hint


def test_a_sum_weighs_its_terms_and_is_as_strict_as_the_strictest(batch: Comparison) -> None:
    l1, free = L1(), make_loss("scale-shift-invariant", {})
    both = WeightedSum([(2.0, l1), (0.5, free)])
    here = seen(batch, batch.said)
    assert both(here).item() == pytest.approx(2 * l1(here).item() + 0.5 * free(here).item(), rel=1e-6)
    assert both.allows(Scale.LINEAR) is Freedom.NONE
    assert WeightedSum([(1.0, free)]).allows(Scale.LINEAR) is Freedom.AFFINE


def test_a_loss_is_made_by_name_and_what_is_wrong_is_said() -> None:
    assert make_loss("silog", {"forgiven": "0.5"}) == SILog(0.5)
    with pytest.raises(UnknownName, match="did you mean 'silog'"):
        make_loss("slog", {})
    with pytest.raises(InputError, match="loss 'ssim' has no option 'size'") as refused:
        make_loss("ssim", {"size": "3"})
    assert "window" in refused.value.hint
    with pytest.raises(InputError, match="loss 'ssim' has no option 'windw'; did you mean 'window'"):
        make_loss("ssim", {"windw": 7})
    with pytest.raises(InputError, match="loss 'l1' has no option"):
        make_loss("l1", {"size": "3"})
    with pytest.raises(InputError, match="loss 'ssim': "):
        make_loss("ssim", {"window": "wide"})
    with pytest.raises(InputError, match="window = 4"):
        make_loss("ssim", {"window": "4"})


def test_shapes_must_agree(batch: Comparison) -> None:
    with pytest.raises(InputError, match="differ in shape"):
        compare(batch.said[..., :4], batch.truth, mask=batch.mask)
