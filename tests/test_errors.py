from __future__ import annotations

import pytest

from greenroom.errors import Fault, InvalidRows, PromotionRefused, nearest


def test_every_fault_is_told_with_its_row_and_field() -> None:
    error = InvalidRows([Fault(3, "Glucose", "is missing"), Fault(None, None, "is empty")])
    assert str(error) == "row 3, field Glucose: is missing; is empty"


def test_a_refused_promotion_tells_every_reason_at_once() -> None:
    error = PromotionRefused("promotion of m@1 to production", ["untested", "yanked"])
    assert str(error) == "promotion of m@1 to production refused: untested; yanked"


@pytest.mark.parametrize(
    ("wanted", "existing", "told"),
    [
        ("diabets", ["churn", "diabetes"], "did you mean diabetes?"),
        ("x", ["churn", "diabetes"], "there are: churn, diabetes"),
        ("x", [], "there are none yet"),
    ],
)
def test_the_nearest_name_is_offered(wanted: str, existing: list[str], told: str) -> None:
    assert nearest(wanted, existing) == told
