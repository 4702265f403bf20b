"""What a recipe makes small, fitted to what its network says."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from leadline.core.errors import KindError
from leadline.core.kind import Kind
from leadline.training.losses.comparison import Scale, check_kind, compare
from leadline.training.losses.weighted import WeightedSum, make_loss
from leadline.training.network import DepthNetwork
from leadline.training.recipe import LossRecipe

__all__ = ["Objective"]


class Objective:
    """The weighted sum of a recipe's losses, on the numbers of one network.

    Args:
        terms: The recipe's terms.
        network: States what its numbers are, and turns metres into them.

    Raises:
        UnknownName: No loss has that name.
        InputError: A loss has no such option.
        KindError: A loss cannot compare what the network says, or none is for it.
    """

    def __init__(self, terms: Sequence[LossRecipe], *, network: DepthNetwork) -> None:
        meant = [term for term in terms if not term.only or Kind.parse(term.only) == network.output_kind]
        if not meant:
            raise KindError(
                f"no loss of the recipe is for a network that says {network.output_kind.words}",
                hint=f'add a term [[loss]] for it: only = "{network.output_kind}"',
            )
        self.loss = WeightedSum([(term.weight, make_loss(term.name, term.options)) for term in meant])
        self.scale, self.target, self.known = Scale(network.output_scale), network.target, network.known
        for _, loss in self.loss.terms:
            check_kind(loss, network.output_kind, scale=self.scale)

    def __call__(self, output: Tensor, truth_m: Tensor, *, rgb: Tensor) -> Tensor:
        """The loss of a batch.

        Args:
            output: What the network says, (N, 1, H, W).
            truth_m: Metres as the canonical camera would measure them, the same shape; 0 where unknown.
            rgb: The photos, 0 to 255.

        Returns:
            One number.
        """
        target, known = self.target(truth_m), self.known(truth_m)
        return self.loss(compare(output, target, mask=known, scale=self.scale, rgb=rgb))
