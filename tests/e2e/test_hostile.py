"""What a request says is never evaluated on the controller, nor on its hosts."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.jobs import Jobs, Source
from tests.lab import Lab
from tests.support.service import Service


@pytest.fixture(autouse=True)
def _isolated(lab: Lab) -> None:
    if not lab.isolated:
        pytest.skip("what hosts of this kind evaluate, this machine evaluates")


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
