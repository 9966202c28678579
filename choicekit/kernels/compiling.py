"""How a loop becomes a kernel: compiled when first needed, kept on disk, replaced by its NumPy twin without numba."""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from threading import RLock, Timer
from types import CellType, FunctionType
from typing import Any, TypeVar

__all__ = ["Kernel", "engine", "inlined", "instruction", "kernel"]

logger = logging.getLogger(__name__)

Function = TypeVar("Function", bound=Callable[..., Any])

_ARGUMENT = re.compile(r"(const )?(\w+)(?:\[(\d)\])?")

_compiling = RLock()  # two threads compiling at once would do the work twice
_waiting: list[Callable[[], None]] = []  # what numba is still to be told of
_PATIENCE = 0.7  # seconds after which compiling is spoken of; a loop kept on disk is there sooner


def engine() -> str:
    """Return what computes: numba with its version, or NumPy where numba cannot be imported.

    It is the same for every call of a process, however few rows the call has.

    Examples
    --------
    >>> engine().split()[0] in ("numba", "numpy")
    True
    """
    numba = _numba()
    return "numpy" if numba is None else f"numba {numba.__version__}"


@cache
def _numba() -> Any:
    try:
        import numba
    except ImportError as error:  # missing, or made for another numpy
        logger.info("loops run in NumPy, several times slower: numba cannot be imported (%s)", error)
        return None
    if getattr(numba.config, "DISABLE_JIT", 0):  # what loops are made of has no meaning in Python
        logger.info("loops run in NumPy, several times slower: numba is told not to compile")
        return None
    return numba


class Kernel:
    """A loop over arrays that runs compiled, or without numba as its twin.

    Attributes
    ----------
    function : callable
        The loop. It fills the arrays it is given for results and lets go of the interpreter meanwhile.
    twin : callable
        Does the same in NumPy, with the same arguments.
    arguments : tuple of str
        Types of the arguments, see `kernel`.
    """

    def __init__(self, function: Callable[..., Any], twin: Callable[..., Any], arguments: tuple[str, ...]) -> None:
        self.function, self.twin, self.arguments = function, twin, arguments
        self.__doc__, self.__name__, self.__module__ = function.__doc__, function.__name__, function.__module__
        self._compiled: Callable[..., Any] | None = None

    def __call__(self, *arguments: Any) -> Any:
        """Run the loop, compiling it where this is still to be done."""
        if _numba() is None:
            return self.twin(*arguments)
        compiled = self._compiled
        return (self.compiled() if compiled is None else compiled)(*arguments)

    def compiled(self) -> Callable[..., Any]:
        """Return the compiled loop.

        Raises
        ------
        ImportError
            Without numba.
        """
        import numba

        with _compiling:
            if self._compiled is None:
                _tell_numba()
                logger.debug("%s is made ready", self.__name__)
                signature = numba.void(*(_type(argument) for argument in self.arguments))
                settings: dict[str, Any] = {"nogil": True, "error_model": "numpy"}
                with _notice():
                    try:
                        self._compiled = numba.njit(signature, cache=True, **settings)(_stamped(self.function))
                    except Exception as error:  # a cache may fail in many ways
                        logger.debug("%s is compiled without being kept on disk (%s)", self.__name__, error)
                        self._compiled = numba.njit(signature, **settings)(self.function)
            return self._compiled


def kernel(*arguments: str, twin: Callable[..., Any]) -> Callable[[Callable[..., Any]], Kernel]:
    """Make a kernel of a function of arrays and numbers that returns nothing.

    Parameters
    ----------
    *arguments : str
        The type of each argument: ``"float64"`` is a number, ``"float64[2]"`` an array of two dimensions that the
        loop fills and ``"const float64[2]"`` one that it only reads. Arrays are C-contiguous.
    twin : callable
        Does the same in NumPy, with the same arguments.

    Returns
    -------
    callable
        A decorator. The function may call those marked with `inlined`, in its own module or imported by name, and
        read whole numbers and floats of its module; all arithmetic follows IEEE 754, no fast-math flag is set.

    Examples
    --------
    >>> import numpy as np
    >>> def double_by_numpy(values, out):
    ...     np.multiply(values, 2.0, out=out)
    >>> @kernel("const float64[1]", "float64[1]", twin=double_by_numpy)
    ... def double(values, out):
    ...     for place in range(values.size):
    ...         out[place] = 2.0 * values[place]
    >>> out = np.empty(2)
    >>> double(np.array([1.0, 3.0]), out)
    >>> out
    array([2., 6.])
    """
    return lambda function: Kernel(function, twin, arguments)


