"""What has to hold before this model may serve patients."""

import numpy as np
from sklearn.metrics import roc_auc_score


def test_it_tells_ill_from_healthy(candidate, holdout, record_metric):
    risks = candidate.predict_proba(holdout.test_rows)[:, 1]
    roc_auc = roc_auc_score(holdout.test_answers, risks)
    record_metric("roc_auc", roc_auc)
    assert roc_auc >= 0.75


def test_it_is_no_worse_than_the_champion(candidate, champion, holdout):
    if champion is None:
        return  # the first model has nobody to compare itself with
    challenger, defender = (
        roc_auc_score(holdout.test_answers, model.predict_proba(holdout.test_rows)[:, 1])
        for model in (candidate, champion)
    )
    assert challenger >= defender - 0.01


def test_it_answers_its_examples_as_its_author_saw(candidate, examples):
    assert candidate.predict(examples.rows).tolist() == examples.answers.predictions


def test_more_glucose_hardly_ever_lowers_the_risk(candidate, holdout):
    more_glucose = holdout.test_rows.assign(Glucose=holdout.test_rows.Glucose + 20)
    before = candidate.predict_proba(holdout.test_rows)[:, 1]
    after = candidate.predict_proba(more_glucose)[:, 1]
    assert np.mean(after < before - 0.05) < 0.05


def test_it_works_for_the_young_and_the_old(candidate, holdout):
    for group in (holdout.test_rows.Age < 30, holdout.test_rows.Age >= 30):
        risks = candidate.predict_proba(holdout.test_rows[group])[:, 1]
        assert roc_auc_score(holdout.test_answers[group], risks) >= 0.65
