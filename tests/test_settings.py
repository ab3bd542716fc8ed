from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from greenroom import settings
from greenroom.errors import InvalidInput
from greenroom.names import Reference
from greenroom.settings import open_registry, read_settings

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Write = Callable[[str], Path]


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty directory to work in, with nothing set."""
    for name in ("REGISTRY", "MODEL", "AUTHOR"):
        monkeypatch.delenv(f"GREENROOM_{name}", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def write(project: Path) -> Write:
    def write(text: str) -> Path:
        path = project / "greenroom.toml"
        path.write_text(text, "utf-8")
        return path

    return write


def test_everything_that_the_file_says_is_read(write: Write, project: Path) -> None:
    write(
        """
        registry = "s3://bucket/prefix"
        model = "diabetes"
        environments = ["staging", "live"]
        tests = ["checks", "more/checks"]
        [store]
        region = "eu-central-1"
        """
    )
    found = read_settings()
    assert found.registry == "s3://bucket/prefix"
    assert found.model == Reference("diabetes")
    assert (found.environments, found.environment) == (("staging", "live"), "live")
    assert found.tests == (project / "checks", project / "more/checks")
    assert found.store == {"region": "eu-central-1"}


def test_what_the_file_leaves_out_has_a_plain_meaning(write: Write, project: Path) -> None:
    write('registry = "r"')
    found = read_settings()
    assert (found.model, found.environment, found.store) == (None, "production", {})
    assert found.tests == (project / "model_tests",)


def test_the_file_is_found_above_and_its_paths_lie_beside_it(
    write: Write, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write('registry = "models/registry"')
    below = project / "src" / "deep"
    below.mkdir(parents=True)
    monkeypatch.chdir(below)
    found = read_settings()
    assert found.registry == str(project / "models/registry")
    assert found.tests == (project / "model_tests",)


def test_the_nearest_file_wins(write: Write, project: Path) -> None:
    write('registry = "far"')
    near = project / "near"
    near.mkdir()
    (near / "greenroom.toml").write_text('registry = "here"')
    assert read_settings(near).registry == str(near / "here")


def test_the_option_wins_over_the_variable_and_that_over_the_file(
    write: Write, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write('registry = "file"')
    assert read_settings().registry == str(project / "file")
    monkeypatch.setenv("GREENROOM_REGISTRY", "variable")
    assert read_settings().registry == "variable"
    assert read_settings(registry="option").registry == "option"


def test_no_file_is_needed(project: Path) -> None:
    assert read_settings(registry="r").tests == (project / "model_tests",)
    assert open_registry("r").location == str(project / "r")


@pytest.mark.parametrize(
    ("named", "environment"), [("churn", "live"), ("churn@staging", "staging")]
)
def test_the_model_variable_wins_and_may_name_an_environment(
    write: Write, monkeypatch: pytest.MonkeyPatch, named: str, environment: str
) -> None:
    write('registry = "r"\nmodel = "diabetes"\nenvironments = ["live"]')
    monkeypatch.setenv("GREENROOM_MODEL", named)
    found = read_settings()
    assert str(found.model) == named
    assert found.environment == environment


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('regsitry = "r"', "greenroom.toml says something that is not a setting: .*`regsitry`"),
        ("registry = 3", r"greenroom.toml says .*Expected `str \| null`, got `int`"),
        ('registry = "r"\ntests = "t"', "greenroom.toml says .*Expected `array`, got `str`"),
        ('registry = "r"\n[store]\nport = 1', "greenroom.toml says .*Expected `str`, got `int`"),
        ("registry = ", "greenroom.toml cannot be read: Invalid value"),
        ('registry = "r"\nenvironments = []', "greenroom.toml names no environment: write"),
        ('registry = "r"\nenvironments = ["Live"]', "'Live' cannot be the name of an environment"),
        ('registry = "r"\nmodel = "../x"', "'../x' cannot be the name of a model: use"),
        ("", "no registry is named: pass --registry, set GREENROOM_REGISTRY, or write registry"),
    ],
)
def test_a_wrong_setting_is_refused_with_what_to_do(write: Write, text: str, told: str) -> None:
    write(text)
    with pytest.raises(InvalidInput, match=told):
        read_settings()


def test_a_file_that_is_not_utf8_is_refused(write: Write) -> None:
    write("").write_bytes(b'model = "\xff"')
    with pytest.raises(InvalidInput, match=r"greenroom\.toml cannot be read"):
        read_settings()


@pytest.fixture
def gitconfig(project: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where git looks for a user: nowhere else, and none is there yet."""
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(project / "gitconfig"))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    monkeypatch.setenv("LOGNAME", "ann-at-work")
    return project / "gitconfig"


def test_the_author_is_who_the_variable_names(
    gitconfig: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gitconfig.write_text("[user]\nemail = ann@example.org\n")
    monkeypatch.setenv("GREENROOM_AUTHOR", "ci")
    assert settings.author() == "ci"


def test_the_author_is_else_gits_user(gitconfig: Path) -> None:
    gitconfig.write_text("[user]\nemail = ann@example.org\n")
    assert settings.author() == "ann@example.org"


@pytest.mark.usefixtures("gitconfig")
def test_the_author_is_else_the_systems_user(monkeypatch: pytest.MonkeyPatch) -> None:
    assert settings.author() == "ann-at-work"
    monkeypatch.setenv("PATH", "")
    assert settings.author() == "ann-at-work"
