"""``leadline completion``."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from leadline.cli.main import cli

__all__ = ["completion"]

SHELLS = ("bash", "zsh", "fish")


@click.command(
    epilog="""\b
Examples:
  eval "$(leadline completion bash)"                                      # in ~/.bashrc
  eval "$(leadline completion zsh)"                                       # in ~/.zshrc
  leadline completion fish > ~/.config/fish/completions/leadline.fish
"""
)
@click.argument("shell", type=click.Choice(SHELLS))
def completion(shell: str) -> None:
    """Completion for your shell: commands, options, and the names of models, formats and colour maps."""
    found = get_completion_class(shell)
    assert found is not None
    click.echo(found(cli, {}, "leadline", "_LEADLINE_COMPLETE").source())
