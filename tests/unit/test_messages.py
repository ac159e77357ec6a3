"""Both languages say everything, and each with every value."""

from __future__ import annotations

import ast
import re
import string
from collections.abc import Iterator
from pathlib import Path

import pytest

from adapter import errors
from adapter.errors import JobError
from adapter.messages import FILE_NAME, SCRIPT_NAME, SENTENCES, Language, say
from adapter.phrases import PHRASES

ADAPTER = Path(__file__).parents[2] / "adapter"
CHINESE = re.compile("[\u4e00-\u9fff]")

#: How each class with a constructor of its own is made.
MADE: dict[str, JobError] = {
    "FieldInvalid": errors.FieldInvalid("a.b[0]", "is wrong"),
    "MissingParameter": errors.MissingParameter("a"),
    "InvalidParameter": errors.InvalidParameter("a", "is wrong"),
    "ReasonedParameter": errors.ReasonedParameter("a", "is wrong"),
    "MissingOrInvalid": errors.MissingOrInvalid("a", "is wrong"),
    "AlreadyStarted": errors.AlreadyStarted(7),
    "GroupUnknown": errors.GroupUnknown("7"),
    "CmdbGroupFailed": errors.CmdbGroupFailed("7", "search_business: [1199014] not found"),
    "CmdbUnreachable": errors.CmdbUnreachable("API 7: timed out"),
    "CmdbFailed": errors.CmdbFailed("API 7: HTTP 500"),
    "CmdbRefused": errors.CmdbRefused("API 7: [9900403] no permission"),
    "HostEmpty": errors.HostEmpty(),
    "HostsNotInScope": errors.HostsNotInScope("7", ["0:10.0.0.1"]),
    "HostsUnknown": errors.HostsUnknown(["7"]),
    "TargetEmpty": errors.TargetEmpty("7"),
    "SourceEmpty": errors.SourceEmpty("7"),
    "HostVariableMissing": errors.HostVariableMissing("7"),
    "TooManyTargets": errors.TooManyTargets(7),
    "TooManyFileTasks": errors.TooManyFileTasks(7),
    "DangerousRuleExists": errors.DangerousRuleExists("7"),
    "DangerousRuleUnknown": errors.DangerousRuleUnknown(7),
    "ScopeQuotaExceeded": errors.ScopeQuotaExceeded("biz_7", 7),
    "AppQuotaExceeded": errors.AppQuotaExceeded("7", 7),
    "SystemQuotaExceeded": errors.SystemQuotaExceeded(7),
    "AccountUnknown": errors.AccountUnknown("7"),
    "AccountExists": errors.AccountExists("7"),
    "ScriptExists": errors.ScriptExists("7"),
    "VersionExists": errors.VersionExists("7"),
    "PlanEmpty": errors.PlanEmpty(7),
    "PlanUnknown": errors.PlanUnknown(7),
    "PlanExists": errors.PlanExists("7"),
    "PlanInUse": errors.PlanInUse(7),
    "TemplateUnknown": errors.TemplateUnknown(7),
    "TemplateInUse": errors.TemplateInUse(7),
    "JobUnknown": errors.JobUnknown(7),
    "StepInstanceUnknown": errors.StepInstanceUnknown(7),
    "ExecuteObjectUnknown": errors.ExecuteObjectUnknown(7),
    "StepNotExist": errors.StepNotExist(7),
    "NotAConfirmer": errors.NotAConfirmer("7", ["a"]),
    "TooManyBatches": errors.TooManyBatches(7),
    "ScopeUnknown": errors.ScopeUnknown("biz_7"),
    "PermissionDenied": errors.PermissionDenied("detail 7", {}),
    "AccountForbidden": errors.AccountForbidden("detail 7", {}),
    "UploadElsewhere": errors.UploadElsewhere(7, 8),
    "TooManyStreams": errors.TooManyStreams(7),
}


def _classes(root: type[JobError] = JobError) -> Iterator[type[JobError]]:
    for found in root.__subclasses__():
        yield found
        yield from _classes(found)


CLASSES = sorted(_classes(), key=lambda found: found.__name__)


def _names(template: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(template) if name}


@pytest.mark.parametrize("found", CLASSES, ids=[found.__name__ for found in CLASSES])
def test_every_error_speaks_both_languages(found: type[JobError]) -> None:
    """With the same values; its code has a sentence of its own or of a class with that code."""
    error = MADE.get(found.__name__) or found("detail 7")
    english, chinese = error.message_in(Language.EN), error.message_in(Language.ZH)
    assert error.message == str(error) == english
    assert not CHINESE.search(english)
    assert CHINESE.search(chinese)
    if found is not errors.HostEmpty:
        assert {"7", "a", "a.b[0]"} & set(re.findall(r"a\.b\[0\]|\b[a7]\b|7", english))
        assert {"7", "a", "a.b[0]"} & set(re.findall(r"a\.b\[0\]|[a7]", chinese))
    teller = next(base for base in (found, *found.__bases__) if base.__name__ in SENTENCES)
    assert issubclass(teller, JobError)
    assert teller.code == found.code, "a class with a code of its own needs a sentence of its own"


