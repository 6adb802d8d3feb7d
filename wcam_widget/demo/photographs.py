"""Bundled photographs of things that ImageNet networks know, under free licences; see PHOTOGRAPHS.md."""

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from importlib.resources import files
from typing import final

from PIL import Image

NAMES = ("astronaut", "cameraman", "cat", "coffee", "rocket")


@final
class Photographs(Mapping[str, Image.Image]):
    """Photographs by name, each an RGB image of PIL, read anew at every look-up.

    >>> Photographs()
    Photographs(astronaut, cameraman, cat, coffee, rocket)
    """

    def __getitem__(self, name: str) -> Image.Image:
        if name not in NAMES:
            near = get_close_matches(str(name), NAMES, n=1)
            hint = f"did you mean {near[0]!r}? " if near else ""
            raise KeyError(f"name: found {name!r}; {hint}accepted are {', '.join(map(repr, NAMES))}")
        with files(__package__).joinpath(f"photographs/{name}.jpg").open("rb") as file:
            return Image.open(file).convert("RGB")

    def __iter__(self) -> Iterator[str]:
        return iter(NAMES)

    def __len__(self) -> int:
        return len(NAMES)

    def __repr__(self) -> str:
        return f"Photographs({', '.join(NAMES)})"


def load_photos() -> Photographs:
    """Load five photographs with a free licence, to try a network of ImageNet classes on.

    What EfficientNet-Lite0 says of each as `load_model("efficientnet-lite0")` sees it:

    | name | size | first class | second class |
    | --- | --- | --- | --- |
    | `"astronaut"` | 512 x 512 | football helmet .18 | bobsled .12 |
    | `"cameraman"` | 512 x 512, grey | tripod .94 | harmonica .01 |
    | `"cat"` | 451 x 285 | Egyptian cat .42 | tiger cat .30 |
    | `"coffee"` | 512 x 341 | espresso .96 | cup .01 |
    | `"rocket"` | 512 x 342 | missile .23 | drilling platform .16 |

    ImageNet has no class for an astronaut, and the network says so by being sure of nothing.

    Returns:
        A mapping from names to RGB images of PIL, new ones at every look-up.

    Examples:
        >>> photos = load_photos()
        >>> list(photos), photos["cat"].size
        (['astronaut', 'cameraman', 'cat', 'coffee', 'rocket'], (451, 285))
    """
    return Photographs()
