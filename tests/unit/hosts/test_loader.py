"""Reading inventories with the real ansible-inventory."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from pathlib import Path
from textwrap import dedent

import pytest

from adapter.hosts import loader
from adapter.hosts.index import HostIndex, build_index
from adapter.hosts.loader import InventoryError, read_inventory
from adapter.job.model import Scope

from .builders import CountingIds

ROOT = Path(__file__).resolve().parents[3]


def write(path: Path, text: str, mode: int = 0o644) -> Path:
    """A file with the text, its indentation removed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(dedent(text))
    path.chmod(mode)
    return path


def read(path: Path) -> HostIndex:
    """The index of an inventory."""
    return build_index(read_inventory(path).data, ids_for=CountingIds(), default_biz="2")


def names(index: HostIndex, groups: Mapping[str, tuple[int, ...]]) -> dict[str, list[str]]:
    """Groups with names for ids."""
    return {group: [index.hosts[bk_host_id].name for bk_host_id in ids] for group, ids in groups.items()}


def test_an_ini_inventory_with_group_variables_merged_by_ansible(tmp_path: Path) -> None:
    """The child group's value wins over the parent's, the host's over both, as in a play."""
    path = write(
        tmp_path / "hosts.ini",
        """\
        [module_1]
        a ansible_host=10.0.0.1 bk_host_id=1
        b ansible_host=10.0.0.2 bk_host_id=2 bk_cloud_id=5
        [set_1:children]
        module_1
        [set_1:vars]
        bk_cloud_id=3
        level=set
        """,
    )
    write(tmp_path / "group_vars" / "module_1.yml", "level: module\n")
    index = read(path)
    assert [(host.bk_host_id, host.label) for host in index.hosts.values()] == [
        (1, "3:10.0.0.1"),
        (2, "5:10.0.0.2"),
    ]
    assert index.variables["a"]["level"] == "module"
    assert index.groups["set_1"] == (1, 2)


def test_a_yaml_inventory_with_unsafe_text_and_templates(tmp_path: Path) -> None:
    """Both arrive as they are: marked, and not rendered."""
    path = write(
        tmp_path / "hosts.yml",
        """\
        all:
          hosts:
            a:
              bk_host_id: 1
              motd: !unsafe "{{ 1 + 1 }}"
              home: "/home/{{ user }}"
              ansible_host: "{{ address }}"
              address: 10.0.0.1
        """,
    )
    index = read(path)
    assert index.variables["a"]["motd"] == {"__ansible_unsafe": "{{ 1 + 1 }}"}
    assert index.variables["a"]["home"] == "/home/{{ user }}"
    assert index.hosts[1].ip == ""


def test_an_unmodified_inventory_works_in_the_default_business(tmp_path: Path) -> None:
    """No BlueKing group, no BlueKing variable; hosts without any variable as well."""
    index = read(write(tmp_path / "hosts", "10.0.0.1\n[web]\nweb[1:3]\n"))
    assert sorted(index.names) == ["10.0.0.1", "web1", "web2", "web3"]
    assert index.scopes == {Scope("biz", "2"): set(index.hosts)}
    assert index.names["10.0.0.1"].ip == "10.0.0.1"


def test_a_script_inventory_with_hostile_names(tmp_path: Path) -> None:
    """Braces, paths and options come through as text, nothing is run."""
    path = write(
        tmp_path / "inventory.sh",
        """\
        #!/bin/sh
        cat <<'END'
        {"dynamic_group_../../x": {"hosts": ["a{{ 7 * 7 }}", "-oProxyCommand=touch x"]},
         "biz_3": {"children": ["dynamic_group_../../x"]}, "biz_4": {"hosts": []},
         "_meta": {"hostvars": {"a{{ 7 * 7 }}": {"bk_host_id": "{{ lookup('pipe', 'touch x') }}"}}}}
        END
        """,
        0o755,
    )
    index = read(path)
    both = ["a{{ 7 * 7 }}", "-oProxyCommand=touch x"]
    assert names(index, index.groups) == {"dynamic_group_../../x": both, "biz_3": both, "biz_4": []}
    assert [path.name for path in tmp_path.iterdir()] == ["inventory.sh"]
    assert "bk_host_id is not a whole number" in index.warnings[0]


