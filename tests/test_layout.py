from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from greenroom import layout

numbers = st.integers(1, 99_999_999)


@pytest.mark.parametrize(
    ("key", "written"),
    [
        (layout.MARKER, "greenroom.json"),
        (layout.blob("ab" * 32), "blobs/sha256/" + "ab" * 32),
        (layout.versions("churn"), "models/churn/versions/"),
        (layout.verdicts("churn", 7), "models/churn/verdicts/00000007/"),
        (layout.environment("churn", "live"), "models/churn/environments/live/"),
        (layout.numbered("models/churn/versions/", 7), "models/churn/versions/00000007.json"),
    ],
)
def test_keys_are_those_of_format_1(key: str, written: str) -> None:
    assert layout.FORMAT == 1
    assert key == written


@given(numbers)
def test_a_number_is_found_again_in_its_key(number: int) -> None:
    assert layout.number_of(layout.numbered("folder/", number)) == number


@given(numbers, numbers)
def test_keys_sort_as_their_numbers_do(one: int, other: int) -> None:
    keys = layout.numbered("folder/", one), layout.numbered("folder/", other)
    assert (keys[0] < keys[1]) == (one < other)


@pytest.mark.parametrize(
    "key",
    [
        "",
        "folder/",
        "7.json",
        "00000007",
        "00000007.json.bak",
        "x0000007.json",
        "0000000\u0667.json",
    ],
)
def test_other_keys_have_no_number(key: str) -> None:
    assert layout.number_of(key) is None
