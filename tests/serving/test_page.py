from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from sklearn.linear_model import LinearRegression

from greenroom.registry import Registry
from greenroom.serving import page
from greenroom.serving.live import Live
from greenroom.store import LocalStore

if TYPE_CHECKING:
    from pathlib import Path

    from sklearn.pipeline import Pipeline

HOSTILE = ['"><script>alert(1)</script>', "' onfocus=alert(1)'", "$title ${fields} $", "a&amp;b"]


def rendered(registry: Registry) -> str:
    live = Live(registry, "diabetes", "production")
    live.poll()
    return page.render(live).decode()


def test_the_page_names_the_version_and_offers_the_first_example(
    registry: Registry, estimator: Pipeline, rows: pd.DataFrame
) -> None:
    registry.push("diabetes", estimator, rows)
    registry.promote("diabetes", "production", force=True, reason="a test")
    html = rendered(registry)
    assert "<h1>diabetes@1</h1>" in html
    assert "Live in production since 2026-11-24T12:00:00+00:00." in html
    offered = [float(value) for value in re.findall(r'value="([^"]+)"', html)]
    assert offered == rows.iloc[0].tolist()


def test_before_a_promotion_the_page_says_why_it_is_not_ready(registry: Registry) -> None:
    html = rendered(registry)
    assert "<h1>diabetes</h1>" in html
    assert "Not ready: " in html
    assert "is not a registry" in html
    assert "<input" not in html


def test_hostile_names_of_columns_and_people_are_shown_and_never_run(tmp_path: Path) -> None:
    registry = Registry(LocalStore(tmp_path), author="<img src=x onerror=alert(1)>")
    frame = pd.DataFrame(np.eye(4), columns=HOSTILE)
    registry.push("diabetes", LinearRegression().fit(frame, [1, 2, 3, 4]), frame)
    registry.promote("diabetes", "production", force=True, reason="a test")
    html = rendered(registry)
    assert html.count("<script") == 1
    assert "<img" not in html
    names = re.findall(r'<input [^>]*name="([^"]*)"', html)
    assert names == [
        "&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;",
        "&#x27; onfocus=alert(1)&#x27;",
        "$title ${fields} $",
        "a&amp;amp;b",
    ]
