"""Train the diabetes model as config.yaml says, and push it to the registry.

python train.py
"""

from datetime import UTC, datetime
from pathlib import Path

import joblib
import matplotlib as mpl
import matplotlib.pyplot as plt
from data import read_config, read_split
from sklearn.calibration import CalibrationDisplay
from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import RocCurveDisplay, accuracy_score, brier_score_loss, roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import greenroom

mpl.use("Agg")
estimators = {
    estimator.__name__: estimator
    for estimator in (LogisticRegression, RandomForestClassifier, GradientBoostingClassifier)
}

# Read and split
config = read_config()
split = read_split(config)

# Fit
estimator = estimators[config["estimator"]](
    **config["hyperparameters"], random_state=config["seed"]
)
model = make_pipeline(StandardScaler(), estimator)
print(f"fitting {config['estimator']} on {len(split.train_rows)} rows …", end=" ", flush=True)
model.fit(split.train_rows, split.train_answers)
print("done")

# Measure on the rows that it has not seen
risks = model.predict_proba(split.test_rows)[:, 1]
metrics = {
    "accuracy": float(accuracy_score(split.test_answers, risks >= 0.5)),
    "roc_auc": float(roc_auc_score(split.test_answers, risks)),
    "brier_score": float(brier_score_loss(split.test_answers, risks)),
}
print("measured", ", ".join(f"{name} {value:.3f}" for name, value in metrics.items()))

# Draw, and keep the author's own copy
folder = Path("models")
folder.mkdir(exist_ok=True)
for name, display in {"roc": RocCurveDisplay, "calibration": CalibrationDisplay}.items():
    display.from_predictions(split.test_answers, risks)
    plt.savefig(folder / f"{name}.png")
    plt.close()
saved = folder / f"diabetes-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.joblib"
joblib.dump(model, saved)
examples = split.test_rows.head(20)
examples.to_csv(folder / "examples.csv", index=False)
print(f"saved {saved}")

# Push
pushed = greenroom.open_registry().push(
    "diabetes",
    model,
    examples=examples,
    training=greenroom.Training(
        parameters={"estimator": config["estimator"], **config["hyperparameters"]},
        metrics=metrics,
        attachments=[folder / "roc.png", folder / "calibration.png"],
        data=config["data"],
    ),
)
print(f"{'pushed' if pushed.is_new else 'unchanged,'} {pushed.version}")