def test_the_constructed_example_makes_groups_from_tags(tmp_path: Path) -> None:
    """The second file of the example for AWS, after hosts with such tags from elsewhere."""
    write(
        tmp_path / "1_hosts.yml",
        """\
        all:
          hosts:
            i-1: {ansible_host: 10.0.0.1, tags: {bk_biz_id: 3, bk_set_id: "11", bk_module_id: 21, role: web}}
            i-2: {ansible_host: 10.0.0.2, tags: {bk_biz_id: 3, bk_set_id: 11, bk_cloud_id: "4"}}
            i-3: {ansible_host: 10.0.0.3, tags: {role: web}}
        """,
    )
    (tmp_path / "2_constructed.yml").symlink_to(ROOT / "inventories/examples/aws/2_constructed.yml")
    index = read(tmp_path)
    assert {group: sorted(hosts) for group, hosts in names(index, index.groups).items()} == {
        "biz_3": ["i-1", "i-2"],
        "set_11": ["i-1", "i-2"],
        "module_21": ["i-1"],
        "dynamic_group_web": ["i-1", "i-3"],
    }
    assert index.names["i-2"].label == "4:10.0.0.2"
    assert index.businesses_of(index.names["i-3"].bk_host_id) == ("2",)


def test_the_plain_example_reads_without_a_complaint() -> None:
    """Its comments are true."""
    index = read(ROOT / "inventories/examples/plain")
    assert index.warnings == ()
    assert names(index, index.businesses) == {"2": ["mon1", "web1", "web2", "db1"], "3": ["edge1"]}
    assert sorted(names(index, index.groups)["biz_set_9"]) == ["db1", "edge1", "web1", "web2"]
    assert names(index, index.groups)["dynamic_group_web"] == ["web1", "web2", "edge1"]
    assert index.names["db1"].ip == "192.0.2.21"


def test_the_local_inventory_is_this_machine() -> None:
    """What the service starts with."""
    reading = read_inventory(ROOT / "inventories/local")
    index = build_index(reading.data, ids_for=CountingIds(), default_biz="2")
    assert reading.messages == index.warnings == ()
    assert index.hosts[1].label == "0:127.0.0.1"
    assert index.groups == dict.fromkeys(("biz_2", "set_1", "module_1", "dynamic_group_all"), (1,))


def test_a_warning_of_ansible_is_handed_on_and_stays_out_of_the_json(tmp_path: Path) -> None:
    """Standard error is told, never parsed."""
    reading = read_inventory(write(tmp_path / "hosts.yml", "all: {children: {web-1: {hosts: {a: {}}}}}\n"))
    assert reading.data["web-1"] == {"hosts": ["a"]}
    assert len(reading.messages) == 1
    assert "Invalid characters were found in group names" in reading.messages[0]


