"""callback_url is told once how a job ended, and told later if it could not be told at once."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import NewService
from tests.e2e.jobs import Job, Jobs, wait_until
from tests.lab import Lab
from tests.support.service import Service, b64

JSON, FORM = "application/json", "application/x-www-form-urlencoded"


class Receiver:
    """A real HTTP server that notes what is posted; `answers` are the status codes it gives, the last for ever."""

    def __init__(self, *answers: int, listening: bool = True) -> None:
        self.answers = list(answers) or [200]
        self.delay = 0.0
        self.got: list[tuple[str, str, str]] = []  #: path, content type, raw body
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler(), bind_and_activate=False)
        self._server.server_bind()  # without listening, connections are refused
        self.url = f"http://127.0.0.1:{self._server.server_port}/told"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})
        if listening:
            self.listen()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                receiver.got.append((self.path, self.headers["Content-Type"], body))
                time.sleep(receiver.delay)
                answer = receiver.answers.pop(0) if len(receiver.answers) > 1 else receiver.answers[0]
                self.send_response(answer)
                if answer in (301, 302, 307, 308):
                    self.send_header("Location", receiver.url.replace("told", "elsewhere"))
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_args: Any) -> None:
                pass

        return Handler

    def listen(self) -> None:
        """Take connections from now on."""
        self._server.server_activate()
        self._thread.start()

    def close(self) -> None:
        """End it."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()

    @property
    def types(self) -> list[str]:
        """Content types in order."""
        return [content_type for _, content_type, _ in self.got]


NewReceiver = Callable[..., Receiver]


@pytest.fixture
def new_receiver() -> Iterator[NewReceiver]:
    """Makes receivers that end with the test."""
    made: list[Receiver] = []

    def new(*answers: int, listening: bool = True) -> Receiver:
        made.append(Receiver(*answers, listening=listening))
        return made[-1]

    yield new
    for receiver in made:
        receiver.close()


