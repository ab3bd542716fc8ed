from __future__ import annotations

import shutil
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from greenroom import layout, ledger
from greenroom.catalog import Catalog
from greenroom.errors import Corrupted, InvalidInput, NotFound, Refused
from greenroom.log import Log
from greenroom.registry import Registry, Training
from greenroom.store import LocalStore

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd
    from sklearn.pipeline import Pipeline


@pytest.fixture(scope="module")
def filled(
    tmp_path_factory: pytest.TempPathFactory,
    estimator: Pipeline,
    better_estimator: Pipeline,
    rows: pd.DataFrame,
) -> Path:
    """A registry: tumours 1 (live in production) and 2 (live in staging), and moles 1."""
    directory = tmp_path_factory.mktemp("catalog")
    plot = directory / "plot.svg"
    plot.write_text("<svg/>")
    registry = Registry(LocalStore(directory / "registry"), author="ann")
    registry.push("tumours", estimator, rows, training=Training(attachments=[plot]))
    registry.push("tumours", better_estimator, rows)
    registry.push("moles", estimator, rows)
    registry.promote("tumours@1", "production", force=True, reason="first")
    registry.promote("tumours@2", "staging", force=True, reason="next")
    return directory / "registry"


@pytest.fixture(scope="module")
def catalog(filled: Path) -> Catalog:
    return Catalog(LocalStore(filled))


@pytest.fixture
def copy(filled: Path, tmp_path: Path) -> Path:
    """The filled registry's directory, to do damage to."""
    return Path(shutil.copytree(filled, tmp_path / "copy"))


def test_models_versions_and_what_is_live_are_told(catalog: Catalog) -> None:
    assert catalog.models() == ["moles", "tumours"]
    assert list(map(str, catalog.list("tumours"))) == ["tumours@1", "tumours@2"]
    assert catalog.environments("tumours") == ["production", "staging"]
    assert catalog.live("tumours") == {"production": 1, "staging": 2}
    assert catalog.environments("moles") == []
    assert catalog.live("moles") == {}


@pytest.mark.parametrize(
    ("reference", "shown"),
    [
        ("tumours@1", "tumours@1"),
        ("tumours", "tumours@2"),
        ("tumours@production", "tumours@1"),
        ("tumours@staging", "tumours@2"),
    ],
)
def test_a_reference_names_a_version(catalog: Catalog, reference: str, shown: str) -> None:
    version = catalog.show(reference)
    manifest = Path(catalog.location, layout.numbered("models/tumours/versions/", version.number))
    assert str(version) == shown
    assert version.digest == sha256(manifest.read_bytes()).hexdigest()


@pytest.mark.parametrize(
    ("look_up", "told"),
    [
        (lambda c: c.show("tumors"), "no model tumors; did you mean tumours?"),
        (lambda c: c.list("tumors"), "no model tumors; did you mean tumours?"),
        (lambda c: c.show("x"), "no model x; there are: moles, tumours"),
        (lambda c: c.show("tumours@3"), "no tumours@3; the newest is tumours@2"),
        (lambda c: c.show("moles@production"), "nothing of moles is live in production; there"),
        (
            lambda c: c.history("tumours", "producton"),
            "nothing of tumours is live in producton; did you mean production?",
        ),
        (lambda c: c.history("tumors", "production"), "no model tumors; did you mean tumours?"),
    ],
)
def test_what_is_not_there_is_refused_with_the_nearest_name(
    catalog: Catalog, look_up: Callable[[Catalog], object], told: str
) -> None:
    with pytest.raises(NotFound) as refusal:
        look_up(catalog)
    assert told in str(refusal.value)


@pytest.mark.parametrize(
    "look_up",
    [
        lambda c, _: c.models(),
        lambda c, _: c.list("tumours"),
        lambda c, _: c.show("tumours@1"),
        lambda c, _: c.history("tumours", "production"),
        lambda c, to: c.pull("tumours@1", to / "pulled"),
    ],
    ids=["models", "list", "show", "history", "pull"],
)
def test_a_directory_that_is_no_registry_is_told_and_left_as_it_was(
    tmp_path: Path, look_up: Callable[[Catalog, Path], object]
) -> None:
    place = tmp_path / "place"
    place.mkdir()
    with pytest.raises(NotFound, match=r"is not a registry: it has no greenroom\.json"):
        look_up(Catalog(LocalStore(place)), tmp_path)
    assert list(tmp_path.rglob("*")) == [place]


@pytest.mark.parametrize("name", ["Tumours", "../tumours", "tumours/1"])
def test_a_name_that_cannot_be_is_refused_before_the_store_is_asked(
    catalog: Catalog, name: str
) -> None:
    for look_up in (catalog.show, catalog.list, catalog.environments):
        with pytest.raises(InvalidInput):
            look_up(name)
    with pytest.raises(InvalidInput):
        catalog.history("tumours", name)


def test_a_log_is_read_on_from_where_it_was_left(copy: Path) -> None:
    registry = Registry(LocalStore(copy), author="ben")
    log = registry.read_on(Log("tumours", "production"))
    assert registry.read_on(log) == log
    registry.promote("tumours@2", "production", force=True, reason="try")
    newer = registry.read_on(log)
    assert [entry.body.version for entry in newer.entries] == [1, 2]
    assert newer.entries[:1] == log.entries


