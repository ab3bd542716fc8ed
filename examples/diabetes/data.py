"""The data of this model: what config.yaml says, and the rows that training never sees."""

from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import yaml
from sklearn.model_selection import train_test_split


class Split(NamedTuple):
    """Rows to train on and rows held out, each with their answers."""

    train_rows: pd.DataFrame
    test_rows: pd.DataFrame
    train_answers: pd.Series
    test_answers: pd.Series


def read_config() -> dict[str, Any]:
    return yaml.safe_load(Path("config.yaml").read_text())


def read_split(config: dict[str, Any]) -> Split:
    table = pd.read_csv(config["data"])
    rows, answers = table.drop(columns=config["target"]), table[config["target"]]
    return Split(
        *train_test_split(
            rows,
            answers,
            test_size=config["test_share"],
            random_state=config["seed"],
            stratify=answers,
        )
    )
