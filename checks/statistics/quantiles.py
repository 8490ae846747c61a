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
