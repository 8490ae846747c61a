"""What Ibis' dialect of Spark says wrong, said right.

In Ibis 12.0 ``isinf`` is FALSE, a NaN is null, and the first rows of an OFFSET are any. Put right here, once, so that a
check may say what it means.
"""

from __future__ import annotations

from typing import Any

import ibis.expr.datatypes as dt
import ibis.expr.operations as ops
import sqlglot.expressions as sge
from ibis.backends.sql.compilers.base import SQLGlotCompiler
from ibis.backends.sql.compilers.pyspark import PySparkCompiler

_THREE_HOURS = sge.Interval(this=sge.convert("3"), unit=sge.var("HOUR"))  # type: ignore[no-untyped-call]


class Dialect(PySparkCompiler):  # type: ignore[misc]  # Ibis has no types
    """Ibis' Spark, where it says what the other engines say."""

    __slots__ = ()

    rewrites = SQLGlotCompiler.rewrites
    """Spark knows OFFSET by now; Ibis numbers the rows instead, in no order, and is off by one."""

    def visit_IsNull(self, op: ops.IsNull, *, arg: sge.Expression) -> Any:
        """NaN is a number that is there."""
        return arg.is_(sge.Null())

    def visit_NotNull(self, op: ops.NotNull, *, arg: sge.Expression) -> Any:
        """NaN is a number that is there."""
        return sge.Not(this=arg.is_(sge.Null()))

    def visit_IsInf(self, op: ops.IsInf, *, arg: sge.Expression) -> Any:
        """Ibis compares expressions, not values."""
        return self.f.abs(arg).eq(self.POS_INF)

    def visit_Cast(self, op: ops.Cast, *, arg: sge.Expression, to: dt.DataType) -> Any:
        """Floats are written as the other engines write them: 1e-07, not 1.0E-7."""
        text = super().visit_Cast(op, arg=arg, to=to)
        if not (to.is_string() and op.arg.dtype.is_floating()):
            return text
        size = self.f.abs(arg)
        plain = (size >= sge.convert(1e-4)) & (size < sge.convert(1e15))
        return self.if_(plain, self._without_exponent(text), self._with_exponent(text))

    def _without_exponent(self, text: sge.Expression) -> Any:
        """Java writes 12345678.5 as 1.23456785E7."""
        whole = self.cast(self.cast(text, dt.Decimal(38, 22)), dt.string)
        plain = self.f.anon.regexp_replace(whole, sge.convert(r"\.?0+$"), sge.convert(""))
        return self.if_(self.f.anon.contains(text, sge.convert("E")), plain, self._with_exponent(text))

    def _with_exponent(self, text: sge.Expression) -> Any:
        whole = self.f.anon.regexp_replace(text, sge.convert(r"\.0(E|$)"), sge.convert("$1"))
        signed = self.f.anon.regexp_replace(whole, sge.convert(r"E(\d)"), sge.convert("e+$1"))
        small = self.f.anon.regexp_replace(signed, sge.convert("E-"), sge.convert("e-"))
        return self.f.anon.regexp_replace(small, sge.convert(r"e([+-])(\d)$"), sge.convert("e$10$2"))

    def visit_ScalarUDF(self, op: ops.ScalarUDF, **given: sge.Expression) -> Any:
        """Functions that the other engines have under a name of their own."""
        if self.__sql_name__(op) == "timezone":
            zone, at = given.values()
            return self._from_zone(zone, at)
        return super().visit_ScalarUDF(op, **given)

    def _from_zone(self, zone: sge.Expression, at: sge.Expression) -> Any:
        """The moment at which clocks in *zone* show *at*: the later one where they show it twice, as elsewhere."""
        first = self.f.anon.to_utc_timestamp(at, zone)
        soon = sge.paren(first + _THREE_HOURS)
        offset = sge.paren(soon - self.f.anon.from_utc_timestamp(soon, zone))
        second = sge.paren(at + offset)
        return self.if_(self.f.anon.from_utc_timestamp(second, zone).eq(at), second, first)