@pytest.fixture(scope="module")
def hurried(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service with short pauses between attempts."""
    options = ("--callback-retry-pauses", "0.5,0.5", "--callback-timeout", "1")
    service = Service(tmp_path_factory.mktemp("hurried") / "data", lab.inventory, options).start()
    service.new_credentials("esb_test")
    service.apply('scope: {type: biz, id: "1"}\naccounts: [{alias: root, account: root}]\n')
    yield service
    service.stop()


def settled(receiver: Receiver, count: int, more: float = 2.0) -> list[tuple[str, str, str]]:
    """What the receiver got once that many posts came; fails if others follow."""
    wait_until(lambda: len(receiver.got) >= count, f"{count} posts")
    time.sleep(more)
    assert len(receiver.got) == count, receiver.got
    return receiver.got


def expected(job: Job) -> dict[str, Any]:
    """The body that tells how the job ended."""
    steps = [{"step_instance_id": job.step_id, "status": job.end["step_instance_list"][0]["status"]}]
    return {
        "job_instance_id": job.id,
        "status": job.status,
        "step_instances": steps,
        "step_instance_list": steps,
    }


@pytest.mark.parametrize(("script", "status"), [("true", 3), ("exit 3", 4)], ids=["success", "failure"])
def test_the_end_is_told_once_as_json(
    hurried: Service, new_receiver: NewReceiver, script: str, status: int
) -> None:
    """One POST of JSON with JOB's keys (the code's and the documentation's) when the job has ended."""
    receiver = new_receiver()
    job = Jobs(hurried).script(script, 101, callback_url=receiver.url)
    ((path, content_type, body),) = settled(receiver, 1)
    assert (path, content_type) == ("/told", JSON)
    assert job.status == status
    assert json.loads(body) == expected(job)


def test_the_end_of_a_terminated_job_is_told(hurried: Service, new_receiver: NewReceiver) -> None:
    """Status 11 of job and step."""
    receiver = new_receiver()
    job = Jobs(hurried).script("sleep 60", 101, callback_url=receiver.url)
    wait_until(lambda: hurried.status(1, job.id)["job_instance"]["status"] == 2, "the job")
    hurried.data("operate_job_instance", bk_biz_id=1, job_instance_id=job.id, operation_code=1)
    ((_, _, body),) = settled(receiver, 1, more=0)
    assert json.loads(body)["status"] == 11
    assert json.loads(body) == expected(job)


def test_a_job_that_is_retried_tells_each_of_its_ends(hurried: Service, new_receiver: NewReceiver) -> None:
    """With the states that it had then; and what was told is in the log."""
    receiver = new_receiver()
    marker = f"/tmp/retried-{time.monotonic_ns()}"
    script = f"test -e {marker} && rm {marker} || {{ touch {marker}; exit 1; }}"
    job = Jobs(hurried).script(script, 101, callback_url=receiver.url)
    assert job.status == 4
    wait_until(lambda: len(receiver.got) == 1, "the first end")
    ids: dict[str, Any] = {"job_instance_id": job.id, "step_instance_id": job.step_id}
    hurried.data("operate_step_instance", bk_biz_id=1, operation_code=2, **ids)
    told = [json.loads(body) for _, _, body in settled(receiver, 2)]
    assert [body["status"] for body in told] == [4, 3]
    assert [body["step_instances"][0]["status"] for body in told] == [4, 3]
    printed = hurried.command("callbacks", "--job", str(job.id)).stdout
    assert printed.count("delivered") == 2
    assert printed.count("attempt 1  application/json") == 2


@pytest.mark.parametrize("answer", [500, 404, 204, 302, 307])
def test_any_answer_but_200_gets_the_same_text_as_a_form(
    hurried: Service, new_receiver: NewReceiver, answer: int
) -> None:
    """The raw JSON again with the other content type; a redirect is no 200 and is not followed."""
    receiver = new_receiver(answer, 200)
    Jobs(hurried).script("true", 101, callback_url=receiver.url)
    (first, second) = settled(receiver, 2)
    assert (first[:2], second[:2]) == (("/told", JSON), ("/told", FORM))
    assert first[2] == second[2]


def test_a_receiver_that_never_agrees_is_given_up(hurried: Service, new_receiver: NewReceiver) -> None:
    """An attempt, one more after each pause, each in both forms; then no more. The job is what it was."""
    receiver = new_receiver(500)
    job = Jobs(hurried).script("true", 101, callback_url=receiver.url)
    settled(receiver, 6)
    assert receiver.types == [JSON, FORM] * 3
    assert job.status == 3


def test_a_receiver_that_does_not_answer_in_time_is_asked_again(
    hurried: Service, new_receiver: NewReceiver
) -> None:
    """--callback-timeout ends the waiting; the next attempt is taken."""
    receiver = new_receiver()
    receiver.delay = 1.5
    Jobs(hurried).script("true", 101, callback_url=receiver.url)
    wait_until(lambda: len(receiver.got) >= 2, "both forms of the first attempt")
    receiver.delay = 0
    settled(receiver, 3)
    assert receiver.types == [JSON, FORM, JSON]


def test_a_receiver_that_was_away_is_told_after_a_restart(
    fresh_service: NewService, new_receiver: NewReceiver
) -> None:
    """The attempts go on after SIGKILL, and end with the first that is taken."""
    service = fresh_service("--callback-retry-pauses", "1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1")
    receiver = new_receiver(listening=False)
    job = Jobs(service).script("true", 101, callback_url=receiver.url)
    wait_until(lambda: '"callback_failed"' in service.log(), "a failed attempt")
    service.kill()
    receiver.listen()  # before the next attempt: between its two forms it would get the second alone
    service.start()
    ((_, content_type, body),) = settled(receiver, 1, more=3)
    assert content_type == JSON
    assert json.loads(body) == expected(job)


def test_a_callback_that_waits_holds_up_nothing(fresh_service: NewService, new_receiver: NewReceiver) -> None:
    """Neither SIGTERM nor a command of the same data directory waits for the next attempt."""
    service = fresh_service()
    receiver = new_receiver(listening=False)
    Jobs(service).script("true", 101, callback_url=receiver.url)
    wait_until(lambda: '"callback_failed"' in service.log(), "a failed attempt")
    script = service.data_dir / "script.sh"
    script.write_text("echo from the command\n")
    began = time.monotonic()
    assert service.stop() == 0
    options = ("--file", str(script), "--target", "lab101", "--inventory", str(service.inventory))
    assert "from the command" in service.command("script", *options).stdout
    assert time.monotonic() - began < 40
    assert receiver.got == []


def test_a_signed_callback_is_taken_by_the_example_of_the_documentation(hurried: Service) -> None:
    """It prints what is genuine; with another secret it takes nothing."""
    example = Path(__file__).parents[2] / "docs" / "callback_receiver.py"
    in_text = re.search(r"```python\n(.*?)```", example.with_name("callbacks.md").read_text(), re.DOTALL)
    assert in_text is not None
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-u", str(example), str(port), "a-secret-of-sixteen"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as receiver:
        try:
            wait_until(lambda: _listens(port), "the example")
            url = f"http://127.0.0.1:{port}/"
            body = {
                "bk_biz_id": 1,
                "account_alias": "root",
                "script_language": 1,
                "script_content": b64("true"),
            }
            body |= {"target_server": {"host_id_list": [101]}, "callback_url": url}
            ids = []
            for secret in ("another-secret-of-some-length", "a-secret-of-sixteen"):
                assert hurried.credentials is not None
                headers = {**hurried.credentials.in_header(), "X-Callback-Secret": secret}
                path = "/api/c/compapi/v2/jobv3/fast_execute_script/"
                ids.append(hurried.post(path, body, headers)["data"]["job_instance_id"])
                hurried.finished(1, ids[-1])
            assert receiver.stdout is not None
            told = json.loads(receiver.stdout.readline())
        finally:
            receiver.terminate()
    assert (told["job_instance_id"], told["status"]) == (ids[1], 3)
    code = "\n".join(line for line in in_text[1].splitlines() if '"""' not in line)
    assert code in "\n".join(line for line in example.read_text().splitlines() if '"""' not in line)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
