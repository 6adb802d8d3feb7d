"""Files that are written whole or not at all."""

import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """Give a path to write to, which becomes ``path`` at the end, or vanishes if writing fails.

    Any number of threads and processes may write to one path: the last to end wins. A link keeps pointing at
    what is written, and the permissions are those that a plain ``open`` would leave.

    Args:
        path: The file to be written, in a folder that exists.

    Raises:
        OSError: Where ``path`` cannot be replaced; also where it is no regular file.

    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> with atomic_write(folder / "note.txt") as part:
    ...     _ = part.write_text("whole")
    >>> [(file.name, file.read_text()) for file in folder.iterdir()]
    [('note.txt', 'whole')]
    """
    target = Path(os.path.realpath(path))
    before = target.stat().st_mode if target.exists() else None
    if before is not None and not stat.S_ISREG(before):
        raise FileExistsError(f"{str(path)!r} is not a regular file and cannot be replaced")
    part = target.with_name(f".{secrets.token_hex(8)}.part")
    try:
        yield part
        if before is not None:
            part.chmod(stat.S_IMODE(before))
        part.replace(target)
    except BaseException as error:
        part.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.filename == str(part):
            error.filename = str(path)  # what the caller wrote
        raise
