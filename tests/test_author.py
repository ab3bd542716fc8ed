from __future__ import annotations

import pickle
from typing import TYPE_CHECKING

import joblib
import pytest

from greenroom.author import read_estimator, read_examples
from greenroom.errors import InvalidInput, NotFound

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd
    from sklearn.pipeline import Pipeline


@pytest.mark.parametrize("compress", [0, 3])
def test_an_estimator_saved_with_joblib_is_loaded(
    tmp_path: Path, estimator: Pipeline, rows: pd.DataFrame, compress: int
) -> None:
    path = tmp_path / "model.joblib"
    joblib.dump(estimator, path, compress=compress)
    assert list(read_estimator(path).predict(rows)) == list(estimator.predict(rows))


def test_an_estimator_saved_with_pickle_is_loaded(
    tmp_path: Path, estimator: Pipeline, rows: pd.DataFrame
) -> None:
    path = tmp_path / "model.pkl"
    path.write_bytes(pickle.dumps(estimator))
    assert list(read_estimator(path).predict(rows)) == list(estimator.predict(rows))


@pytest.mark.parametrize("kind", ["empty", "text", "cut", "altered", "of another library"])
def test_a_file_that_is_no_estimator_is_told_so(
    tmp_path: Path, estimator: Pipeline, kind: str
) -> None:
    path = tmp_path / "model.joblib"
    joblib.dump(estimator, path, compress=3)
    saved = path.read_bytes()
    path.write_bytes(
        {
            "empty": b"",
            "text": b"to be or not to be",
            "cut": saved[:100],
            "altered": saved[:100] + bytes(100) + saved[200:],
            "of another library": b"cno_such_library\nModel\n.",
        }[kind]
    )
    with pytest.raises(
        InvalidInput, match=r"model\.joblib (is no saved estimator|needs what is not installed)"
    ):
        read_estimator(path)


def test_rows_are_read_with_their_names(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("radius,texture\n1.5,2\n")
    assert read_examples(path).to_dict("records") == [{"radius": 1.5, "texture": 2}]


@pytest.mark.parametrize("data", [b"", b"a,b\n1,2\n1,2,3\n", b"\xff\xfe\x00", b'a\n"1\n'])
def test_a_file_that_is_no_csv_is_told_so(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "rows.csv"
    path.write_bytes(data)
    with pytest.raises(InvalidInput, match=r"rows\.csv is no CSV file of rows: \S"):
        read_examples(path)


def test_a_file_that_is_not_there_is_named_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"no file .*model\.joblib; save the fitted estimator"):
        read_estimator(tmp_path / "model.joblib")
    with pytest.raises(NotFound, match=r"no file .*rows\.csv; give example rows as CSV"):
        read_examples(tmp_path / "rows.csv")
