"""Quantiles of the normal, Student's t and chi-square distributions."""

from __future__ import annotations

from functools import lru_cache


@lru_cache(maxsize=1024)
def normal(probability: float) -> float:
    """The value a standard normal variable stays below with this probability."""
    from scipy.special import ndtri

    return float(ndtri(probability))


@lru_cache(maxsize=1024)
def student(probability: float, freedom: int) -> float:
    """The value a t variable with *freedom* degrees of freedom stays below with this probability."""
    from scipy.special import stdtrit

    return float(stdtrit(freedom, probability))


@lru_cache(maxsize=1024)
def chi_square(probability: float, freedom: int) -> float:
    """The value a chi-square variable with *freedom* degrees of freedom stays below with this probability."""
    from scipy.special import chdtri

    return float(chdtri(freedom, 1 - probability)) if freedom > 0 else 0.0


@lru_cache(maxsize=4096)
def beta(probability: float, a: float, b: float) -> float:
    """The value a beta(a, b) variable stays below with this probability."""
    from scipy.special import betaincinv

    return float(betaincinv(a, b, probability))


def chi_square_tail(value: float, freedom: int) -> float:
    """The chance that a chi-square variable with *freedom* degrees of freedom is beyond *value*."""
    from scipy.special import chdtrc

    return float(chdtrc(freedom, value))


def binomial_tail(hits: float, misses: float, chance: float) -> float:
    """The chance of at least *hits* in ``hits + misses`` draws of *chance* each, also between whole numbers."""
    from scipy.special import betainc

    return float(betainc(hits, misses + 1, chance)) if hits > 0 else 1.0
