"""How facts are shown to people: tables and sheets, as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from greenroom.documents import Stored
    from greenroom.log import Log
    from greenroom.manifest import Version
    from greenroom.verdict import Verdict


def printable(text: str) -> str:
    """Return one line of text in which nothing commands the terminal that shows it."""
    return "".join(character if character.isprintable() else "�" for character in text)


def table(heads: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Return columns side by side, each as wide as its widest cell."""
    cells = [[_cell(value) for value in row] for row in (heads, *rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = ("  ".join(map(str.ljust, row, widths)).rstrip() for row in cells)
    return "\n".join(lines)


def versions(found: Sequence[Version], live: Mapping[str, int]) -> str:
    """Return a model's versions, newest last; `live` maps environments to a version's number."""
    rows = [
        (v, v.manifest.at, v.manifest.by, _live_in(v, live), _numbers(v.manifest.metrics))
        for v in found
    ]
    return table(("VERSION", "PUSHED", "BY", "LIVE IN", "METRICS"), rows)


def version(found: Version, verdicts: Sequence[Stored[Verdict]]) -> str:
    """Return everything that is known of a version, a fact a line."""
    manifest, lineage = found.manifest, found.manifest.lineage
    commit = lineage.git_commit and lineage.git_commit[:12]
    facts = [
        ("digest", found.digest),
        ("pushed", f"{manifest.at} by {manifest.by}"),
        ("estimator", lineage.estimator),
        ("commit", f"{commit} (with uncommitted changes)" if lineage.git_dirty else commit),
        ("data", lineage.data_sha256),
        ("python", f"{lineage.python}, {len(lineage.packages)} packages"),
        ("inputs", ", ".join(manifest.schema.columns)),
        ("outputs", ", ".join(field.name for field in manifest.schema.outputs)),
        ("parameters", _numbers(manifest.parameters)),
        ("metrics", _numbers(manifest.metrics)),
        ("parity", f"{manifest.parity.largest_difference:.2g} on {manifest.parity.rows} examples"),
        *((f"file {file.path}", f"{file.size} bytes") for file in manifest.files),
        *((f"verdict {stored.number}", _verdict(stored.body)) for stored in verdicts),
    ]
    return table((str(found), ""), facts)


def verdict(given: Verdict) -> str:
    """Return a verdict in one line."""
    return f"{given.model}@{given.version} {_verdict(given)}"


def history(log: Log) -> str:
    """Return an environment's log, newest first."""
    rows = [
        (p.sequence, p.kind, f"{p.model}@{p.version}", p.at, p.by, p.reason or "")
        for p in (entry.body for entry in reversed(log.entries))
    ]
    return table(("#", "KIND", "VERSION", "AT", "BY", "REASON"), rows)


def _live_in(found: Version, live: Mapping[str, int]) -> str:
    return ", ".join(name for name, number in live.items() if number == found.number)


def _verdict(given: Verdict) -> str:
    passed = sum(test.outcome == "passed" for test in given.tests)
    counted = f"{given.outcome}: {passed} of {len(given.tests)} tests passed"
    return f"{counted} ({'; '.join(given.reasons)})" if given.reasons else counted


def _numbers(values: Mapping[str, object]) -> str:
    return ", ".join(f"{name} {_cell(value)}" for name, value in values.items())


def _cell(value: object) -> str:
    if value is None:
        return "unknown"
    return printable(f"{value:.4g}" if isinstance(value, float) else str(value))
