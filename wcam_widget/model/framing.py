"""How a model sees a photograph: the half of its preprocessing that moves pixels. The other maps colours."""

from collections.abc import Callable

from jaxtyping import Float
from PIL import Image, ImageOps
from torch import Tensor

from wcam_widget.model.photograph import ColourLike, PhotoLike, photograph_pixels, read_photograph


class PhotographFit:
    """What `BlackBox` knows of the size of its images, and `fit`, which makes them from photographs."""

    input_size: tuple[int, int] | None = None
    """Height and width the network was trained at, where its source says so; set by `load_model`."""

    framing: Callable[[Image.Image], Tensor] | None = None
    """What `fit` does to an RGB image of PIL, (3, H, W) in [0, 1]; None: `cover`. Set by `load_model`."""

    def fit(self, photo: PhotoLike, background: ColourLike = "white") -> Float[Tensor, "3 h w"]:
        """Resize and crop a photograph as the model's own preprocessing does.

        The result goes where images go: `preprocess(fit(photo))` is what the model's source would make of
        the photograph, up to rounding. A model of `load_model` resizes and crops as its source says. A
        model that knows only its `input_size` scales the photograph until it covers that size and cuts out
        the middle. One that knows neither takes it at its own size.

        Args:
            photo: Path of an image file, or an image of PIL of any mode.
            background: What transparent parts are laid over: a colour's name, "#rrggbb" or three numbers.

        Returns:
            The image, (3, H, W) in [0, 1], H and W those of `input_size` where that is known. Resizing
            works on 8 bits per value, as it does in the libraries.

        Raises:
            TypeError: For anything else; a tensor or an array needs no `fit` and goes in as it is.
            ValueError: For a file that is no image, is truncated or holds no pixels.

        >>> import wcam_widget as wcam
        >>> wcam.load_model("demo").fit(wcam.load_photos()["cat"]).shape
        torch.Size([3, 128, 128])
        """
        if self.framing is None and self.input_size is None:
            return photograph_pixels(photo, background, "photo")
        seen = read_photograph(photo, background, "photo")
        if self.framing is None:
            return cover(seen, self.input_size or seen.size[::-1])
        return self.framing(seen).clamp(0.0, 1.0)


def cover(photo: Image.Image, size: tuple[int, int]) -> Float[Tensor, "3 h w"]:
    """Scale a photograph, bicubic, until it covers `size` (H, W), and cut out the middle, in [0, 1].

    >>> cover(Image.new("RGB", (40, 20)), (10, 10)).shape
    torch.Size([3, 10, 10])
    """
    return photograph_pixels(ImageOps.fit(photo, (size[1], size[0]), Image.Resampling.BICUBIC))


def size_hint(images: Tensor, expected: tuple[int, int] | None) -> str:
    r"""What to say where a network fails on images (n, c, h, w) of another size than it was trained at.

    >>> size_hint(Tensor(1, 3, 100, 100), (224, 224))
    '\nimage: found 100x100 pixels, but the model takes 224x224; model.fit(photo) makes that of a photograph'
    """
    size = tuple(images.shape[-2:])
    if expected is None or size == expected:
        return ""
    return (
        f"\nimage: found {_pixels(size)} pixels, but the model takes {_pixels(expected)}; "
        "model.fit(photo) makes that of a photograph"
    )


def _pixels(size: tuple[int, ...]) -> str:
    return "x".join(map(str, size))
