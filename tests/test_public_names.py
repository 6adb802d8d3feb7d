"""The public names and their parameters: other people's notebooks use them, so a change is a decision.

After such a decision, write what the failing test shows into public_names.json.
"""

import inspect
import json
import re
import subprocess
import sys
from pathlib import Path

import wcam_widget

SNAPSHOT = Path(__file__).with_name("public_names.json")


def parameters(name: str) -> list[str]:
    """Names and defaults, without annotations: `image`, `target=None`, `keyword title=None`; or a table."""
    value = getattr(wcam_widget, name)
    if isinstance(value, tuple):
        return list(value)
    signature = inspect.signature(value)
    told = [
        ("keyword " if one.kind is one.KEYWORD_ONLY else "") + str(one.replace(annotation=one.empty))
        for one in signature.parameters.values()
    ]
    return [re.sub(r" at 0x[0-9a-f]+", "", one) for one in told]  # where a function lies, by chance


def test_public_names_and_parameters():
    found = {name: parameters(name) for name in sorted(wcam_widget.__all__)}
    expected = json.loads(SNAPSHOT.read_text("utf-8"))
    assert found == expected, json.dumps(found, indent=2)


def test_every_public_name_is_there_and_described():
    undescribed = [name for name in wcam_widget.__all__ if not inspect.getdoc(getattr(wcam_widget, name))]
    assert undescribed == []
    assert set(wcam_widget.__all__) <= set(dir(wcam_widget))


def test_a_worker_imports_neither_widget_nor_plots():
    code = "import sys, wcam_widget; print({'anywidget', 'matplotlib', 'transformers'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
