from __future__ import annotations

import json
import socket
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from greenroom.registry import Registry

ROW = [17.99, 10.38, 122.8, 1001.0]
JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def server(serve: Callable[..., Any], served_registry: Registry) -> Any:
    return serve(served_registry, "diabetes@production")


@pytest.fixture(scope="module")
def client(server: Any) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, timeout=30) as client:
        yield client


@pytest.fixture(scope="module")
def columns(table: tuple[pd.DataFrame, pd.Series]) -> list[str]:
    return list(table[0].columns)


def post(client: httpx.Client, body: Any, **headers: str) -> httpx.Response:
    return client.post("/predict", content=body, headers=JSON | headers)


def refused(response: httpx.Response, status: int = 400) -> str:
    """Return the reason of a refusal, after checking that it is one."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/json"
    return str(response.json()["error"])


def test_rows_and_records_one_or_many_are_answered_alike(
    client: httpx.Client, columns: list[str]
) -> None:
    record = dict(zip(columns, ROW, strict=True))
    shuffled = dict(reversed(record.items()))
    one = post(client, json.dumps(ROW)).json()
    assert one["predictions"] == [0]
    assert (one["model"], one["version"]) == ("diabetes", 1)
    assert sum(one["probabilities"][0].values()) == pytest.approx(1)
    assert post(client, json.dumps(shuffled)).json() == one
    for many in ([ROW] * 3, [record] * 3, [ROW, record, ROW]):
        answer = post(client, json.dumps(many)).json()
        assert answer["predictions"] == [0, 0, 0]
        assert answer["probabilities"] == one["probabilities"] * 3


def test_health_says_what_answers(client: httpx.Client, served_registry: Registry) -> None:
    response = client.get("/health")
    live = served_registry.show("diabetes@production")
    assert response.status_code == 200
    assert response.json() == {
        "status": "ready",
        "model": "diabetes",
        "environment": "production",
        "version": 1,
        "digest": live.digest,
        "sequence": 1,
        "failure": None,
    }


@pytest.mark.parametrize("path", ["/", "/health"])
def test_head_is_get_without_a_body(client: httpx.Client, path: str) -> None:
    got, head = client.get(path), client.head(path)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == str(len(got.content))
    assert head.headers["content-type"] == got.headers["content-type"]


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("GET", "/predict", "POST"),
        ("HEAD", "/predict", "POST"),
        ("POST", "/health", "GET, HEAD"),
        ("DELETE", "/", "GET, HEAD"),
    ],
)
def test_a_wrong_method_is_told_the_right_ones(
    client: httpx.Client, method: str, path: str, allow: str
) -> None:
    response = client.request(method, path)
    assert (response.status_code, response.headers["allow"]) == (405, allow)


def test_an_unknown_path_is_told_the_known_ones(client: httpx.Client) -> None:
    assert refused(client.get("/predictt"), 404) == "there are: /, /health, /predict"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Content-Type": "text/csv"},
        {"Content-Type": "application/x-www-form-urlencoded"},
        JSON | {"Content-Encoding": "gzip"},
    ],
)
def test_a_body_that_is_not_plain_json_is_not_read(
    client: httpx.Client, headers: dict[str, str]
) -> None:
    refused(client.post("/predict", content=json.dumps(ROW), headers=headers), 415)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "not JSON"),
        (b"[1, 2", "not JSON"),
        (b"[NaN, 1, 2, 3]", "not JSON"),
        (b"[1, -Infinity, 2, 3]", "not JSON"),
        (b"[1e999, 1, 2, 3]", "out of range"),
        (b"[" + b"9" * 5000 + b", 1, 2, 3]", "out of range"),
        (b'[1, 2, 3, "\xff"]', "not UTF-8"),
        (b'{"\\ud800": 1}', "not JSON"),
        (b'["\\udfff", 1, 2, 3]', "not JSON"),
        (b"[" * 100_000 + b"]" * 100_000, "nested too deeply"),
        (b'{"a":' * 100_000, "nested too deeply"),
        (b"3", "send a row"),
        (b"null", "send a row"),
        (b'"[1,2,3,4]"', "send a row"),
        (b"[]", "there are no rows"),
        (b"[[]]", "row 0: has 0 values where 4 are expected: mean radius, mean texture"),
        (b"{}", "row 0, field mean radius: is missing; row 0, field mean texture: is missing"),
    ],
    ids=lambda value: value[:24] if isinstance(value, bytes) else None,
)
def test_a_malformed_body_is_refused_with_the_reason(
    client: httpx.Client, body: bytes, reason: str
) -> None:
    assert reason in refused(post(client, body))


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ('"secret"', "must be a number, not a string"),
        ("true", "must be a number, not a boolean"),
        ("null", "must be a number, not null"),
        ("{}", "must be a number, not an object"),
        ("[" * 100 + "]" * 100, "must be a number, not a list"),
        ("9" * 400, "is too large"),
        ("-" + "9" * 400, "is too large"),
    ],
    ids=lambda value: value[:24],
)
def test_a_bad_value_is_refused_by_row_and_field_and_never_echoed(
    client: httpx.Client, value: str, problem: str
) -> None:
    response = post(client, f"[[1, 2, 3, 4], [1, 2, {value}, 4]]")
    assert refused(response) == f"row 1, field mean perimeter: {problem}"
    assert response.json()["details"] == [
        {"row": 1, "field": "mean perimeter", "problem": problem}
    ]


def test_a_row_unlike_the_others_is_named(client: httpx.Client) -> None:
    ragged = refused(post(client, "[[1, 2, 3, 4], [1, 2]]"))
    assert ragged.startswith("row 1: has 2 values where 4 are expected")
    assert refused(post(client, "[[1, 2, 3, 4], 5]")).startswith("row 1: must be a row")


def test_missing_and_unknown_fields_of_a_record_are_named(
    client: httpx.Client, columns: list[str]
) -> None:
    record = dict.fromkeys(columns[:3], 1.0) | {"mean aera": 1.0}
    reason = refused(post(client, json.dumps([ROW, record])))
    assert reason == (
        "row 1, field mean area: is missing; row 1, field mean aera: is not an input of this model"
    )


def test_only_so_many_faults_and_so_much_of_a_name_are_told(client: httpx.Client) -> None:
    response = post(client, json.dumps([{"k" * 5000: 1}] * 100))
    assert len(response.json()["details"]) == 20
    assert len(response.content) < 5000


@pytest.mark.parametrize("number", [2**63, 2**64, 1e300, -1e308])
def test_large_numbers_are_answered(client: httpx.Client, number: float) -> None:
    response = post(client, json.dumps([number, 1, 2, 3]))
    assert response.status_code == 200
    assert set(response.json()["probabilities"][0].values()) == {0.0, 1.0}


def test_an_answer_that_is_not_finite_is_refused_by_row(
    serve: Callable[..., Any], served_registry: Registry
) -> None:
    rows = pd.DataFrame({"x": [1.0, 2.0, 3.0]})
    served_registry.push("steep", LinearRegression().fit(rows, rows["x"] * 1e6), rows)
    served_registry.promote("steep", "production", force=True, reason="a test")
    url = serve(served_registry, "steep@production").url
    response = httpx.post(f"{url}/predict", json=[[1.0], [1e308]])
    assert refused(response).startswith("row 1: the model's answer is not a finite number")


def test_a_body_over_the_limit_is_refused_and_the_connection_goes_on(
    client: httpx.Client,
) -> None:
    body = b"[" + b"1," * 600_000 + b"1]"
    chunks = (body[at : at + 65536] for at in range(0, len(body), 65536))
    assert "over 1048576 bytes" in refused(post(client, body), 413)
    assert "over 1048576 bytes" in refused(post(client, chunks), 413)
    assert post(client, json.dumps(ROW)).status_code == 200


def test_rows_over_the_limit_are_refused_and_as_many_as_it_allows_are_answered(
    client: httpx.Client,
) -> None:
    assert "10001 rows are too many" in refused(post(client, json.dumps([ROW] * 10_001)), 413)
    answer = post(client, json.dumps([ROW] * 10_000)).json()
    assert answer["predictions"] == [0] * 10_000


def test_a_client_that_leaves_in_the_middle_of_its_body_disturbs_nobody(
    client: httpx.Client, server: Any
) -> None:
    address = urlsplit(server.url)
    head = b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    with socket.create_connection((address.hostname, address.port)) as connection:
        connection.sendall(head + b"Content-Length: 100\r\n\r\n[1, 2")
    assert post(client, json.dumps(ROW)).status_code == 200


def test_a_server_becomes_ready_when_something_is_promoted(
    serve: Callable[..., Any], served_registry: Registry
) -> None:
    server = serve(served_registry, "diabetes@staging", "--poll", "0.2")
    with httpx.Client(base_url=server.url, timeout=30) as client:
        health = client.get("/health")
        assert (health.status_code, health.json()["status"]) == (503, "not ready")
        assert (
            health.json()["failure"]
            == "nothing of diabetes is live in staging; there are: production"
        )
        assert refused(post(client, json.dumps(ROW)), 503)
        assert client.get("/").status_code == 200
        served_registry.promote("diabetes@1", "staging", force=True, reason="a test")
        server.wait_for(lambda: client.get("/health").status_code == 200)
        assert post(client, json.dumps(ROW)).json()["version"] == 1
