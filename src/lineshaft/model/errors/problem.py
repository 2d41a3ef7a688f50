"""What is wrong with an input, one thing at a time."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with an input.

    Attributes:
        field: where it is, as a dotted path such as `stages.0.timeout`; empty for the whole input.
        message: what is wrong and what is allowed.
        line: in the text, from 1, where known.
        column: in the line, from 1, where known.
        length: how many characters of the line, from the column on, are wrong; where known.
        advice: what to write instead, or an empty string.
        file: the path of the file that it is in, where that is not the text itself.
    """

    field: str
    message: str
    line: int | None = None
    column: int | None = None
    length: int | None = None
    advice: str = ""
    file: str = ""