def test_a_talkative_environment_does_not_spoil_the_json(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Verbosity goes to standard output."""
    monkeypatch.setenv("ANSIBLE_VERBOSITY", "4")
    monkeypatch.setenv("ANSIBLE_DEBUG", "1")
    assert read_inventory(write(tmp_path / "hosts", "a\n")).data["ungrouped"] == {"hosts": ["a"]}


def test_one_broken_source_among_good_ones_fails_the_whole(tmp_path: Path) -> None:
    """Otherwise its hosts, or their groups, would silently be gone."""
    write(tmp_path / "good.ini", "a\n")
    broken = write(tmp_path / "broken.ini", "[biz_3\nb\n")
    with pytest.raises(InventoryError) as caught:
        read_inventory(tmp_path)
    assert str(caught.value).startswith(f"Inventory {tmp_path}: ansible-inventory ended with 1: ")
    assert str(broken) in str(caught.value)
    assert "Failed to parse inventory" in str(caught.value)


def test_a_script_that_fails_shows_what_it_said(tmp_path: Path) -> None:
    """Its own standard error is in the message."""
    path = write(tmp_path / "inventory.sh", "#!/bin/sh\necho no credentials >&2\nexit 3\n", 0o755)
    with pytest.raises(InventoryError, match="no credentials"):
        read_inventory(path)


def test_an_inventory_that_is_not_there_says_what_to_set(tmp_path: Path) -> None:
    """Nothing is started."""
    with pytest.raises(InventoryError, match=r"absent: does not exist; set ADAPTER_INVENTORY"):
        read_inventory(tmp_path / "absent")


HANGS = """\
    #!/bin/sh
    sleep 300 &
    echo $! $$ > pids.new
    mv pids.new pids
    wait
    """


def test_a_script_that_hangs_is_ended_with_its_children(tmp_path: Path) -> None:
    """The script's own child holds Ansible's output open; nothing of them is left."""
    path = write(tmp_path / "inventory.sh", HANGS.replace("pids", f"{tmp_path}/pids"), 0o755)
    with pytest.raises(InventoryError, match="was cancelled"):
        read_inventory(path, cancelled=(tmp_path / "pids").exists)
    assert all(_ends(int(pid)) for pid in (tmp_path / "pids").read_text().split())


def test_a_reading_has_a_time_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cloud's API may never answer."""
    fake = write(tmp_path / "ansible-inventory", HANGS, 0o755)
    monkeypatch.setattr(loader, "_executable", lambda _path: str(fake))
    began = time.monotonic()
    with pytest.raises(InventoryError, match=r"hosts: ansible-inventory did not finish within 1.5 seconds"):
        read_inventory(write(tmp_path / "hosts", ""), time_limit=1.5)
    assert time.monotonic() - began < 20
    assert all(_ends(int(pid)) for pid in (tmp_path / "pids").read_text().split())


def _ends(pid: int) -> bool:
    for _ in range(100):
        try:
            os.kill(pid, 0)
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return True
        if state == "Z":
            return True
        time.sleep(0.05)
    return False


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("echo oops", "printed no JSON"),
        ("echo '[]'", "no object"),
        ("exec 2>/dev/null; exit 5", "5: it gave no reason"),
    ],
)
def test_an_ansible_that_answers_nonsense_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, message: str
) -> None:
    """A plugin may print whatever it likes."""
    fake = write(tmp_path / "ansible-inventory", f"#!/bin/sh\n{script}\n", 0o755)
    monkeypatch.setattr(loader, "_executable", lambda _path: str(fake))
    with pytest.raises(InventoryError, match=message):
        read_inventory(write(tmp_path / "hosts", ""))


def test_ansible_inventory_is_taken_from_path_where_python_has_none_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A system package keeps its programs elsewhere; without any, the message says what to install."""
    hosts = write(tmp_path / "hosts", "")
    monkeypatch.setattr("sys.executable", str(tmp_path / "bin" / "python"))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(InventoryError, match="install ansible-core"):
        read_inventory(hosts)
    write(tmp_path / "ansible-inventory", "#!/bin/sh\necho '{}'\n", 0o755)
    assert read_inventory(hosts).data == {}


def test_an_inventory_script_has_none_of_the_services_secrets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor has what it starts; the credentials of its own cloud it has."""
    secret = {
        "ADAPTER_CMDB_APP_SECRET": "of-cmdb",
        "ADAPTER_DATABASE_URL": "postgresql://u:of-the-database@h/d",
        "PGPASSWORD": "of-libpq",
    }
    for name, value in {**secret, "AWS_SECRET_ACCESS_KEY": "of-the-cloud"}.items():
        monkeypatch.setenv(name, value)
    script = write(
        tmp_path / "inventory.sh",
        f"""\
        #!/bin/sh
        env > {tmp_path}/script
        sh -c 'env > {tmp_path}/below'
        tr '\\0' '\\n' < /proc/$PPID/environ > {tmp_path}/ansible
        echo '{{}}'
        """,
        0o755,
    )
    read_inventory(script)
    for seen in ("script", "below", "ansible"):
        text = (tmp_path / seen).read_text()
        assert "AWS_SECRET_ACCESS_KEY=of-the-cloud" in text
        assert [name for name, value in secret.items() if name in text or value in text] == [], seen


def test_an_ansible_inventory_that_cannot_be_started_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not a bare OSError without the inventory's name."""
    monkeypatch.setattr(loader, "_executable", lambda _path: str(write(tmp_path / "ansible-inventory", "")))
    with pytest.raises(InventoryError, match="could not be started"):
        read_inventory(write(tmp_path / "hosts", ""))


def test_a_very_long_complaint_is_cut_in_the_middle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both its beginning and its end say something."""
    fake = write(tmp_path / "ansible-inventory", "#!/bin/sh\nseq 1 5000 >&2; exit 1\n", 0o755)
    monkeypatch.setattr(loader, "_executable", lambda _path: str(fake))
    with pytest.raises(InventoryError) as caught:
        read_inventory(write(tmp_path / "hosts", ""))
    assert ": 1 | 2 |" in str(caught.value)
    assert str(caught.value).endswith("| 5000")
    assert len(str(caught.value)) < 2500
