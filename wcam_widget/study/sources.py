"""The images of a study, each with its name, label and digest, read when their turn comes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from PIL import Image
from torch import Tensor
from typing_extensions import override

from wcam_widget.model import ImageLike
from wcam_widget.model.photograph import is_photograph
from wcam_widget.study.fingerprint import fingerprint, of_bytes
from wcam_widget.text import printable

if TYPE_CHECKING:
    DataLike: TypeAlias = Any
    LabelsLike: TypeAlias = Sequence[Any] | Mapping[str, Any] | None
else:
    # Checks at run time are our own: their errors name the argument as the caller wrote it.
    DataLike = LabelsLike = Any

ACCEPTED = (
    "a folder of image files, a dataset with a length and an index (torch, Hugging Face), a list of images "
    "or of pairs (image, label), and a tensor or array (n, C, H, W)"
)
_IMAGE_KEYS = ("image", "img", "pixel_values", "photo", "picture")
_LABEL_KEYS = ("label", "labels", "class", "target", "fine_label")


@dataclass(frozen=True, eq=False)
class Picture:
    """One image of a study.

    Args:
        name: Of the image, and of no other.
        image: A path, an image of PIL, or pixels.
        label: A class id or a class name; None where there is none.
        certain: Whether ``label`` is one; the name of a folder may be a class name.
        digest: Of the content.
    """

    name: str
    image: ImageLike
    label: Any
    certain: bool
    digest: str


class AbstractSource(ABC):
    """Images in a fixed order."""

    @abstractmethod
    def __len__(self) -> int:
        """How many there are."""

    @abstractmethod
    def name(self, place: int) -> str:
        """The name of an image, without reading it."""

    @abstractmethod
    def read(self, place: int) -> Picture:
        """One image; what its file or data set raises where that fails."""


@dataclass(frozen=True, eq=False)
class Files(AbstractSource):
    """Image files under a folder, by their paths from there; the name of a file's folder may be its class."""

    root: Path
    paths: Sequence[Path]
    names: Sequence[str] = field(default=())

    @override
    def __len__(self) -> int:
        return len(self.paths)

    @override
    def name(self, place: int) -> str:
        return self.names[place]

    @override
    def read(self, place: int) -> Picture:
        relative, path = self.paths[place], self.root / self.paths[place]
        folder = printable(relative.parent.name) or None
        digest = of_bytes(path.read_bytes())
        return Picture(self.name(place), path, folder, certain=False, digest=digest)


@dataclass(frozen=True, eq=False)
class Indexed(AbstractSource):
    """What has a length and an index: lists, tensors, data sets of torch and Hugging Face."""

    items: Any
    names: Sequence[str] | None = None

    @override
    def __len__(self) -> int:
        return len(self.items)

    @override
    def name(self, place: int) -> str:
        return f"{place:07d}" if self.names is None else self.names[place]

    @override
    def read(self, place: int) -> Picture:
        image, label = parted(self.items[place])
        is_path = is_photograph(image) and not isinstance(image, Image.Image)
        digest = of_bytes(Path(image).read_bytes()) if is_path else fingerprint(image)
        return Picture(self.name(place), image, label, certain=True, digest=digest)


@dataclass(frozen=True, eq=False)
class Labelled(AbstractSource):
    """Images of another source with labels from a mapping of names or a sequence."""

    source: AbstractSource
    labels: Mapping[str, Any] | Sequence[Any]

    @override
    def __len__(self) -> int:
        return len(self.source)

    @override
    def name(self, place: int) -> str:
        return self.source.name(place)

    @override
    def read(self, place: int) -> Picture:
        return replace(self.source.read(place), label=self._label(place), certain=True)

    def _label(self, place: int) -> Any:
        if not isinstance(self.labels, Mapping):
            return self.labels[place]
        path = Path(self.name(place))
        known = (name for name in (str(path), path.name, path.parent.name) if name in self.labels)
        return next((self.labels[name] for name in known), None)


