"""What a request says is never evaluated on the controller, and secrets are nowhere to be found."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import FAKE_SECRETS
from tests.e2e.jobs import Jobs, Source, wait_until
from tests.lab import Lab
from tests.support.markers import files_with, found_in, words_of
from tests.support.processes import controller_processes
from tests.support.service import Service


@pytest.fixture(autouse=True)
def _isolated(lab: Lab) -> None:
    if not lab.isolated:
        pytest.skip("what hosts of this kind evaluate, this machine evaluates")


# --- evaluation ------------------------------------------------------------------------------------------


def test_nothing_a_request_says_is_evaluated(lab: Lab, service: Service) -> None:
    """As template, shell, YAML or path: in names, parameters, scripts, aliases, users, paths; all of it is text."""
    flag = Path(f"/tmp/e{secrets.token_hex(4)}")
    attacks = [
        f"{{{{ lookup('ansible.builtin.pipe', 'touch {flag}') }}}}",
        f"{{% set x = lookup('pipe', 'touch {flag}') %}}{{{{ x }}}}",
        f"$(touch {flag})`touch {flag}`",
        f"'; touch {flag}; \"; touch {flag} #",
        f"!!python/object/apply:os.system [touch {flag}]",
        "../../../../tmp/up",
    ]
    everything = " ".join(attacks)
    names = [attack.replace("/", "_") for attack in attacks]
    alias = " ".join(attacks[:4])
    account = alias.replace("'", "''")
    service.apply(
        f"scope: {{type: biz, id: '1'}}\naccounts: [{{alias: '{account}', account: 'root'}},"
        f" {{alias: user, account: '{account}'}}]"
    )
    jobs = Jobs(service)
    place = f"/srv/h{secrets.token_hex(4)}"
    for name in names:
        lab.exec(lab.host(101), ["sh", "-c", 'mkdir -p "$0"; echo "$1" > "$0/$1"', f"{place}/in", name])
    fields: dict[str, Any] = {"account": alias, "task_name": everything}
    quoted = everything.replace("'", "'\\''")
    script = jobs.script(f"cat <<'EOF'\n{everything}\nEOF\necho \"$1\"", 101, param=f"'{quoted}'", **fields)
    sensitive = jobs.script('echo "$1"', 102, param=f"'{quoted}'", is_param_sensitive=1, **fields)
    user = jobs.script("id -un", 103, account="user")
    target = f"{place}/{everything}"
    files = jobs.files(
        [Source([101], [f"{place}/in/{name}" for name in names], alias)], target, 102, **fields
    )
    renamed = jobs.files(
        [Source([101], [f"{place}/in/REGEX:.*[$].*"])], target, 103, file_target_name=names[0]
    )
    assert script.succeeded().log(101) == f"{everything}\n{everything}\n"
    assert sensitive.succeeded().log(102) == f"{everything}\n"
    assert user.states == {103: (311, None, 122)}, user.why()
    for job, host_id, expected in ((files, 102, names), (renamed, 103, names[:1])):
        job.succeeded()
        listed = lab.exec(lab.host(host_id), ["ls", "-A", target]).stdout
        assert sorted(listed.splitlines()) == sorted(expected)
    assert not flag.exists(), "something was evaluated on the controller"
    assert lab.exec(lab.host(101), ["test", "-e", str(flag)]).returncode == 1, "or on a host"


def test_a_line_break_in_a_path_reaches_no_other_file(lab: Lab, jobs: Jobs) -> None:
    """One found by an expression is refused, the others arrive. One in a request is refused at once."""
    place = f"/srv/h{secrets.token_hex(4)}"
    lab.exec(lab.host(101), f"mkdir -p {place}; cd {place}; echo one > a; echo two > 'a\nb'; echo three > c")
    found = jobs.files([Source([101], [f"{place}/REGEX:[^x]*"])], f"{place}/out", 102)
    assert found.statuses == {102: 202}
    listed = lab.exec(lab.host(102), f"cd {place}; head -v -n 1 */*").stdout
    assert listed.split("\n\n") == [
        "==> out/a <==\none",
        "==> out/c <==\nthree\n",
    ]
    for source, target in ((f"{place}/a\nb", place), (f"{place}/a", f"{place}/target\nx")):
        with pytest.raises(AssertionError, match=r"12410(05|07)"):
            jobs.files([Source([101], [source])], target, 102)


# --- secrets ---------------------------------------------------------------------------------------------


def test_secrets_are_in_no_file_and_no_command_line(lab: Lab, service: Service, tmp_path: Path) -> None:
    """Sensitive parameters, accounts' passwords and keys, the service's environment; while a job runs and after."""
    parameter = f"hush-{secrets.token_hex(8)}"
    service.environment = {**service.environment, "OPS": lab.ops_password}
    (tmp_path / "key").write_bytes(lab.private_key.read_bytes())
    service.apply(f"""
scope: {{type: biz, id: "1"}}
accounts:
  - {{alias: secret key, account: job, login: {{private_key_file: {tmp_path}/key}}}}
  - {{alias: secret password, account: ops, login: {{password_env: OPS}}}}
""")
    jobs = Jobs(service)
    flag = f"/tmp/go-{secrets.token_hex(4)}"
    waiting = f'test -n "$1" && echo on; until [ -e {flag} ]; do sleep 0.1; done; env'
    options: dict[str, Any] = {"param": parameter, "is_param_sensitive": 1}
    by_key = jobs.script(waiting, 101, account="secret key", **options)
    by_password = jobs.script(waiting, 102, account="secret password", **options)
    assert service.credentials is not None
    words = words_of(
        {
            "the parameter": parameter,
            "the password": lab.ops_password,
            "the key": lab.private_key.read_text().splitlines()[2],
            "the application's secret": service.credentials.app_secret,
            "the token": service.credentials.token,
            **FAKE_SECRETS,
        }
    )
    try:
        for job, host_id in ((by_key, 101), (by_password, 102)):
            wait_until(lambda job=job, host_id=host_id: job.log_now(host_id), "the script's first line")
        runs = 0
        assert files_with(service.data_dir, {"a name": b"secret password"}), (
            "what is no secret would be found"
        )
        for pid, command, environment in controller_processes():
            is_run = b"ADAPTER_SPOOL=" + str(service.data_dir).encode() in environment
            runs += is_run
            for name, word in words.items():
                assert word not in command, f"{name} is in the command line of {pid}: {command!r}"
                assert not is_run or word not in environment, f"{name} is in the environment of {pid}"
        assert runs >= 2, "no run was looked at"
        assert files_with(service.data_dir, words) == []
    finally:
        for host_id in (101, 102):
            lab.exec(lab.host(host_id), f"touch {flag}")
    for job, host_id in ((by_key, 101), (by_password, 102)):
        log = job.succeeded().log(host_id)
        assert found_in(log.encode(), words) == []
    assert files_with(service.data_dir, words) == []
