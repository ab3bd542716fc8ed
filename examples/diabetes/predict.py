"""Ask the diabetes model about a random patient, and compare its answer with the truth.

python predict.py --local                           the newest model in models/
python predict.py --remote http://localhost:5000    a server
"""

import argparse
import json
from pathlib import Path
from urllib.request import Request, urlopen

import joblib
import pandas as pd
from data import read_config

parser = argparse.ArgumentParser(description="Ask the model about a random row of the data.")
where = parser.add_mutually_exclusive_group(required=True)
where.add_argument("--local", action="store_true", help="ask the newest model in models/")
where.add_argument("--remote", metavar="URL", help="ask a server, such as http://localhost:5000")
arguments = parser.parse_args()

# Pick a row
config = read_config()
patient = pd.read_csv(config["data"]).sample(1)
truth = int(patient.pop(config["target"]).iloc[0])
record = patient.iloc[0].to_dict()
print("request", json.dumps(record))

# Ask
if arguments.local:
    newest = max(Path("models").glob("diabetes-*.joblib"), default=None)
    if newest is None:
        parser.error("there is no model in models/ yet: run python train.py")
    answer = {"predictions": joblib.load(newest).predict(patient).tolist(), "model": newest.name}
else:
    request = Request(
        f"{arguments.remote.rstrip('/')}/predict",
        data=json.dumps(record).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urlopen(request, timeout=10) as response:
        answer = json.load(response)

print("answer ", json.dumps(answer))
print("truth  ", truth)
