from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from greenroom.testing.fixtures import open_models

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pandas as pd
    from sklearn.pipeline import Pipeline

    from greenroom.registry import Registry
    from greenroom.verdict import TestRun

SUITE = """
import json
from pathlib import Path

def test_models(candidate, champion, examples, record_metric):
    told = {
        "candidate": str(candidate),
        "champion": champion and str(champion),
        "columns": candidate.schema.columns,
        "labels": candidate.schema.labels,
        "by": candidate.manifest.by,
        "rows": examples.rows,
        "answers": examples.answers.predictions,
        "predictions": candidate.predict(examples.rows).tolist(),
        "probabilities": candidate.predict_proba(examples.rows).tolist(),
        "champions": champion and champion.predict_proba(examples.rows).tolist(),
    }
    Path(__file__).with_name("told.json").write_text(json.dumps(told))
    record_metric("mean", candidate.predict_proba(examples.rows)[:, 1].mean())
"""


def test_model_tests_are_given_what_they_ask_for(
    run: Callable[..., TestRun],
    tmp_path: Path,
    better_estimator: Pipeline,
    estimator: Pipeline,
    rows: pd.DataFrame,
) -> None:
    observed = run({"test_model.py": SUITE})
    told = json.loads((tmp_path / "told.json").read_text())
    probabilities = better_estimator.predict_proba(rows)
    assert (told["candidate"], told["champion"]) == ("tumours@2", "tumours@1")
    assert (told["columns"], told["labels"], told["by"]) == (list(rows.columns), [0, 1], "ann")
    assert told["rows"] == rows.to_numpy().tolist()
    assert told["answers"] == told["predictions"] == better_estimator.predict(rows).tolist()
    assert told["probabilities"] == pytest.approx(probabilities)
    assert told["champions"] == pytest.approx(estimator.predict_proba(rows))
    assert observed.metrics == {"mean": pytest.approx(probabilities[:, 1].mean())}


def test_there_is_no_champion_before_the_first_promotion(
    contest: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GREENROOM_REGISTRY", contest.location)
    assert open_models("tumours@2", "staging").champion is None
    champion = open_models("tumours@2", "production").champion
    assert champion is not None
    assert champion.version == 1
