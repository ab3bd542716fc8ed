from __future__ import annotations

import math

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from greenroom.documents import decode, encode, sha256, store_as
from greenroom.errors import Corrupted, InvalidInput


class Note(msgspec.Struct, frozen=True):
    text: str
    score: float = 0.0
    operation: str = "0" * 32
    format: int = 1


def test_a_document_is_json_that_a_person_can_read() -> None:
    assert encode({"format": 1, "text": "é"}) == '{\n  "format": 1,\n  "text": "é"\n}\n'.encode()


@given(st.builds(Note, text=st.text(), score=st.floats(allow_nan=False, allow_infinity=False)))
def test_a_stored_document_reads_back_and_its_digest_is_that_of_its_bytes(note: Note) -> None:
    stored, data = store_as(7, note)
    assert decode(data, Note, "key") == note
    assert (stored.number, stored.digest, stored.body) == (7, sha256(data), note)


@pytest.mark.parametrize(
    "note",
    [Note("", math.nan), Note("", -math.inf), Note("\ud800"), Note(b"text")],  # type: ignore[arg-type]
    ids=["nan", "infinite", "surrogate", "bytes"],
)
def test_what_would_not_read_back_is_not_stored(note: Note) -> None:
    with pytest.raises(InvalidInput, match="cannot be stored"):
        store_as(7, note)


def test_fields_of_a_later_program_are_ignored() -> None:
    assert decode(b'{"format": 1, "text": "a", "mood": {"x": [1]}}', Note, "key") == Note("a")


def test_a_newer_format_is_refused_whatever_else_it_says() -> None:
    with pytest.raises(Corrupted, match="key has format 2; this Greenroom reads 1: upgrade"):
        decode(b'{"format": 2, "text": 5}', Note, "folder/key")


@given(st.binary())
@example(b"")
@example(b"[]")
@example(b'{"text": "no format"}')
@example(b'{"format": 1}')
@example(b'{"format": "1", "text": ""}')
@example(b'{"format": 1e400, "text": ""}')
@example(b'{"format": 1, "text": "cut')
@example(b'{"format": 1, "text": "\xff"}')
@example(b'{"format": 1, "deep": ' + b"[" * 100_000)
def test_bytes_that_are_no_document_are_corrupted_and_named(data: bytes) -> None:
    with pytest.raises(Corrupted, match="folder/key cannot be read"):
        decode(data, Note, "folder/key")
