"""What was explained, and how, as lines of Python that do it again."""

from __future__ import annotations

import sys
from dataclasses import fields, is_dataclass
from typing import Any

from wcam_widget.explain import AbstractMethod
from wcam_widget.model import AbstractTarget, Logit

PACKAGE = "wcam_widget"


def explore_code(method: AbstractMethod, target: AbstractTarget) -> str:
    """The call of ``explore``, of a ``model`` and an ``image`` that are called so.

    >>> import wcam_widget
    >>> from wcam_widget.explain import Wcam
    >>> print(explore_code(Wcam(levels=2), Logit(285)))
    from wcam_widget import Wcam
    from wcam_widget import explore
    explorer = explore(model, image, target=285, method=Wcam(levels=2))
    """
    imports = {_import("explore", f"{PACKAGE}.show.explorer.explore")}
    arguments = ["model", "image"]
    for name, value in (("target", target), ("method", method)):
        try:
            arguments.append(f"{name}={_expression(value, imports)}")
        except ValueError:
            arguments.append(f"{name}={name}")  # of the caller's own making: the variable has to be there
    return "\n".join([*sorted(imports), f"explorer = explore({', '.join(arguments)})"])


def _expression(value: Any, imports: set[str]) -> str:
    """A value as Python writes it; ValueError where that cannot be."""
    if value is None or isinstance(value, bool | int | float | str):
        return repr(value)
    if isinstance(value, Logit):
        return repr(value.class_id)
    if isinstance(value, tuple | list):
        parts = [_expression(one, imports) for one in value]
        return f"({', '.join(parts)}{',' if len(parts) == 1 else ''})"
    if not is_dataclass(value) or isinstance(value, type):
        raise ValueError
    kind = type(value)
    if not kind.__module__.startswith(f"{PACKAGE}."):
        raise ValueError
    given = [one for one in fields(value) if one.init and not _same(getattr(value, one.name), one.default)]
    arguments = ", ".join(f"{one.name}={_expression(getattr(value, one.name), imports)}" for one in given)
    imports.add(_import(kind.__name__, kind.__module__))
    return f"{kind.__name__}({arguments})"


def _same(value: Any, default: Any) -> bool:
    return value is default or (isinstance(value, bool | int | float | str | tuple) and value == default)


def _import(name: str, module: str) -> str:
    """The shortest import of a name of ours."""
    public = name in getattr(sys.modules.get(PACKAGE), "__all__", ())
    return f"from {PACKAGE if public else module} import {name}"