def inlined(function: Function) -> Function:
    """Mark a function of numbers that kernels call; numba puts its code in place of the call.

    Parameters
    ----------
    function : callable
        Written in what numba understands; it stays an ordinary function otherwise.
    """

    def tell() -> None:
        from numba.extending import register_jitable

        register_jitable(forceinline=True, error_model="numpy")(function)

    _waiting.append(tell)
    return function


def instruction(name: str) -> Callable[[Function], Function]:
    """Mark a function whose meaning in kernels is one instruction of the processor.

    Parameters
    ----------
    name : {"fma", "bits", "float"}
        A product and a sum rounded once, the bits of a float64, the float64 of some bits.
    """

    def mark(function: Function) -> Function:
        _waiting.append(lambda: _tell_instruction(name, function))
        return function

    return mark


def _tell_instruction(name: str, function: Callable[..., Any]) -> None:
    import numba
    from numba.extending import intrinsic, overload

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        if name == "fma":
            return builder.fma(*arguments)
        return builder.bitcast(arguments[0], context.get_value_type(signature.return_type))

    if name == "fma":
        fma: Any = intrinsic(lambda typing, a, b, c: (numba.float64(*[numba.float64] * 3), emit))
        overload(function)(lambda a, b, c: lambda a, b, c: fma(a, b, c))
    else:
        kinds = (numba.float64, numba.uint64)
        given, result = kinds if name == "bits" else kinds[::-1]
        cast: Any = intrinsic(lambda typing, x: (result(given), emit))
        overload(function)(lambda x: lambda x: cast(x))


@contextmanager
def _notice() -> Iterator[None]:
    """Say once, where it takes a while, what is being waited for."""
    timer = Timer(_PATIENCE, _say_compiling)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


@cache
def _say_compiling() -> None:
    logger.info("compiling loops for this machine: some seconds, once")


def _tell_numba() -> None:
    while _waiting:
        _waiting.pop(0)()


def _type(argument: str) -> Any:
    import numba

    found = _ARGUMENT.fullmatch(argument)
    if found is None:
        raise ValueError(f"a type such as 'const float64[2]' must be given, found {argument!r}")
    const, scalar, dimensions = found.groups()
    kind = getattr(numba, scalar)
    return kind if dimensions is None else numba.types.Array(kind, int(dimensions), "C", readonly=bool(const))


def _stamped(function: Callable[..., Any]) -> FunctionType:
    """Return the function as one that closes over `_stamp`, which numba's cache then tells it apart by.

    The cache notices a change of the file that a loop is in, of numba and of the processor, but not a change of a
    function of another file that the loop calls: an old result was seen to come back.
    """
    if not isinstance(function, FunctionType):
        raise TypeError(f"a kernel must be a plain function, found {function!r}")
    code = function.__code__.replace(co_freevars=("_stamp",))
    stamped = FunctionType(code, function.__globals__, function.__name__, None, (CellType(_stamp()),))
    stamped.__qualname__, stamped.__module__ = function.__qualname__, function.__module__
    return stamped


@cache
def _stamp() -> str:
    """Hash of all sources of kernels: what is in this folder, and every file whose name ends in kernels.py."""
    package = Path(__file__).parents[1]
    sources = sorted({*package.glob("kernels/*.py"), *package.glob("**/*kernels.py"), *package.glob("**/kernels/*.py")})
    digest = hashlib.blake2b(digest_size=16)
    for source in sources:
        digest.update(f"{source.relative_to(package).as_posix()}\n".encode())
        digest.update(source.read_bytes())
    return digest.hexdigest()
