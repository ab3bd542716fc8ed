"""Files on the author's own machine: an estimator that they saved, rows in a CSV."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from greenroom.errors import InvalidInput, NotFound

if TYPE_CHECKING:
    from pathlib import Path


def read_estimator(path: Path) -> Any:  # of whatever library trained it
    """Load an estimator that its author saved with joblib or pickle.

    Loading runs what the file says: this is for the author's own files on their own machine,
    and nothing from a registry ever comes here. Raises NotFound or InvalidInput.
    """
    import joblib

    if not path.is_file():
        raise NotFound(f"there is no file {path}; save the fitted estimator with joblib.dump")
    try:
        return joblib.load(path)
    except ImportError as error:
        raise InvalidInput(f"{path} needs what is not installed here: {error}") from error
    except Exception as error:  # bytes that are no pickle can raise whatever they spell
        raise InvalidInput(f"{path} is no saved estimator; save one with joblib.dump") from error


def read_examples(path: Path) -> Any:  # a pandas.DataFrame
    """Read example rows from a CSV file with a header, or raise NotFound or InvalidInput."""
    import pandas as pd

    if not path.is_file():
        raise NotFound(f"there is no file {path}; give example rows as CSV with a header")
    try:
        return pd.read_csv(path)
    except (OSError, ValueError, pd.errors.ParserError) as error:
        raise InvalidInput(f"{path} is no CSV file of rows: {error}") from error
