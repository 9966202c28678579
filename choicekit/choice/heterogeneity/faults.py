"""What is wrong with classes and random coefficients, as far as names and numbers tell: for models and files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from choicekit.choice.expressions import parse_expression
from choicekit.choice.heterogeneity.classes import LatentClass
from choicekit.choice.heterogeneity.correlation import RandomCovariance
from choicekit.choice.heterogeneity.distributions import CoefficientDistribution
from choicekit.errors import Problem
from choicekit.suggestions import suggest

__all__ = ["faults_of_types"]

_ROUNDING = 1e-9  # how far from one the shares of classes may sum
_SAME = 1e-6  # how far a standard deviation that is given twice may differ from itself, relatively


def faults_of_types(
    coefficients: Mapping[str, float | CoefficientDistribution],
    covariance: RandomCovariance | None,
    classes: Mapping[str, LatentClass],
) -> list[Problem]:
    """Return what is wrong with the coefficients and classes of a model.

    Parameters
    ----------
    coefficients : mapping of str to (float or distribution)
        All of the model's.
    covariance : RandomCovariance, optional
        Of those that are correlated.
    classes : mapping of str to LatentClass

    Returns
    -------
    list of Problem
        Each with its path, such as ``"coefficients.b_time"``, ``"random_coefficients.b_time"``, ``"classes"`` or
        ``"classes.young.coefficients.b_time"``; empty where all is well.

    Examples
    --------
    >>> for problem in faults_of_types({}, None, {"young": LatentClass(share=0.3), "old": LatentClass(share=0.6)}):
    ...     print(problem.path, problem)
    classes the shares of classes must sum to 1, found 0.9, change one of them
    """
    return [
        *_of_covariance(coefficients, covariance),
        *_of_spreads("coefficients", coefficients, covariance),
        *_of_shares(classes),
        *_of_classes(coefficients, covariance, classes),
    ]


def _of_covariance(
    coefficients: Mapping[str, float | CoefficientDistribution], covariance: RandomCovariance | None
) -> Iterator[Problem]:
    if covariance is None:
        return
    for name, spread in covariance.spreads.items():
        path, given = f"random_coefficients.{name}", coefficients.get(name)
        if name not in coefficients:
            hint = suggest(name, coefficients) or f"there are {', '.join(coefficients) or 'none'}"
            yield Problem(message=f"the covariance names an unknown coefficient {name!r}", hint=hint, path=path)
        elif not isinstance(given, CoefficientDistribution):
            message = f"the covariance names {name!r}, which is the same for all agents"
            yield Problem(message=message, hint="give it a normal or lognormal distribution", path=path)
        elif not given.correlates:
            message = f"a {given.name} coefficient cannot be correlated with others, found {name!r}"
            yield Problem(message=message, hint="make it normal or lognormal, or leave it out", path=path)
        elif given.spread is not None and abs(given.spread - spread) > _SAME * max(spread, given.spread):
            message = (
                f"the standard deviation of {name!r} is given twice, {given.spread:g} and {spread:g} by covariance"
            )
            yield Problem(message=message, hint="leave it out of the distribution", path=path)


def _of_spreads(
    where: str, coefficients: Mapping[str, float | CoefficientDistribution], covariance: RandomCovariance | None
) -> Iterator[Problem]:
    covered = () if covariance is None else covariance.names
    for name, given in coefficients.items():
        if not isinstance(given, CoefficientDistribution) or not given.correlates or name in covered:
            continue
        if given.spread is None:
            word = "log_sd" if given.name == "lognormal" else "sd"
            message = f"the standard deviation of {name!r} is missing"
            yield Problem(message=message, hint=f"give {word}, or a covariance", path=f"{where}.{name}")


def _of_shares(classes: Mapping[str, LatentClass]) -> Iterator[Problem]:
    lacking = [name for name, one in classes.items() if one.share is None and one.membership is None]
    for name in lacking:
        message = f"class {name!r} has neither a share nor a membership"
        yield Problem(message=message, hint="give one: share: 0.3", path=f"classes.{name}")
    by_formula = [name for name, one in classes.items() if one.membership is not None]
    shares = {name: one.share for name, one in classes.items() if one.share is not None}
    if by_formula and shares:
        message = f"all classes have a share or all a membership, found a share for {next(iter(shares))!r} and a"
        hint = "give every class a formula, of which one may be 0"
        yield Problem(message=f"{message} membership for {by_formula[0]!r}", hint=hint, path="classes")
    elif shares and not lacking and abs(sum(shares.values()) - 1) > _ROUNDING:
        message = f"the shares of classes must sum to 1, found {sum(shares.values()):.10g}"
        yield Problem(message=message, hint="change one of them", path="classes")


def _of_classes(
    coefficients: Mapping[str, float | CoefficientDistribution],
    covariance: RandomCovariance | None,
    classes: Mapping[str, LatentClass],
) -> Iterator[Problem]:
    overridden = {name for one in classes.values() for name in one.coefficients}
    for name, one in classes.items():
        where = f"classes.{name}.coefficients"
        for coefficient in one.coefficients:
            if coefficient not in coefficients:
                hint = suggest(coefficient, coefficients) or f"there are {', '.join(coefficients) or 'none'}"
                message = f"class {name!r} names an unknown coefficient {coefficient!r}"
                yield Problem(message=message, hint=hint, path=f"{where}.{coefficient}")
        yield from _of_spreads(where, one.coefficients, covariance)
        used = parse_expression(one.membership).names if one.membership is not None else frozenset()
        for coefficient in sorted(used & coefficients.keys()):
            random = isinstance(coefficients[coefficient], CoefficientDistribution)
            if random or coefficient in overridden:
                what = "is random" if random else "differs by class"
                message = (
                    f"a membership needs coefficients that are the same for all agents, but {coefficient!r} {what}"
                )
                hint = "give the membership a coefficient of its own"
                yield Problem(message=message, hint=hint, path=f"classes.{name}.membership")
