"""Text from outside (file names, class names, messages of models) made safe to print, save and show."""

import unicodedata

_ESCAPED = frozenset({"Cc", "Cs", "Cf"})
_JOINERS = "\u200c\u200d"  # they shape Persian words and emoji, and reorder nothing


def printable(text: str) -> str:
    r"""Replace what no file, terminal or page should be given by an escape.

    Control characters (also NUL, newlines and the escape of terminals), controls of the reading direction and
    other invisible marks, and lone surrogates, which have no UTF-8. A byte of a file name that is not UTF-8
    becomes ``\xNN``.

    Args:
        text: Any text.

    Returns:
        One line of text that can be encoded as UTF-8; ``text`` itself where it is one.

    >>> print(printable("caf\udce9 1\n\u202egnp.exe"))
    caf\xe9 1\n\u202egnp.exe
    """
    if text.isprintable():
        return text
    return "".join(map(_escaped, text))


def _escaped(character: str) -> str:
    if unicodedata.category(character) not in _ESCAPED or character in _JOINERS:
        return character
    if "\udc80" <= character <= "\udcff":  # how Python reads a byte that is not UTF-8
        return f"\\x{ord(character) - 0xDC00:02x}"
    return character.encode("unicode_escape").decode("ascii")
