"""The loop: it learns, it goes on where it stopped, and it keeps what it scored."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import torch

from leadline.core.errors import InputError, TrainingError, WeightsError
from leadline.core.sample import Sample
from leadline.ops.metrics import score
from leadline.training.batches import FrameBatches, FrameData
from leadline.training.checkpoint import Keeper, load_average
from leadline.training.loop import Outcome, fit
from leadline.training.module import DepthModule
from leadline.training.network import DepthNetwork, build_network, predict_metres
from leadline.training.recipe import Recipe
from leadline.training.setting import Setting
from leadline.training.views import Frame, pack


class Breaking(Sequence[Frame]):
    """Frames whose disk fails after some have been read."""

    def __init__(self, frames: list[Frame], *, after: int) -> None:
        self.frames, self.left = frames, after

    def __len__(self) -> int:
        return len(self.frames)

    def __getitem__(self, index: Any) -> Any:
        self.left -= 1
        if self.left < 0:
            raise OSError("the disk is gone")
        return self.frames[index]


def history(out: Path) -> Iterator[dict[str, str]]:
    with (out / "history/metrics.csv").open() as file:
        yield from csv.DictReader(file)


def test_a_run_that_stopped_goes_on_as_if_it_had_not(
    tmp_path: Path, tiny_recipe: Recipe, tiny_samples: list[Sample]
) -> None:
    frames, held_out = [pack(s) for s in tiny_samples[:4]], tiny_samples[4:]
    straight = build_network(tiny_recipe)
    fit(straight, frames=frames, held_out=held_out, recipe=tiny_recipe, out=tmp_path / "straight")
    with pytest.raises(OSError, match="the disk is gone"):
        fit(
            build_network(tiny_recipe),
            frames=Breaking(frames, after=10),
            held_out=held_out,
            recipe=tiny_recipe,
            out=tmp_path / "broken",
        )
    resumed = build_network(tiny_recipe)
    last = fit(
        resumed, frames=frames, held_out=held_out, recipe=tiny_recipe, out=tmp_path / "broken"
    ).checkpoint
    for (name, one), (_, two) in zip(
        straight.state_dict().items(), resumed.state_dict().items(), strict=True
    ):
        assert torch.equal(one, two), name
    epochs = [int(row["epoch"]) for row in history(tmp_path / "broken") if row["abs_rel"]]
    assert sorted(epochs) == [0, 1, 2]
    # A run that is finished is only read back.
    again = build_network(tiny_recipe)
    done = fit(again, frames=frames, held_out=held_out, recipe=tiny_recipe, out=tmp_path / "broken")
    assert done.checkpoint == last
    assert torch.equal(again.head.weight, straight.head.weight)  # type: ignore[union-attr]


def test_an_epoch_that_is_done_again_stands_in_the_history_once(
    tmp_path: Path, tiny_recipe: Recipe, tiny_samples: list[Sample], monkeypatch: pytest.MonkeyPatch
) -> None:
    frames, held_out = [pack(s) for s in tiny_samples[:4]], tiny_samples[4:]
    whole = Keeper.on_train_epoch_end

    def broken(keeper: Keeper, trainer: Any, module: Any) -> None:
        if trainer.current_epoch == 1:  # validated, and not yet kept
            raise OSError("the power is gone")
        whole(keeper, trainer, module)

    def run(out: str) -> list[dict[str, str]]:
        network = build_network(tiny_recipe)
        fit(network, frames=frames, held_out=held_out, recipe=tiny_recipe, out=tmp_path / out)
        return [{**row, "data_wait": ""} for row in history(tmp_path / out)]

    monkeypatch.setattr(Keeper, "on_train_epoch_end", broken)
    with pytest.raises(OSError, match="the power is gone"):
        run("broken")
    monkeypatch.setattr(Keeper, "on_train_epoch_end", whole)
    assert [row["epoch"] for row in history(tmp_path / "broken") if row["abs_rel"]] == ["0", "1"]
    (tmp_path / "straight/history").mkdir(parents=True)  # of a run whose checkpoints are gone
    (tmp_path / "straight/history/metrics.csv").write_text("epoch,step,gone\n0,2,1\n")
    straight, resumed = run("straight"), run("broken")
    assert [row["epoch"] for row in resumed] == ["0", "1", "2"]
    assert resumed == straight
    assert all(row["loss"] and row["rate"] and row["abs_rel"] for row in resumed)


def test_a_checkpoint_of_another_recipe_is_refused(
    tmp_path: Path, tiny_recipe: Recipe, tiny_samples: list[Sample]
) -> None:
    frames, held_out = [pack(s) for s in tiny_samples[:4]], tiny_samples[4:]
    fit(build_network(tiny_recipe), frames=frames, held_out=held_out, recipe=tiny_recipe, out=tmp_path)
    other = replace(tiny_recipe, seed=tiny_recipe.seed + 1)
    with pytest.raises(InputError, match="use an empty folder"):
        fit(build_network(other), frames=frames, held_out=held_out, recipe=other, out=tmp_path)


def test_what_is_kept_is_what_was_validated(
    tmp_path: Path, tiny_recipe: Recipe, tiny_samples: list[Sample]
) -> None:
    network = build_network(tiny_recipe)
    frames, held_out = [pack(s) for s in tiny_samples[:4]], tiny_samples[4:]
    last = fit(network, frames=frames, held_out=held_out, recipe=tiny_recipe, out=tmp_path).checkpoint
    scores = [score(predict_metres(cast(DepthNetwork, network), s.image), s.truth) for s in held_out]
    final = [row for row in history(tmp_path) if row["abs_rel"]][-1]
    assert float(final["abs_rel"]) == pytest.approx(np.mean([s.abs_rel for s in scores]), rel=1e-5)
    assert float(final["silog"]) == pytest.approx(np.mean([s.silog for s in scores]), rel=1e-5)
    current = torch.load(last, weights_only=True)["current_model_state"]["network.head.weight"]
    assert not torch.equal(current, network.head.weight)  # type: ignore[arg-type, union-attr]


def test_it_learns(tmp_path: Path, tiny_recipe: Recipe, tiny_samples: list[Sample]) -> None:
    longer = replace(tiny_recipe.optimiser, epochs=14, validate_every=14, encoder_lr=5e-3, decoder_lr=2e-2)
    plain = replace(
        tiny_recipe.views, brightness_jitter=0.0, gamma_jitter=0.0, channel_jitter=0.0, noise_chance=0.0
    )
    recipe = replace(tiny_recipe, optimiser=longer, views=plain)
    fit(
        build_network(recipe),
        frames=[pack(s) for s in tiny_samples],
        held_out=tiny_samples,
        recipe=recipe,
        out=tmp_path,
    )
    losses = [float(row["loss"]) for row in history(tmp_path) if row["loss"]]
    assert len(losses) == 14
    assert np.mean(losses[-5:]) < 0.8 * np.mean(losses[:3])


def test_rates_rise_then_fall_and_the_encoder_moves_slower(tiny_recipe: Recipe) -> None:
    module = DepthModule(build_network(tiny_recipe), recipe=tiny_recipe, steps=200)
    made = module.configure_optimizers()
    options = tiny_recipe.optimiser
    peaks = {(g["initial_lr"], g["weight_decay"]) for g in made["optimizer"].param_groups}
    assert peaks == {
        (rate, decay)
        for rate in (options.encoder_lr, options.decoder_lr)
        for decay in (options.weight_decay, 0.0)
    }
    rates = []
    for _ in range(200):
        rates.append(made["lr_scheduler"]["scheduler"].get_last_lr()[0] / options.encoder_lr)
        made["optimizer"].step()
        made["lr_scheduler"]["scheduler"].step()
    assert max(rates) == pytest.approx(1.0)
    assert rates.index(max(rates)) == 10
    assert rates[:10] == sorted(rates[:10])
    assert rates[10:] == sorted(rates[10:], reverse=True)
    assert rates[-1] < 0.001
    half_way = 0.5 * (1 + np.cos(np.pi * (105 - 10) / 190))
    assert rates[105] == pytest.approx(half_way)


def test_rates_can_stay_up_and_fall_at_the_end_only(tiny_recipe: Recipe) -> None:
    recipe = replace(tiny_recipe, optimiser=replace(tiny_recipe.optimiser, fall=0.25))
    module = DepthModule(build_network(recipe), recipe=recipe, steps=200)
    schedule = module.configure_optimizers()["lr_scheduler"]["scheduler"]
    rates = [schedule.lr_lambdas[0](step) for step in range(200)]
    assert rates[10:151] == [1.0] * 141
    assert rates[150:] == sorted(rates[150:], reverse=True)
    assert rates[175] == pytest.approx(0.5)
    assert rates[199] < 0.002


@pytest.mark.parametrize(
    ("method", "kind"), [("adamw", torch.optim.AdamW), ("adam", torch.optim.Adam), ("sgd", torch.optim.SGD)]
)
def test_the_method_is_the_recipes_and_rates_may_never_fall(
    tiny_recipe: Recipe, method: str, kind: type[torch.optim.Optimizer]
) -> None:
    recipe = replace(tiny_recipe, optimiser=replace(tiny_recipe.optimiser, method=method, fall=0.0))
    made = DepthModule(build_network(recipe), recipe=recipe, steps=200).configure_optimizers()
    assert type(made["optimizer"]) is kind
    assert [made["lr_scheduler"]["scheduler"].lr_lambdas[0](step) for step in (10, 100, 199)] == [1.0] * 3


class Spoilt(torch.nn.Module):
    """A network whose output at some call is replaced."""

    def __init__(self, inner: torch.nn.Module, *, at: int, value: float) -> None:
        super().__init__()
        self.inner, self.left, self.value = inner, at, value

    def __getattr__(self, name: str) -> Any:
        try:
            return super().__getattr__(name)
        except AttributeError:
            return getattr(super().__getattr__("inner"), name)

    def forward(self, rgb: torch.Tensor) -> torch.Tensor:
        self.left -= 1 if self.training else 0
        said: torch.Tensor = self.inner(rgb)
        return said * self.value if self.left == -1 else said


@pytest.mark.parametrize(
    ("value", "what"),
    [(float("nan"), "the loss is nan"), (1e6, "the loss is [0-9.e+]+, the usual one [0-9.]+ at")],
    ids=["no number", "explodes"],
)
def test_a_loss_that_leads_nowhere_stops_the_run_and_names_the_samples(
    tmp_path: Path, tiny_recipe: Recipe, tiny_samples: list[Sample], value: float, what: str
) -> None:
    recipe = replace(tiny_recipe, optimiser=replace(tiny_recipe.optimiser, epochs=20, validate_every=99))
    frames = [pack(s) for s in tiny_samples[:4]]
    network = Spoilt(build_network(recipe), at=25, value=value)
    with pytest.raises(TrainingError, match=what) as stopped:
        fit(network, frames=frames, held_out=[], recipe=recipe, out=tmp_path)
    # Two steps an epoch: the 26th is the second of epoch 12.
    order = FrameBatches(frames, recipe=recipe, network=cast(DepthNetwork, network), epoch=12).ids(1)
    assert str(stopped.value).count("at step 1 of epoch 12") == 1
    assert ", ".join(map(repr, order)) in stopped.value.message
    state = torch.load(tmp_path / "last.ckpt", weights_only=True)
    assert state["epoch"] == 11
    assert all(torch.isfinite(t).all() for t in state["state_dict"].values())


def test_a_gradient_that_is_no_number_stops_the_run(
    tmp_path: Path, tiny_recipe: Recipe, tiny_samples: list[Sample]
) -> None:
    network = build_network(tiny_recipe)
    network.head.bias.register_hook(lambda grad: grad * torch.nan)  # type: ignore[union-attr, operator]
    with pytest.raises(TrainingError, match="the norm of the gradient is nan at step 0 of epoch 0"):
        fit(network, frames=[pack(s) for s in tiny_samples], held_out=[], recipe=tiny_recipe, out=tmp_path)


class Vague(torch.nn.Module):
    """A sample with a photo of its own breaks the loss, and only that one."""

    def __init__(self, inner: torch.nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def __getattr__(self, name: str) -> Any:
        try:
            return super().__getattr__(name)
        except AttributeError:
            return getattr(super().__getattr__("inner"), name)

    def forward(self, rgb: torch.Tensor) -> torch.Tensor:
        red = rgb[:, :1].amax((2, 3), keepdim=True) > rgb[:, 1:2].amax((2, 3), keepdim=True) + 200
        return torch.where(red, torch.nan, self.inner(rgb))


def test_the_one_sample_that_broke_the_loss_is_named(
    tmp_path: Path, tiny_recipe: Recipe, tiny_samples: list[Sample]
) -> None:
    red = np.zeros_like(tiny_samples[2].image.rgb_HW3)
    red[..., 0] = 255
    frames = [pack(s) for s in tiny_samples[:4]]
    frames[2] = replace(frames[2], rgb_HW3=red)
    plain = dict.fromkeys(("channel_jitter", "saturation_jitter", "brightness_jitter", "noise_chance"), 0.0)
    recipe = replace(tiny_recipe, views=replace(tiny_recipe.views, **plain))
    with pytest.raises(TrainingError, match="; it is that of '2' alone"):
        fit(Vague(build_network(recipe)), frames=frames, held_out=[], recipe=recipe, out=tmp_path)


def test_a_checkpoint_of_another_network_is_refused_by_name_and_shape(
    tmp_path: Path, tiny_recipe: Recipe, tiny_samples: list[Sample]
) -> None:
    frames = [pack(s) for s in tiny_samples[:4]]
    short = replace(tiny_recipe, optimiser=replace(tiny_recipe.optimiser, epochs=1))
    fit(build_network(short), frames=frames, held_out=[], recipe=short, out=tmp_path / "one")
    other = replace(short, network=replace(short.network, widths=(16, 12, 8, 8, 6)))
    setting = Setting(resume=tmp_path / "one/last.ckpt")
    with pytest.raises(
        WeightsError, match=r"of another network: 'head\.weight' is 1x4x3x3 there and 1x6x3x3 here"
    ):
        fit(build_network(other), frames=frames, held_out=[], recipe=other, out=tmp_path, setting=setting)
    (tmp_path / "x.ckpt").write_bytes(b"no")
    with pytest.raises(WeightsError, match="is not a checkpoint of a training run"):
        fit(
            build_network(short),
            frames=frames,
            held_out=[],
            recipe=short,
            out=tmp_path,
            setting=Setting(resume=tmp_path / "x.ckpt"),
        )


def test_the_average_of_a_short_run_follows_its_weights(
    tmp_path: Path, tiny_recipe: Recipe, tiny_samples: list[Sample]
) -> None:
    """And is not the weights it began with, whatever decay the recipe names for long ones."""
    recipe = replace(tiny_recipe, optimiser=replace(tiny_recipe.optimiser, epochs=10, ema_decay=0.9999))
    network = build_network(recipe)
    name = "head.weight"
    start = network.state_dict()[name].clone()
    fit(network, frames=[pack(s) for s in tiny_samples[:4]], held_out=[], recipe=recipe, out=tmp_path)
    kept = load_average(build_network(recipe), tmp_path / "last.ckpt").state_dict()[name]
    newest = torch.load(tmp_path / "last.ckpt", weights_only=True)["current_model_state"][f"network.{name}"]
    moved = float((newest - start).norm())
    assert moved > 0
    assert float((kept - newest).norm()) < 0.5 * moved


def test_a_run_does_not_go_on_with_more_or_fewer_frames(
    tmp_path: Path, tiny_recipe: Recipe, tiny_samples: list[Sample]
) -> None:
    frames = [pack(s) for s in tiny_samples[:4]]
    whole = fit(build_network(tiny_recipe), frames=frames, held_out=[], recipe=tiny_recipe, out=tmp_path)
    before = whole.checkpoint.read_bytes()
    with pytest.raises(InputError, match="of a run with 4 frames, and here are 5; give"):
        fit(
            build_network(tiny_recipe),
            frames=[*frames, frames[0]],
            held_out=[],
            recipe=tiny_recipe,
            out=tmp_path,
        )
    assert whole.checkpoint.read_bytes() == before


def test_a_run_without_progress_ends_early_and_stays_ended_and_the_best_is_kept(
    tmp_path: Path, tiny_recipe: Recipe, tiny_samples: list[Sample]
) -> None:
    still = replace(
        tiny_recipe.optimiser,
        epochs=9,
        patience=2,
        encoder_lr=1e-12,
        decoder_lr=1e-12,
        method="sgd",
        ema_decay=0.0,
    )
    recipe = replace(tiny_recipe, optimiser=still)
    frames, held_out = [pack(s) for s in tiny_samples[:4]], tiny_samples[4:]
    fit(build_network(recipe), frames=frames, held_out=held_out, recipe=recipe, out=tmp_path)
    last = torch.load(tmp_path / "last.ckpt", weights_only=True)
    assert last["epoch"] < 8
    again = fit(build_network(recipe), frames=frames, held_out=held_out, recipe=recipe, out=tmp_path)
    assert torch.load(again.checkpoint, weights_only=True)["epoch"] == last["epoch"]
    figures = [float(row["abs_rel"]) for row in history(tmp_path) if row["abs_rel"]]
    best = torch.load(tmp_path / "best.ckpt", weights_only=True)
    assert best["epoch"] == int(np.argmin(figures))
    assert best["epoch"] <= last["epoch"] - 2
    kept = replace(recipe, export=replace(recipe.export, checkpoint="best"))
    network = build_network(kept)
    (tmp_path / "other").mkdir()
    (tmp_path / "other/.leadline-0123.ckpt").write_bytes(b"what a killed run was writing")
    fit(network, frames=frames, held_out=held_out, recipe=kept, out=tmp_path / "other")
    assert not list((tmp_path / "other").glob(".leadline-*"))
    best = torch.load(tmp_path / "other/best.ckpt", weights_only=True)
    assert torch.equal(best["state_dict"]["network.head.weight"], network.head.weight)  # type: ignore[arg-type]
    # A run this slow makes the same of the best and the last; told apart by hand, it is the best that is taken.
    best["state_dict"]["network.head.weight"] += 1
    torch.save(best, tmp_path / "other/best.ckpt")
    fit(network, frames=frames, held_out=held_out, recipe=kept, out=tmp_path / "other")
    assert torch.equal(best["state_dict"]["network.head.weight"], network.head.weight)  # type: ignore[arg-type]


def test_half_precision_of_a_gpu_is_refused_on_a_cpu(
    tmp_path: Path, tiny_recipe: Recipe, tiny_samples: list[Sample]
) -> None:
    recipe = replace(tiny_recipe, optimiser=replace(tiny_recipe.optimiser, precision="float16"))
    with pytest.raises(InputError, match="'float16' needs a GPU"):
        fit(
            build_network(recipe),
            frames=[pack(s) for s in tiny_samples],
            held_out=[],
            recipe=recipe,
            out=tmp_path,
            setting=Setting(accelerator="cpu"),
        )


def test_tensorboard_gets_curves_and_pictures_and_the_time_is_taken(
    tmp_path: Path, tiny_recipe: Recipe, tiny_samples: list[Sample]
) -> None:
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    frames, held_out = [pack(s) for s in tiny_samples[:4]], tiny_samples[4:]

    def run(frames: Sequence[Frame]) -> Outcome:
        return fit(
            build_network(tiny_recipe),
            frames=frames,
            held_out=held_out,
            recipe=tiny_recipe,
            out=tmp_path,
            setting=Setting(tensorboard=True),
        )

    with pytest.raises(OSError, match="the disk is gone"):
        run(Breaking(frames, after=10))
    outcome = run(frames)  # it goes on in the same log
    events = accumulator.EventAccumulator(str(tmp_path / "tensorboard"))
    events.Reload()
    tags = events.Tags()
    assert set(tags["images"]) == {"4", "5"}
    assert [event.step for event in events.Images("4")] == [0, 1, 2]  # every epoch
    assert (events.Images("4")[0].height, events.Images("4")[0].width) == (48, 3 * 64)
    assert {"loss", "abs_rel", "rate", "data_wait"} <= set(tags["scalars"])
    assert 0 <= outcome.waited < 1
    assert outcome.steps_per_s > 0


@pytest.mark.parametrize("wrong", [{"strategy": "dpp"}, {"accelerator": "gpu"}])
def test_devices_that_are_not_there_are_told_in_a_line(
    tmp_path: Path, tiny_recipe: Recipe, tiny_samples: list[Sample], wrong: dict[str, str]
) -> None:
    if torch.cuda.is_available() and "accelerator" in wrong:
        pytest.skip("there is a GPU")
    with pytest.raises(InputError, match=r"cannot train here: .*; choose another --accelerator"):
        fit(
            build_network(tiny_recipe),
            frames=[pack(s) for s in tiny_samples],
            held_out=[],
            recipe=tiny_recipe,
            out=tmp_path,
            setting=Setting(**wrong),  # type: ignore[arg-type]
        )


def test_a_batch_that_cannot_be_shared_evenly_is_refused(
    tiny_recipe: Recipe, tiny_samples: list[Sample]
) -> None:
    class Alone:
        world_size, global_rank = 3, 1

    network = cast(DepthNetwork, build_network(tiny_recipe))
    data = FrameData([pack(s) for s in tiny_samples], [], recipe=tiny_recipe, network=network)
    data.trainer = Alone()
    with pytest.raises(InputError, match="a batch of 2 views cannot be shared evenly among 3 processes"):
        data.setup("fit")
    Alone.world_size = 2
    data.setup("fit")
    whole, own = data.batches(1), data.own(1)
    assert torch.equal(own[0][0], whole[0][0][1:2])  # the second process has the second view
    assert own.ids(0) == whole.ids(0)[1:]


def test_settings_out_of_range_are_refused() -> None:
    with pytest.raises(InputError, match="save_every = 0 is too small"):
        Setting(save_every=0)


def test_what_is_kept_can_hold_a_share_of_what_it_began_with(
    tmp_path: Path, tiny_recipe: Recipe, tiny_samples: list[Sample]
) -> None:
    frames = [pack(s) for s in tiny_samples[:4]]
    kept = {}
    for share in (0.0, 0.5):
        recipe = replace(tiny_recipe, optimiser=replace(tiny_recipe.optimiser, start_share=share))
        network = build_network(recipe)
        began = {name: tensor.clone() for name, tensor in network.named_parameters()}
        fit(network, frames=frames, held_out=tiny_samples[4:], recipe=recipe, out=tmp_path / str(share))
        kept[share] = {name: tensor.detach().clone() for name, tensor in network.named_parameters()}
    for name, tensor in kept[0.5].items():
        assert torch.allclose(tensor, (kept[0.0][name] + began[name]) / 2, atol=1e-6), name
    assert not torch.equal(kept[0.5]["head.weight"], kept[0.0]["head.weight"])
