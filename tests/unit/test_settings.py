"""Settings: what wins, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapter.config import SettingError, Settings


def test_options_win_over_the_environment_and_that_over_defaults() -> None:
    """An option that was not given is None."""
    settings = Settings.load({"port": 1, "host": None}, {"ADAPTER_PORT": "2", "ADAPTER_HOST": "0.0.0.0"})
    assert (settings.port, settings.host, settings.default_biz) == (1, "0.0.0.0", "2")


def test_paths_are_absolute() -> None:
    """The working directory of a service means nothing later."""
    assert Settings.load({}, {"ADAPTER_DATA_DIR": "x"}).data_dir == Path.cwd() / "x"


@pytest.mark.parametrize(
    ("variable", "text"),
    [
        ("ADAPTER_PORT", "x"),
        ("ADAPTER_NO_WORKER", "maybe"),
        ("ADAPTER_MAX_RUNNING_JOBS", "0"),
        ("ADAPTER_MAX_RUNNING_JOBS_TOTAL", "-1"),
        ("ADAPTER_MAX_RUNNING_JOBS_PER_SCOPE", "-1"),
        ("ADAPTER_FORKS", "-1"),
        ("ADAPTER_CMDB_URL", "cmdb.example.com"),
        ("ADAPTER_CMDB_URL", "https://cmdb.example.com"),
        ("ADAPTER_CMDB_TIMEOUT", "0"),
        ("ADAPTER_CMDB_TTL", "-1"),
        ("ADAPTER_CRON_MISSED", "sometimes"),
        ("ADAPTER_CRON_LATE_SECONDS", "-1"),
        ("ADAPTER_CRON_TIME_ZONE", "Mars/Olympus"),
        ("ADAPTER_CALLBACK_ALLOW", "10.0.0.1/8"),
        ("ADAPTER_FILE_SOURCE_ALLOW", "10.0.0.1/8"),
        ("ADAPTER_CALLBACK_ALLOW", "localhost,127.0.0.256"),
        ("ADAPTER_CALLBACK_ALLOW", "http://localhost/"),
    ],
)
def test_values_that_cannot_be_are_refused(variable: str, text: str) -> None:
    """With the name of the setting: a service that may run no job at all would wait for ever."""
    with pytest.raises(ValueError, match=variable.removeprefix("ADAPTER_").lower() + "|" + variable):
        Settings.load({}, {variable: text})


def test_the_secret_that_cmdb_is_asked_with(tmp_path: Path) -> None:
    """From the environment or a file, which wins; never from the command line, and in no text of the settings."""
    (tmp_path / "secret").write_text("marker-file\n")
    asked = Settings(cmdb_url="https://cmdb", cmdb_app_code="jobs")
    environ = {"ADAPTER_CMDB_APP_SECRET": "marker-environment"}
    assert asked.cmdb_app_secret(environ) == "marker-environment"
    assert "marker" not in repr(Settings.load(environ=environ))
    by_file = Settings(cmdb_app_secret_file=str(tmp_path / "secret"))
    assert by_file.cmdb_app_secret(environ) == "marker-file"
    for settings in (asked, Settings(cmdb_app_secret_file=str(tmp_path / "missing"))):
        with pytest.raises(SettingError, match="cmdb_app_secret_file"):
            settings.cmdb_app_secret({})