def test_pull_writes_every_file_as_it_was_pushed(catalog: Catalog, tmp_path: Path) -> None:
    version = catalog.pull("tumours@1", tmp_path / "new" / "pulled")
    pulled = {
        path.relative_to(tmp_path / "new" / "pulled").as_posix(): path.read_bytes()
        for path in (tmp_path / "new" / "pulled").rglob("*")
        if path.is_file()
    }
    digests = {path: sha256(data).hexdigest() for path, data in pulled.items()}
    assert digests == {file.path: file.sha256 for file in version.manifest.files}
    assert pulled["attachments/plot.svg"] == b"<svg/>"
    assert set(pulled) == {"model.onnx", "examples.json", "attachments/plot.svg"}


def test_pull_never_writes_into_a_directory_that_exists(catalog: Catalog, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="name a directory that does not exist yet"):
        catalog.pull("tumours@1", tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (lambda path: path.write_bytes(path.read_bytes()[:-1]), "do not have the digest"),
        (lambda path: path.write_bytes(path.read_bytes() + b"x"), "do not have the digest"),
        (lambda path: path.unlink(), "are not in the registry"),
    ],
    ids=["cut", "longer", "gone"],
)
def test_damaged_bytes_are_corrupted_for_servers_and_people(
    copy: Path, tmp_path: Path, damage: Callable[[Path], object], told: str
) -> None:
    catalog = Catalog(LocalStore(copy))
    version = catalog.show("tumours@1")
    damage(copy / layout.blob(version.manifest.file("model.onnx").sha256))
    with pytest.raises(Corrupted, match=f"model.onnx {told}"):
        catalog.fetch(version)
    with pytest.raises(Corrupted, match=f"model.onnx {told}"):
        catalog.pull("tumours@1", tmp_path / "pulled")


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.write_bytes(path.read_bytes().replace(b'"ann"', b'"eve"')),
        lambda path: path.unlink(),
    ],
    ids=["altered", "gone"],
)
def test_a_version_that_is_not_what_was_promoted_is_refused(
    copy: Path, damage: Callable[[Path], object]
) -> None:
    damage(copy / "models/tumours/versions/00000001.json")
    with pytest.raises(Refused, match="tumours@1 is not what was promoted"):
        Catalog(LocalStore(copy)).show("tumours@production")


def test_a_log_with_an_entry_missing_is_corrupted(copy: Path) -> None:
    registry = Registry(LocalStore(copy), author="ben")
    registry.promote("tumours@2", "production", force=True, reason="try")
    (copy / "models/tumours/environments/production/00000001.json").unlink()
    with pytest.raises(Corrupted, match="tumours@production: entry 1 is missing"):
        registry.live("tumours")


class Counting(LocalStore):
    """A store that keeps what it was asked."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.asked: list[str] = []

    def read(self, key: str) -> bytes:
        self.asked.append(f"read {key}")
        return super().read(key)

    def size(self, key: str) -> int | None:
        self.asked.append(f"size {key}")
        return super().size(key)

    def keys(self, folder: str, after: str = "", limit: int | None = None) -> list[str]:
        self.asked.append(f"keys {folder} {after}".rstrip())
        return super().keys(folder, after, limit)


LOG = "models/tumours/environments/production/"


@pytest.fixture
def long(copy: Path) -> Counting:
    """A registry where production took turns between tumours 1 and 2, twelve times in all."""
    registry = Registry(LocalStore(copy), author="ben")
    for turn in range(11):
        registry.promote(f"tumours@{2 - turn % 2}", "production", force=True, reason="turn")
    return Counting(copy)


def test_a_cold_resolve_lists_the_log_once_and_reads_its_last_entry(long: Counting) -> None:
    assert str(Catalog(long).show("tumours@production")) == "tumours@2"
    assert long.asked == [
        "read greenroom.json",
        f"keys {LOG}",
        f"read {LOG}00000012.json",
        "read models/tumours/versions/00000002.json",
    ]


def test_reading_on_from_the_tail_is_one_listing_past_its_end(long: Counting) -> None:
    tail = Catalog(long).tail("tumours", "production")
    long.asked.clear()
    assert Catalog(long).read_on(tail) == tail
    assert long.asked == [f"keys {LOG} {LOG}00000012.json"]


def test_a_log_of_many_pages_has_the_same_tail(
    long: Counting, monkeypatch: pytest.MonkeyPatch
) -> None:
    tail = Catalog(long).tail("tumours", "production")
    monkeypatch.setattr(ledger, "_PAGE", 4)
    assert Catalog(long).tail("tumours", "production") == tail
    assert tail.first == tail.entries[0].number == 12


@pytest.mark.parametrize("page", [4, 1000])
@pytest.mark.parametrize("gap", [1, 3, 9, 11])
def test_a_gap_is_never_taken_for_the_end_of_a_log(
    long: Counting, monkeypatch: pytest.MonkeyPatch, gap: int, page: int
) -> None:
    monkeypatch.setattr(ledger, "_PAGE", page)
    Path(long.location, f"{LOG}{gap:08d}.json").unlink()
    with pytest.raises(Corrupted, match=f"tumours@production: entry {gap} is missing"):
        Catalog(long).show("tumours@production")


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (lambda path: path.unlink(), "entry 10 is missing from the log"),
        (lambda path: path.write_bytes(b""), "00000010.json cannot be read"),
        (
            lambda path: path.write_bytes(path.read_bytes().replace(b'"ben"', b'"eve"')),
            "entry 11 does not follow the entry before it",
        ),
    ],
    ids=["gone", "cut", "altered"],
)
def test_walking_back_names_what_is_wrong_when_it_comes_there(
    long: Counting, damage: Callable[[Path], object], told: str
) -> None:
    walk = Catalog(long).backwards(Catalog(long).tail("tumours", "production"))
    damage(Path(long.location, f"{LOG}00000010.json"))
    assert [next(walk).number, next(walk).number] == [12, 11]
    with pytest.raises(Corrupted, match=told):
        next(walk)
