from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from greenroom.errors import InvalidInput
from greenroom.names import Reference, check_name, parse_reference


@pytest.mark.parametrize("name", ["a", "diabetes", "churn-eu_2", "a" * 63, "x0"])
def test_a_plain_name_is_taken_as_it_is(name: str) -> None:
    assert check_name(name, "a model") == name


@pytest.mark.parametrize(
    "name",
    [
        "",
        "Diabetes",
        "7up",
        "-a",
        "a-",
        "a_",
        "a" * 64,
        "a b",
        "a/b",
        "..",
        "a.b",
        "ä",
        "a\n",
        "a@b",
        "a\0",
        "nul",
        "con",
    ],
)
def test_a_name_that_some_store_could_not_hold_is_refused(name: str) -> None:
    with pytest.raises(InvalidInput, match="cannot be the name of a model: use 1 to 63 of a-z"):
        check_name(name, "a model")


@pytest.mark.parametrize(
    ("text", "reference"),
    [
        ("diabetes", Reference("diabetes")),
        ("diabetes@7", Reference("diabetes", version=7)),
        ("diabetes@99999999", Reference("diabetes", version=99999999)),
        ("diabetes@production", Reference("diabetes", environment="production")),
    ],
)
def test_a_reference_is_read_and_told_alike(text: str, reference: Reference) -> None:
    assert parse_reference(text) == reference
    assert str(reference) == text


@pytest.mark.parametrize("number", ["0", "07", "100000000", "1.0", "7x", "\u0667"])
def test_what_begins_like_a_number_but_is_none_is_told_so(number: str) -> None:
    with pytest.raises(InvalidInput, match="numbers run from 1 to 99999999"):
        parse_reference(f"diabetes@{number}")


@pytest.mark.parametrize("text", ["", "@", "@7", "diabetes@", "diabetes@-1", "a@b@c", "a@ b"])
def test_what_names_nothing_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="cannot be the name"):
        parse_reference(text)


@given(st.text())
def test_any_text_is_a_reference_or_refused(text: str) -> None:
    with contextlib.suppress(InvalidInput):
        assert str(parse_reference(text)) == text
