"""Settings of `adapter serve`: by option and by variable, with the same checks."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from adapter.cli.serve import serve
from adapter.cli.targets import split_source
from adapter.cli.worker import worker
from adapter.config import Settings, seconds

#: Another text for each option, as the environment has it, and what becomes of it.
VALUES = {
    "host": ("::1", "::1"),
    "port": ("0", 0),
    "data_dir": ("/d", Path("/d")),
    "inventory": ("/i", Path("/i")),
    "database_url": ("sqlite:////x", "sqlite:////x"),
    "default_biz": ("7", "7"),
    "cmdb_url": ("https://cmdb", "https://cmdb"),
    "cmdb_app_code": ("jobs", "jobs"),
    "cmdb_app_secret_file": ("/s", "/s"),
    "cmdb_user": ("ops", "ops"),
    "cmdb_supplier_account": ("tencent", "tencent"),
    "upload_dir": ("/u", "/u"),
    "public_url": ("https://jobs", "https://jobs"),
    "callback_allow": ("127.0.0.0/8, tell.me", ("127.0.0.0/8", "tell.me")),
    "file_source_allow": ("10.9.0.0/16, files", ("10.9.0.0/16", "files")),
    "file_source_retry_pauses": ("0.5,3", (0.5, 3)),
    "callback_retry_pauses": ("1,2.5", (1, 2.5)),
    "log_level": ("debug", "debug"),
    "language": ("en", "en"),
    "cron_missed": ("run_once", "run_once"),
    "cron_time_zone": ("Asia/Shanghai", "Asia/Shanghai"),
    "jwt_audience": ("bk-job", "bk-job"),
    "jwt_issuer": ("APIGW", "APIGW"),
    "jwt_public_keys": ("/k/a.pem, /k/b.pem", (Path("/k/a.pem"), Path("/k/b.pem"))),
    "internal_networks": ("10.0.0.0/8,::1", ("10.0.0.0/8", "::1")),
}


def option_names() -> list[str]:
    """Every setting that is an option; where the playbooks are is none."""
    return [item.name for item in dataclasses.fields(Settings) if item.name != "playbooks"]


def test_help_of_serve_names_every_setting() -> None:
    """No option is missing, and none is there that is no setting."""
    names = {parameter.name for parameter in serve.params}
    assert names == set(option_names())
    text = serve.get_help(click.Context(serve))
    assert all(f"--{name.replace('_', '-')}" in text for name in option_names())
    assert "ADAPTER_<NAME>" in text


def test_worker_has_the_options_of_serve_that_are_not_the_apis() -> None:
    """So one file of variables serves both."""
    only_served = {"host", "port", "no_worker", "max_body_bytes", "max_streams"} | {
        "jwt_public_keys",
        "jwt_audience",
        "jwt_issuer",
        "audit_log_days",
        "language",
        "internal_networks",
        "max_unfinished_jobs",
        "max_unfinished_jobs_per_scope",
        "max_unfinished_jobs_per_app",
        "max_upload_bytes",
        "upload_url_seconds",
        "public_url",
    }
    assert {parameter.name for parameter in worker.params} == set(option_names()) - only_served
    assert "ADAPTER_<NAME>" in worker.get_help(click.Context(worker))


@pytest.mark.parametrize("name", option_names())
def test_every_option_is_a_variable_too(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """ADAPTER_<NAME> has the option's effect and passes the option's checks; the option wins."""
    is_flag = isinstance(getattr(Settings(), name), bool)
    text, value = VALUES.get(name, ("true", True) if is_flag else ("13", 13))
    monkeypatch.setenv(f"ADAPTER_{name.upper()}", text)
    if name == "cmdb_url":
        monkeypatch.setenv("ADAPTER_CMDB_APP_CODE", "jobs")
    context = serve.make_context("serve", [])
    assert context.params[name] == value
    settings = Settings.load(context.params)
    assert getattr(settings, name) == value == getattr(Settings.load(), name)
    if name == "forks":
        assert serve.make_context("serve", ["--forks", "3"]).params[name] == 3
        monkeypatch.setenv("ADAPTER_FORKS", "0")
        with pytest.raises(click.BadParameter, match="0 is not in the range"):
            serve.make_context("serve", [])


def test_a_file_that_is_no_key(tmp_path: Path) -> None:
    """One line names it, and nothing has been made yet."""
    (tmp_path / "nonsense").write_text("nonsense")
    for name, said in (("nonsense", "has no public key in PEM form"), ("missing", "cannot be read")):
        options = ["--jwt-public-keys", str(tmp_path / name), "--data-dir", str(tmp_path / "data")]
        result = CliRunner().invoke(serve, options)
        assert (result.exit_code, f"{tmp_path / name} {said}" in result.output) == (1, True), result.output
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("PORT", "words", "ADAPTER_PORT='words' is no whole number"),
        ("NO_WORKER", "perhaps", "ADAPTER_NO_WORKER='perhaps' is no boolean"),
        ("INTERNAL_NETWORKS", "10.0.0.1/8", "internal_networks: 10.0.0.1/8 has host bits set"),
        ("LANGUAGE", "fr", "language must be zh-cn or en, not fr"),
        ("CALLBACK_RETRY_PAUSES", "5,soon", "ADAPTER_CALLBACK_RETRY_PAUSES: '5,soon' is no list of seconds"),
    ],
)
def test_a_variable_that_cannot_be_read_is_named(name: str, text: str, said: str) -> None:
    """For the commands that have no option of that name."""
    with pytest.raises(ValueError, match=said):
        Settings.load(environ={f"ADAPTER_{name}": text})


def test_pauses_are_seconds_with_commas() -> None:
    """None at all is no second attempt; a negative, endless or unreadable one is refused."""
    assert seconds("5, 0.5,30") == (5, 0.5, 30)
    assert seconds("") == seconds(" , ") == ()
    for text in ("-1", "inf", "nan", "1;2", "5s"):
        with pytest.raises(ValueError, match="is no list of seconds"):
            seconds(text)


@pytest.mark.parametrize(
    ("text", "host", "path"),
    [
        ("/a:b/c", "localhost", "/a:b/c"),
        ("web1:/etc/hosts", "web1", "/etc/hosts"),
        ("web1:/a:/b:c", "web1", "/a:/b:c"),
        ("module:1000:/var/log/", "module:1000", "/var/log/"),
        ("group:web,10.0.0.1:/x", "group:web,10.0.0.1", "/x"),
    ],
)
def test_a_source_is_a_host_and_a_path(text: str, host: str, path: str) -> None:
    """Targets as well as paths may have colons; the path begins at the first `:/`."""
    assert split_source(text) == (host, path)


@pytest.mark.parametrize("text", ["", "web1", "web1:relative", ":/x", "module:1000"])
def test_what_names_no_path_is_refused(text: str) -> None:
    """Rather than guessed."""
    with pytest.raises(click.BadParameter, match="neither HOST:/path nor /path"):
        split_source(text)
