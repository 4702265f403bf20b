"""The Keras tutorial's U-Net, built in Keras 3, on PyTorch unless KERAS_BACKEND says otherwise; run by ``test_unet.py`` in a process of its own.

    python keras_unet.py WEIGHTS.npz OUTPUT.npz

reads the torch network's weights and a batch from WEIGHTS.npz and writes what the Keras network says of that batch, in
evaluation and in training mode, and the tutorial's three loss terms.
"""

from __future__ import annotations

import os
import sys

os.environ.setdefault("KERAS_BACKEND", "torch")

import keras
import numpy as np
from keras import layers, ops

WIDTHS = (16, 32, 64, 128, 256)


def network() -> keras.Model:
    """The tutorial's blocks, as its text draws them."""
    x = inputs = keras.Input((256, 256, 3))
    skips = []
    for number, width in enumerate(WIDTHS[:-1]):
        first = layers.Conv2D(width, 3, padding="same", name=f"down-{number}-conv_a")(x)
        x = layers.BatchNormalization(name=f"down-{number}-norm_a")(first)
        x = layers.LeakyReLU(negative_slope=0.2)(x)
        x = layers.Conv2D(width, 3, padding="same", name=f"down-{number}-conv_b")(x)
        x = layers.BatchNormalization(name=f"down-{number}-norm_b")(x)
        x = layers.Add()([layers.LeakyReLU(negative_slope=0.2)(x), first])
        skips.append(x)
        x = layers.MaxPool2D((2, 2), (2, 2))(x)
    for name in ("conv_a", "conv_b"):
        x = layers.Conv2D(WIDTHS[-1], 3, padding="same", name=f"bottleneck-{name}")(x)
        x = layers.LeakyReLU(negative_slope=0.2)(x)
    for number, width in enumerate(WIDTHS[-2::-1]):
        x = layers.Concatenate()([layers.UpSampling2D((2, 2))(x), skips[-1 - number]])
        for name in ("a", "b"):
            x = layers.Conv2D(width, 3, padding="same", name=f"up-{number}-conv_{name}")(x)
            x = layers.BatchNormalization(name=f"up-{number}-norm_{name}")(x)
            x = layers.LeakyReLU(negative_slope=0.2)(x)
    return keras.Model(inputs, layers.Conv2D(1, 1, activation="tanh", name="head")(x))


def copy_across(model: keras.Model, weights: dict[str, np.ndarray]) -> None:
    """Every tensor of the torch network into the layer of its name; what is left over on either side is an error."""
    left = {name for name in weights if not name.endswith("num_batches_tracked")}
    for layer in model.layers:
        if not layer.weights:
            continue
        path = layer.name.replace("-", ".")  # PyTorch allows no dot in a name of Keras'
        kept = [f"{path}.{part}" for part in ("weight", "bias", "running_mean", "running_var")]
        arrays = [weights[name] for name in kept if name in weights]
        left -= set(kept)
        if arrays[0].ndim == 4:
            arrays[0] = arrays[0].transpose(2, 3, 1, 0)
        layer.set_weights(arrays)
    assert not left, left


def loss_terms(target: np.ndarray, said: np.ndarray) -> list[float]:
    """.85 x SSIM, .1 x L1 and .9 x smoothness, each before its weight, in NumPy and double precision."""
    bell = np.exp(-((np.arange(7) - 3.0) ** 2) / (2 * 1.5**2))
    window = np.outer(bell, bell) / bell.sum() ** 2
    c1, c2 = (1e-4 * 256) ** 2, (9e-4 * 256) ** 2  # max_val is the picture's width
    x, y = (
        np.lib.stride_tricks.sliding_window_view(plane[..., 0].astype(float), (7, 7), axis=(1, 2))
        for plane in (target, said)
    )
    mean_x, mean_y, xx, yy, xy = (
        np.einsum("nhwab,ab->nhw", values, window) for values in (x, y, x * x, y * y, x * y)
    )
    luminance = (2 * mean_x * mean_y + c1) / (mean_x**2 + mean_y**2 + c1)
    structure = (2 * (xy - mean_x * mean_y) + c2) / (xx + yy - mean_x**2 - mean_y**2 + c2)
    ssim = float(np.mean(1 - (luminance * structure).mean((1, 2))))
    l1 = float(np.abs(target - said).mean())
    smoothness = 0.0
    for axis in (1, 2):
        edge = [(0, 0)] * 4
        edge[axis] = (0, 1)
        d_target, d_said = (np.pad(np.diff(p.astype(float), axis=axis), edge) for p in (target, said))
        smoothness += float(np.mean(np.abs(d_said * np.exp(np.mean(np.abs(d_target))))))
    return [ssim, l1, smoothness]


def main() -> None:
    """See above."""
    given = dict(np.load(sys.argv[1]))
    rgb, target = given.pop("rgb"), given.pop("target")
    model = network()
    copy_across(model, given)
    unit = (rgb / 255.0).astype(np.float32).transpose(0, 2, 3, 1)
    evaluated = ops.convert_to_numpy(ops.stop_gradient(model(unit, training=False)))
    trained = ops.convert_to_numpy(ops.stop_gradient(model(unit, training=True)))
    terms = loss_terms(target.transpose(0, 2, 3, 1), evaluated)
    np.savez(
        sys.argv[2],
        evaluated=evaluated.transpose(0, 3, 1, 2),
        trained=trained.transpose(0, 3, 1, 2),
        terms=np.array(terms),
        parameters=model.count_params(),
    )


if __name__ == "__main__":
    main()
