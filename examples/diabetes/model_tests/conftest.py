"""What the model tests share: the rows that training never saw."""

import pytest
from data import Split, read_config, read_split


@pytest.fixture(scope="session")
def holdout() -> Split:
    return read_split(read_config())