def test_no_sentence_is_left_over() -> None:
    """Each belongs to a class that there is."""
    assert set(SENTENCES) <= {"JobError", *(found.__name__ for found in _classes())}


@pytest.mark.parametrize("name", sorted(SENTENCES))
def test_sentences_have_the_same_values(name: str) -> None:
    """Nothing is told in one language only; what English leads with "…: " has its name in Chinese too."""
    sentence = SENTENCES[name]
    assert _names(sentence.english) == _names(sentence.chinese)


@pytest.mark.parametrize("template", sorted(PHRASES))
def test_phrases_have_the_same_values(template: str) -> None:
    """And are Chinese in Chinese."""
    assert _names(template) == _names(PHRASES[template])
    assert CHINESE.search(PHRASES[template])
    assert not CHINESE.search(template)


def _texts() -> Iterator[str]:
    """Every text in the code; adjacent ones are one."""
    for path in ADAPTER.rglob("*.py"):
        if path.name != "phrases.py":
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    yield node.value


def test_no_phrase_is_left_over() -> None:
    """Each is said somewhere."""
    assert set(PHRASES) - set(_texts()) == set()


def _calls(root: Path) -> Iterator[tuple[str, str, ast.Call]]:
    for path in sorted(root.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call):
                name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
                yield f"{path.name}:{node.lineno}", name, node


def test_what_is_said_is_in_the_catalogue() -> None:
    """say() with a text that is not there fails only when it is said."""
    said = [
        (where, node.args[0].value)
        for where, name, node in _calls(ADAPTER)
        if name == "say" and isinstance(node.args[0], ast.Constant)
    ]
    assert len(said) > 50
    assert [where for where, text in said if text not in PHRASES] == []


#: What the service's own commands do (`adapter apply`, `app`, `token`, `permission`), which speak English, and
#: the rules for what is stored, which they share with create_account and create_script (docs/compatibility.md).
COMMANDS = re.compile(r"apply.*\.py|(applications|permissions|tokens)\.py|rules\.py")


def test_requests_are_refused_in_no_english_alone() -> None:
    """Details of errors are phrases, in the API and in the use cases behind it; texts without a word are values."""
    told = {found.__name__ for found in CLASSES if found.__init__ is JobError.__init__} | {"ValidationError"}
    reasons = {"InvalidParameter", "MissingOrInvalid", "FieldInvalid"}
    told -= reasons
    plain = []
    for root in (ADAPTER / "api", ADAPTER / "service", ADAPTER / "job", ADAPTER / "hosts"):
        for where, name, node in _calls(root):
            arguments = node.args[:1] if name in told else node.args[1:2] if name in reasons else []
            texts = [
                ast.unparse(item) for item in arguments if isinstance(item, ast.JoinedStr | ast.Constant)
            ]
            if not COMMANDS.match(where.split(":")[0]):
                plain += [
                    f"{where} {text}"
                    for text in texts
                    if re.search(r"[a-z]{3} ", re.sub(r"\{.*?\}", "", text))
                ]
    assert plain == []


def test_phrases_within_phrases() -> None:
    """Are translated with them; other values stay as they are."""
    inner = say("a string")
    phrase = say("must be {expected}, not {value}", expected=inner, value="{x}")
    assert phrase == "must be a string, not {x}"
    assert phrase.in_(Language.ZH) == "必须是字符串，而不是 {x}"
    assert phrase.in_(Language.EN) == phrase
    error = errors.InvalidParameter("a", phrase)
    assert error.message == "Invalid request parameter [a]: must be a string, not {x}"
    assert error.message_in(Language.ZH) == "请求参数[a]不合法：必须是字符串，而不是 {x}"
    with pytest.raises(KeyError):
        say("nobody has translated this")


def test_values_are_no_templates() -> None:
    """Whatever a request's values look like."""
    for value in ("{", "{0}", "{name.__class__}", "%s", "}{"):
        error = errors.AccountUnknown(value)
        assert all(f"[{value}]" in error.message_in(language) for language in Language)
        assert value in errors.BadRequest(f"x {value}").message_in(Language.ZH)


@pytest.mark.parametrize(
    ("header", "language"),
    [
        *((text, Language.EN) for text in ("en", "EN", "en-us", "en_US", " en ")),
        *((text, Language.ZH) for text in ("zh-cn", "zh_CN", "zh-hans", "", "fr", "e", None)),
    ],
)
def test_names_of_languages(header: str | None, language: Language) -> None:
    """English if it says so, else JOB's own."""
    assert Language.of(header) is language


def test_jobs_without_a_name() -> None:
    """Have one in each language."""
    for names in (SCRIPT_NAME, FILE_NAME):
        assert CHINESE.search(names[Language.ZH])
        assert names[Language.EN].isascii()
