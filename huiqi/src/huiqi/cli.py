"""The one command. What a subcommand needs is imported when it is called, so that `huiqi --help` answers at once."""

import importlib
from typing import Any, Final

import click

# Name → where the click command is, and its line in the list of commands.
COMMANDS: Final = {
    "demo": ("huiqi.demo:demo", "Show a plan year on this machine, from the data to the titles."),
    "up": ("huiqi.up:up", "Start everything on this machine and keep it running."),
    "self-check": ("huiqi.self_check:self_check", "Judge a facts file by a programme's rules."),
    "what-if": (
        "huiqi.what_if:what_if",
        "Judge all enterprises by two editions: whose verdict changes, and why.",
    ),
    "import": ("huiqi.imports:import_", "Take in a workbook of enterprises and their facts."),
    "ledger": ("huiqi.ledger_command:ledger", "Check the promises over all databases and topics."),
    "parked": ("huiqi.parked:parked", "See, replay or discard the events that were set aside."),
    "reconcile": ("huiqi.reconcile:reconcile", "Send again what never reached a listener."),
    "verify": (
        "huiqi.verify:verify",
        "Verify the hash chain over the events, a draw, a certificate or a credential.",
    ),
    "files": ("huiqi.files:files", "Find stored objects that no row names, and rows without their object."),
    "token": ("huiqi.tokens:token", "Sign a development token for a house on this machine."),
}


class LazyGroup(click.Group):
    """A group whose commands are loaded when they are called."""

    def list_commands(self, _ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, _ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[cmd_name][0].partition(":")
        command: Any = getattr(importlib.import_module(module), attribute)
        if not isinstance(command, click.Command):
            raise TypeError(f"{module}:{attribute} is not a command")
        return command

    def format_commands(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="huiqi")
def main() -> None:
    """Run and watch huiqi: the services, what they promise, and what waits for a person."""
