"""Profiles add up, survive being stored, and are quick to merge."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checks.profile import (
    ALL,
    LAG_EDGES,
    SCORE_BINS,
    Categories,
    Distribution,
    Errors,
    Layout,
    Numbers,
    Profile,
    Scores,
    Slice,
)
from checks.testing.rows import profile_of

LAYOUT = Layout(
    {"size": Numbers((-1.0, 0.5, 2.0), centre=0.5), "colour": Categories(("rød", "blå", "😀", ""))},
    {"city": ("Ålesund", "=", "a=b")},
)
# Sums are whole numbers here: floats of any other kind add up to within rounding only, in whatever order.
counts = st.integers(0, 10**12)
sums = st.integers(-(10**9), 10**9).map(float)
texts = st.text(max_size=5)


def distributions(cells: int) -> st.SearchStrategy[Distribution]:
    return st.builds(
        Distribution,
        counts=st.tuples(*[counts] * cells),
        null=counts,
        nan=counts,
        infinite=counts,
        absent=counts,
        total=sums,
        squares=sums,
        low=st.none() | sums,
        high=st.none() | sums,
    )


def spread(cells: int) -> st.SearchStrategy[tuple[int, ...]]:
    """Counts that are mostly zero, or mostly not."""
    some = st.dictionaries(st.integers(0, cells - 1), counts, max_size=20)
    return st.builds(
        lambda held, base: tuple(held.get(place, base) for place in range(cells)), some, st.sampled_from([0, 1])
    )


slices = st.builds(
    Slice,
    rows=counts,
    labelled=counts,
    columns=st.fixed_dictionaries({}, optional={"size": distributions(4), "colour": distributions(5)}),
    confusion=st.dictionaries(st.tuples(texts, texts), counts, max_size=4),
    scores=st.none() | st.builds(Scores, spread(SCORE_BINS), spread(SCORE_BINS), sums, sums),
    errors=st.none() | st.builds(Errors, counts, sums, sums, sums, sums, sums, sums, counts),
)
profiles = st.builds(
    Profile,
    st.just(LAYOUT),
    st.builds(lambda whole, others: {**others, ALL: whole}, slices, st.dictionaries(texts, slices, max_size=2)),
    *[counts] * 6,
    lags=spread(len(LAG_EDGES) + 1),
)
rows = st.lists(
    st.fixed_dictionaries(
        {
            "size": st.none() | st.sampled_from([-2, -1, 0.5, 1, 7, float("nan"), float("inf")]),
            "colour": st.none() | st.sampled_from(["rød", "blå", "grønn"]),
            "city": st.sampled_from(["Ålesund", "=", "Oslo"]),
            "prediction": st.none() | st.sampled_from([0, 1]),
            "score": st.none() | st.sampled_from([0.0, 0.25, 0.5, 0.999, 1.0]),
            "number": st.none() | st.integers(-3, 3),
            "outcome": st.none() | st.sampled_from([0, 1]),
        }
    ),
    max_size=12,
)


@given(profiles)
def test_a_profile_survives_being_stored(profile: Profile) -> None:
    assert Profile.from_bytes(profile.to_bytes(), LAYOUT) == profile


def test_a_layout_survives_being_stored_in_its_order() -> None:
    stored = Layout.from_bytes(LAYOUT.to_bytes())
    assert stored == LAYOUT
    assert list(stored.columns) == ["size", "colour"]


@settings(max_examples=40)  # three profiles of 2000 score bins each take long to make up
@given(profiles, profiles, profiles)
def test_merging_is_associative(one: Profile, two: Profile, three: Profile) -> None:
    assert Profile.merge([Profile.merge([one, two]), three]) == Profile.merge([one, Profile.merge([two, three])])


@settings(max_examples=40)
@given(profiles, profiles)
def test_merging_is_commutative(one: Profile, two: Profile) -> None:
    assert Profile.merge([one, two]) == Profile.merge([two, one])


@given(rows, rows)
def test_the_profile_of_all_rows_is_the_merge_of_the_profiles_of_the_parts(
    one: list[dict[str, object]], two: list[dict[str, object]]
) -> None:
    merged = Profile.merge([profile_of(one, LAYOUT, "city"), profile_of(two, LAYOUT, "city")])
    whole = profile_of([*one, *two], LAYOUT, "city")
    assert _but_for_rounding(merged) == _but_for_rounding(whole)


def _but_for_rounding(profile: Profile) -> dict[str, Slice]:
    return {
        name: replace(part, scores=_rounded_scores(part.scores), errors=_rounded_errors(part.errors))
        for name, part in profile.slices.items()
    }


def _rounded_scores(scores: Scores | None) -> Scores | None:
    if scores is None:
        return None
    return replace(scores, log_loss=round(scores.log_loss, 6), squared_error=round(scores.squared_error, 6))


def _rounded_errors(errors: Errors | None) -> Errors | None:
    return errors and replace(errors, relative=round(errors.relative, 6), symmetric=round(errors.symmetric, 6))


def test_a_merge_leaves_its_parts_as_they_were() -> None:
    one = profile_of([{"size": 1.0, "city": "="}], LAYOUT, "city")
    before = one.to_bytes()
    Profile.merge([one, one])
    assert one.to_bytes() == before


def test_nothing_cannot_be_merged() -> None:
    with pytest.raises(ValueError, match=r"^There is no profile to merge; a window has at least one bucket\.$"):
        Profile.merge([])


def test_profiles_of_two_layouts_cannot_be_merged() -> None:
    sentence = r"^Profiles taken on different layouts cannot be merged; read these buckets again\.$"
    with pytest.raises(ValueError, match=sentence):
        Profile.merge([Profile(LAYOUT), Profile(Layout({}))])


@pytest.mark.parametrize(
    "data",
    [
        b"",  # nothing was stored
        b"\x80\x04K\x01.",  # a pickle
        Profile(LAYOUT).to_bytes()[:-5],  # cut off
        LAYOUT.to_bytes(),  # a layout, not a profile
    ],
)
def test_bytes_that_are_no_profile_are_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"^These bytes are not a stored profile of this layout \("):
        Profile.from_bytes(data, LAYOUT)


def test_a_profile_of_another_layout_is_refused() -> None:
    stored = profile_of([{"size": 1.0}], LAYOUT).to_bytes()
    with pytest.raises(ValueError, match=r"\(cells \[4, 5\] instead of \[3, 5\]\)\.$"):
        Profile.from_bytes(stored, replace(LAYOUT, columns={**LAYOUT.columns, "size": Numbers((0.0, 1.0))}))


def test_a_month_of_hours_merges_in_well_under_a_second() -> None:
    columns = {f"c{place}": Numbers(tuple(map(float, range(40)))) for place in range(30)}
    bucket = Slice(100, 90, {name: Distribution((7,) * 41) for name in columns}, {("1", "1"): 9}, Scores())
    buckets = [Profile(Layout(columns), {ALL: bucket}) for _ in range(672)]
    began = time.perf_counter()
    merged = Profile.merge([replace(one, layout=buckets[0].layout) for one in buckets])
    assert time.perf_counter() - began < 1.0
    assert merged.whole.rows == 67_200
