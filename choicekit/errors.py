"""Every exception and warning choicekit raises on purpose.

::

    ChoicekitError
    ├── InvalidInputError (ValueError)        an argument breaks a stated condition
    │   ├── ShapeError                        arrays that do not fit together
    │   ├── NoAvailableAlternativeError       an agent has nothing to choose
    │   ├── InfeasibleMassError               masses no coupling can meet
    │   └── UnreachableShareError             shares no constants can meet; names the alternatives
    ├── ExpressionError (ValueError)          a formula that cannot be read or evaluated
    ├── DataError (ValueError)                a table whose content is unusable: file, row, column
    ├── ScenarioError (ValueError)            a scenario file that is wrong: all problems at once
    ├── OutputError (OSError)                 a run directory that cannot be written
    ├── MissingExtraError (ImportError)       an optional package is not installed
    ├── IdentificationError (ValueError)      the data cannot tell the parameters apart
    └── ConvergenceError (RuntimeError)       a solver stopped short; carries what it had

    ChoicekitWarning (UserWarning)

A message says what must hold, what was found, where, and what to try.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

__all__ = [
    "ChoicekitError",
    "ChoicekitWarning",
    "ConvergenceError",
    "DataError",
    "ExpressionError",
    "IdentificationError",
    "InfeasibleMassError",
    "InvalidInputError",
    "MissingExtraError",
    "NoAvailableAlternativeError",
    "OutputError",
    "Problem",
    "ScenarioError",
    "ShapeError",
    "UnreachableShareError",
]

CUT_SHORT = "cut_short"
"""Code of the problem that a file has so many others that it was read no further."""

# What moves the cursor, recolours the terminal, turns the direction of writing or cannot be written at all.
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def _escaped(text: str) -> str:
    return _CONTROL.sub(lambda match: match.group().encode("unicode_escape").decode("ascii"), text)


def _dotted(line: str) -> str:
    # One character for one, so that a caret in the line below keeps its place.
    return _CONTROL.sub("·", line)


@dataclass(frozen=True, kw_only=True)
class Problem:
    r"""One thing that is wrong in a file, and where.

    Attributes
    ----------
    message : str
        What must hold and what was found.
    hint : str
        The way out, where one is known; shown after the message.
    file : str
        File as the user would name it; empty where there is none.
    line, column : int or None
        Position in the file, both counted from 1.
    path : str
        Dotted path of the entry in a scenario (``"utility.car"``), or the column name in a table.
    excerpt : tuple of str
        Lines shown below the message, such as an expression and the caret under its fault.
    code : str
        Word for programs that tell sorts of problems apart, where one is needed: ``"nothing_available"``.
    offset : int or None
        Place of the fault in a formula, in characters from 0, where `path` is the entry of one.
    more : int
        How many others like it are not listed; said in `hint`, and counted here.

    Examples
    --------
    >>> print(Problem(message="unknown key 'sede'", hint="did you mean 'seed'?", file="a.yaml", line=4, column=1))
    a.yaml:4:1 unknown key 'sede', did you mean 'seed'?

    Control characters are shown and not obeyed:

    >>> print(Problem(message=f"unknown key '{chr(27)}[2J'", file="a.yaml", excerpt=(f"{chr(27)}[2J: 1", "^")))
    a.yaml unknown key '\x1b[2J'
        ·[2J: 1
        ^
    """

    message: str
    hint: str = ""
    file: str = ""
    line: int | None = None
    column: int | None = None
    path: str = ""
    excerpt: tuple[str, ...] = ()
    code: str = ""
    offset: int | None = None
    more: int = 0

    @property
    def location(self) -> str:
        """``file:line:column``, as far as known."""
        parts = [self.file, *(str(number) for number in (self.line, self.column) if number is not None)]
        return ":".join(part for part in parts if part)

    def __str__(self) -> str:
        text = f"{self.location} {self.message}".strip()
        if self.hint:
            text += f", {self.hint}"
        return "\n".join((_escaped(text), *(f"    {_dotted(line)}" for line in self.excerpt)))


class ChoicekitError(Exception):
    """Base of every error choicekit raises on purpose; catch it to catch them all."""


class InvalidInputError(ChoicekitError, ValueError):
    """An argument breaks a condition its docstring states."""


class ShapeError(InvalidInputError):
    """Arrays do not fit together; the message names the shapes and the axes."""


class NoAvailableAlternativeError(InvalidInputError):
    """An agent has nothing to choose; the message names the agent."""


class InfeasibleMassError(InvalidInputError):
    """No coupling has the asked masses; the message shows the totals and ways out."""


class UnreachableShareError(InvalidInputError):
    """Shares cannot be met, whatever the constants.

    Parameters
    ----------
    message : str
        Which share, and its limit.
    alternatives : tuple of str
        Alternatives whose share, or whose shares together, are out of reach.
    """

    def __init__(self, message: str, alternatives: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.alternatives = alternatives

    @property
    def alternative(self) -> str:
        """The first of the alternatives; empty where there is none."""
        return self.alternatives[0] if self.alternatives else ""


class ExpressionError(ChoicekitError, ValueError):
    """A formula cannot be read, names something unknown, or does not evaluate.

    Parameters
    ----------
    message : str
        What is wrong.
    expression : str
        The whole text of the formula.
    offset : int or None
        Zero-based position of the fault in `expression`; the caret stands there.
    hint : str
        The way out.
    """

    def __init__(self, message: str, *, expression: str = "", offset: int | None = None, hint: str = "") -> None:
        self.message = message
        self.expression = expression
        self.offset = offset
        self.hint = hint
        super().__init__(str(Problem(message=message, hint=hint, excerpt=self.excerpt)))

    @property
    def excerpt(self) -> tuple[str, ...]:
        """The formula around the fault, control characters as dots, and a caret below it; about 80 characters wide."""
        if not self.expression or self.offset is None:
            return ()
        flat = _dotted("".join(" " if character.isspace() else character for character in self.expression))
        start = max(0, self.offset - 40)
        shown = flat[start : start + 80]
        left = "…" if start else ""
        right = "…" if start + 80 < len(flat) else ""
        return (f"{left}{shown}{right}", " " * (len(left) + self.offset - start) + "^")


class _ProblemsError(ChoicekitError, ValueError):
    """Errors that report several problems at once, in the order of the file."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))

    @property
    def count(self) -> int:
        """Number of problems, with those that are not listed but known to be there."""
        return sum(1 + problem.more for problem in self.problems)

    @property
    def is_cut_short(self) -> bool:
        """Whether a file was not read to its end, so that there may be more problems than `count`."""
        return any(problem.code == CUT_SHORT for problem in self.problems)

    @property
    def file(self) -> str:
        """File of the first problem."""
        return self.problems[0].file

    @property
    def line(self) -> int | None:
        """Line of the first problem, counted from 1."""
        return self.problems[0].line

    @property
    def path(self) -> str:
        """Dotted path, or column name, of the first problem."""
        return self.problems[0].path


class DataError(_ProblemsError):
    """A table's content cannot be used; each problem names file, line and column.

    Examples
    --------
    >>> raise DataError([Problem(message="'warm' is not a number", file="trips.csv", line=7, path="time")])
    Traceback (most recent call last):
    choicekit.errors.DataError: trips.csv:7 'warm' is not a number
    """

    @property
    def row(self) -> int | None:
        """Line of the first problem in its file, counted from 1 with the header."""
        return self.problems[0].line

    @property
    def column(self) -> str:
        """Name of the column of the first problem."""
        return self.problems[0].path


class ScenarioError(_ProblemsError):
    """A scenario file is wrong; carries every problem found, in the order of the file."""

    @property
    def column(self) -> int | None:
        """Column of the first problem, counted from 1."""
        return self.problems[0].column


class OutputError(ChoicekitError, OSError):
    """A run directory cannot be written, or holds something that is not ours to replace."""


class MissingExtraError(ChoicekitError, ImportError):
    """A package of an optional extra is not installed; the message names the extra."""


class IdentificationError(ChoicekitError, ValueError):
    """The data cannot tell the parameters apart; the message names them."""


class ConvergenceError(ChoicekitError, RuntimeError):
    """A solver stopped before its tolerance.

    Parameters
    ----------
    message : str
        Status, errors reached and what to try.
    result : object
        What the solver had when it stopped, with its certificates.
    """

    def __init__(self, message: str, result: object = None) -> None:
        super().__init__(message)
        self.result = result


class ChoicekitWarning(UserWarning):
    """Something is allowed but probably not meant."""
