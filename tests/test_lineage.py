from __future__ import annotations

import platform
import subprocess
from importlib.metadata import version
from typing import TYPE_CHECKING

import pytest
from sklearn.linear_model import LogisticRegression

from greenroom.errors import InvalidInput
from greenroom.lineage import observe

if TYPE_CHECKING:
    from pathlib import Path


def git(directory: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=ann", "-c", "user.email=ann@example.org"]
    command = ["git", "-C", str(directory), *identity, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A git repository with one commit."""
    git(tmp_path, "init", "--quiet")
    (tmp_path / "train.py").write_text("# trains\n")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "--quiet", "--no-gpg-sign", "--message", "Train")
    return tmp_path


def test_the_estimator_and_what_it_runs_on_are_recorded(tmp_path: Path) -> None:
    lineage = observe(tmp_path, LogisticRegression(), None)
    assert lineage.estimator == f"{LogisticRegression.__module__}.LogisticRegression"
    assert lineage.python == platform.python_version()
    assert lineage.packages["scikit-learn"] == version("scikit-learn")
    assert list(lineage.packages) == sorted(lineage.packages, key=str.lower)


def test_the_commit_of_a_clean_repository_is_recorded(repository: Path) -> None:
    lineage = observe(repository, object(), None)
    assert (lineage.git_commit, lineage.git_dirty) == (git(repository, "rev-parse", "HEAD"), False)


@pytest.mark.parametrize("changed", ["train.py", "new.py"])
def test_a_changed_or_unknown_file_makes_a_repository_dirty(
    repository: Path, changed: str
) -> None:
    (repository / changed).write_text("# trains better\n")
    lineage = observe(repository, object(), None)
    assert (lineage.git_commit, lineage.git_dirty) == (git(repository, "rev-parse", "HEAD"), True)


def test_without_a_repository_the_commit_is_unknown(tmp_path: Path) -> None:
    lineage = observe(tmp_path, object(), None)
    assert (lineage.git_commit, lineage.git_dirty) == (None, None)


def test_without_git_the_commit_is_unknown(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(repository))
    lineage = observe(repository, object(), None)
    assert (lineage.git_commit, lineage.git_dirty) == (None, None)


def test_the_data_file_is_recorded_by_its_digest(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_bytes(b"1")
    lineage = observe(tmp_path, object(), path)
    assert lineage.data_sha256 == (
        "6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b"
    )
    assert observe(tmp_path, object(), None).data_sha256 is None


@pytest.mark.parametrize("name", ["absent.csv", "."])
def test_a_data_file_that_cannot_be_read_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidInput, match=r"the data file .* cannot be read"):
        observe(tmp_path, object(), tmp_path / name)


def test_of_a_package_installed_twice_the_one_that_is_imported_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for place, number in (("first", "2.0"), ("second", "1.0")):
        metadata = tmp_path / place / f"twice-{number}.dist-info" / "METADATA"
        metadata.parent.mkdir(parents=True)
        metadata.write_text(f"Metadata-Version: 2.1\nName: twice\nVersion: {number}\n")
    for place in ("second", "first"):
        monkeypatch.syspath_prepend(str(tmp_path / place))
    assert observe(tmp_path, object(), None).packages["twice"] == "2.0"


def test_a_package_without_a_name_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    metadata = tmp_path / "halfway-1.0.dist-info" / "METADATA"
    metadata.parent.mkdir()
    metadata.write_text("Metadata-Version: 2.1\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert observe(tmp_path, object(), None).packages
