"""Commands whose options come from a table: the signature that typer reads, made from fields."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any

import typer

from services.console.fields import Children, Several, YesNo
from services.console.output import Json
from services.console.resources import Field

Parameter = inspect.Parameter


def argument(name: str, meaning: str, metavar: str = "") -> Parameter:
    """A positional argument."""
    annotation = Annotated[str, typer.Argument(metavar=metavar or name.upper(), help=meaning)]
    return Parameter(name, Parameter.POSITIONAL_OR_KEYWORD, annotation=annotation)


def option(name: str, meaning: str) -> Parameter:
    """An option that may be left out."""
    return Parameter(
        name, Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[str | None, typer.Option(help=meaning)]
    )


def as_json() -> Parameter:
    """The option --json."""
    return Parameter("as_json", Parameter.KEYWORD_ONLY, default=False, annotation=Json)


def switch(name: str, meaning: str) -> Parameter:
    """An option without a value, off unless it is given."""
    annotation = Annotated[bool, typer.Option(f"--{name.replace('_', '-')}", help=meaning)]
    return Parameter(name, Parameter.KEYWORD_ONLY, default=False, annotation=annotation)


def options(fields: Sequence[Field], *, adding: bool) -> list[Parameter]:
    """An option for each field; required ones must be given when a thing is added."""
    return [_option(field, required=adding and field.required) for field in fields]


def _option(field: Field, *, required: bool) -> Parameter:
    annotation: Any
    if isinstance(field.kind, YesNo):
        annotation = Annotated[bool | None, typer.Option(f"--{field.option}/--no-{field.option}", help=field.meaning)]
    else:
        shown = typer.Option(f"--{field.option}", metavar=field.kind.metavar, help=field.meaning)
        if isinstance(field.kind, Children | Several):
            annotation = Annotated[list[str] | None, shown]
        else:
            annotation = Annotated[str, shown] if required else Annotated[str | None, shown]
    default = Parameter.empty if required else None
    return Parameter(field.name, Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


def command(body: Callable[..., None], summary: str, parameters: Sequence[Parameter]) -> Callable[..., None]:
    """`body` as typer sees it: with these parameters and this help."""

    def called(**given: Any) -> None:
        body(**given)

    called.__doc__ = summary
    called.__signature__ = inspect.Signature(list(parameters))  # type: ignore[attr-defined]
    called.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return called


def group(name: str, summary: str, commands: Mapping[str, Callable[..., None]]) -> typer.Typer:
    """A group of commands, each described by its own signature and docstring."""
    made = typer.Typer(name=name, help=summary, no_args_is_help=True)
    for called, body in commands.items():
        made.command(called)(body)
    return made