def ensure_source(data: DataLike, labels: LabelsLike = None) -> AbstractSource:
    """The images of ``data``; ValueError or TypeError naming the argument for anything else.

    Args:
        data: As of ``Study``.
        labels: A class id or class name for each image, in order, or by file name, path or folder; None for
            those that come with ``data``.

    >>> source = ensure_source([np.zeros((3, 4, 4)), np.ones((3, 4, 4))], labels=[0, 1])
    >>> len(source), source.name(1), source.read(1).label
    (2, '0000001', 1)
    """
    source = _source_of(data)
    if not len(source):
        raise ValueError(f"data: found no images; accepted is {ACCEPTED}")
    if labels is None:
        return source
    if isinstance(labels, Tensor | np.ndarray):
        labels = labels.tolist()
    if isinstance(labels, str) or not isinstance(labels, Mapping | Sequence):
        raise TypeError(
            f"labels: found {type(labels).__qualname__}; accepted are None, a sequence and a mapping of names"
        )
    if not isinstance(labels, Mapping) and len(labels) != len(source):
        raise ValueError(f"labels: found {len(labels)} for {len(source)} images; one each is needed")
    return Labelled(source, labels)


def _source_of(data: Any) -> AbstractSource:
    if isinstance(data, AbstractSource):
        return data
    if is_photograph(data) and not isinstance(data, Image.Image):
        return _folder(Path(data))
    has_index = hasattr(data, "__len__") and hasattr(data, "__getitem__") and not isinstance(data, Mapping)
    if not has_index or isinstance(data, bytes):
        raise TypeError(f"data: found {type(data).__qualname__}; accepted is {ACCEPTED}")
    if isinstance(data, Tensor | np.ndarray) and data.ndim != 4:
        raise ValueError(f"data: found shape {tuple(data.shape)}; accepted is {ACCEPTED}")
    if isinstance(data, list | tuple) and data and all(isinstance(one, str | Path) for one in data):
        return Indexed(data, distinct(printable(str(one)) for one in data))
    return Indexed(data)


def _folder(root: Path) -> Files:
    if not root.is_dir():
        raise ValueError(f"data: {printable(str(root))!r} is not a folder; accepted is {ACCEPTED}")
    endings = Image.registered_extensions()
    found = (path for path in root.rglob("*") if path.suffix.lower() in endings and not path.is_dir())
    relative = (path.relative_to(root) for path in found)
    paths = sorted(path for path in relative if not any(part.startswith(".") for part in path.parts))
    if not paths:
        raise ValueError(
            f"data: the folder {printable(str(root))!r} holds no image files; accepted is {ACCEPTED}"
        )
    return Files(root, paths, distinct(printable(path.as_posix()) for path in paths))


def distinct(names: Iterable[str]) -> list[str]:
    """The same names, where one comes again with its number.

    >>> distinct(["cat", "dog", "cat"])
    ['cat', 'dog', 'cat (2)']
    """
    seen: Counter[str] = Counter()
    made = []
    for name in names:
        seen[name] += 1
        made.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return made


def parted(item: Any) -> tuple[Any, Any]:
    """The image and the label of what a data set gives; no label where there is none.

    >>> parted(("cat.png", 3)), parted({"image": "cat.png"}), parted("cat.png")
    (('cat.png', 3), ('cat.png', None), ('cat.png', None))
    """
    if isinstance(item, Mapping):
        image = next((item[key] for key in _IMAGE_KEYS if key in item), None)
        if image is None:
            raise ValueError(
                f"data: found an item with {', '.join(map(repr, item))}; accepted is one with 'image'"
            )
        return image, next((item[key] for key in _LABEL_KEYS if key in item), None)
    if isinstance(item, tuple | list) and item:
        return item[0], item[1] if len(item) > 1 else None
    return item, None
