"""Trees of nodes in JSON, and files of an orchestrator's pipelines: read as they stand."""

import json
import subprocess
from typing import Any

import pytest

from expression_scope import scope
from foreign_documents import Value, messages, native, notes, problems
from lineshaft.definition.convert import read_foreign
from lineshaft.definition.dialect import Dialect
from lineshaft.expression import Scope, parse, parse_template

STEP: Value = {"name": "step", "exec": ["true"]}


def tree(*steps: Value, **more: Any) -> Value:
    return {"name": "shop", "steps": list(steps) or [STEP], **more}


def read(value: Value) -> Value:
    return native(value, Dialect.NODE)


def only(step: Value) -> Value:
    """Return what a single step of a tree becomes."""
    (inner,) = read(tree({"name": "step", **step}))["steps"]
    return {key: value for key, value in inner.items() if key != "name"}


def wrong(value: Value) -> dict[str, str]:
    return messages(value, Dialect.NODE)


def test_steps_run_in_their_order_unless_they_are_unordered() -> None:
    assert read(tree(STEP)) == {"name": "shop", "steps": [STEP]}
    assert read(tree(STEP, order="ordered")) == {"name": "shop", "steps": [STEP]}
    assert read(tree(STEP, order="unordered")) == {"name": "shop", "parallel": True, "steps": [STEP]}


def test_nodes_nest_to_any_depth() -> None:
    deep = STEP
    for _ in range(12):
        deep = {"name": "group", "order": "unordered", "steps": [deep]}
    inner = read(deep)
    for _ in range(12):
        assert inner["parallel"] is True
        (inner,) = inner["steps"]
    assert inner == STEP


def test_setup_and_teardown_need_no_names() -> None:
    assert read(tree(setup={"exec": ["up"]}, teardown={"exec": ["down"]})) == {
        "name": "shop",
        "setup": {"exec": ["up"]},
        "steps": [STEP],
        "teardown": {"allow_failure": True, "exec": ["down"]},
    }


def test_setup_and_teardown_lose_their_names_and_a_failed_teardown_fails_nothing() -> None:
    around = {"setup": {"name": "a", "exec": ["up"]}, "teardown": {"name": "b", "exec": ["down"]}}
    carried = {"setup": {"exec": ["up"]}, "teardown": {"allow_failure": True, "exec": ["down"]}}
    assert only({"exec": ["true"], **around}) == {"exec": ["true"], **carried}
    assert read(tree(**around)) == {"name": "shop", "steps": [STEP], **carried}


def test_a_pattern_becomes_a_condition_on_the_changes() -> None:
    assert only({"exec": ["true"], "if-changeset-matches": 'a"\\.md$'})["if"] == 'matches("a\\"\\\\.md$")'


def test_a_teardown_s_pattern_does_not_make_it_wait_for_success() -> None:
    teardown = {"name": "end", "exec": ["true"], "if-changeset-matches": "^docs"}
    assert only({"exec": ["true"], "teardown": teardown})["teardown"]["if"] == 'always() && matches("^docs")'


def test_a_root_that_is_a_task_or_has_a_condition_becomes_the_only_node_of_the_pipeline() -> None:
    assert read({"name": "shop", "exec": ["make"]}) == {
        "name": "shop",
        "steps": [{"name": "shop", "exec": ["make"]}],
    }
    assert read(tree(**{"if-changeset-matches": "x"}))["steps"] == [
        {"name": "shop", "if": 'matches("x")', "steps": [STEP]}
    ]


@pytest.mark.parametrize(("written", "seconds"), [("10", 10), ("1.5", 1.5), (8, 8), (0.25, 0.25), ("7.0", 7)])
def test_a_timeout_is_a_number_of_seconds_also_as_text(written: Any, seconds: float) -> None:
    assert only({"exec": ["true"], "timeout": written})["timeout"] == seconds
    assert read(tree(timeout=written))["timeout"] == seconds


@pytest.mark.parametrize("timeout", ["", "10s", "0.0", 0, -1, True, None, [], 604_801, "1" * 400])
def test_any_other_timeout_is_refused(timeout: Any) -> None:
    assert wrong(tree(timeout=timeout))["timeout"].startswith("must be a number of seconds above 0")


def test_folders_are_taken_together_from_the_root_down() -> None:
    inner = {"name": "in", "cwd": "b/../c", "exec": ["true"], "setup": {"name": "s", "exec": ["up"]}}
    document = read(tree({"name": "out", "cwd": "./a", "steps": [inner, STEP]}, cwd="."))
    first, second = document["steps"][0]["steps"]
    assert (first["cwd"], first["setup"]["cwd"], second["cwd"]) == ("a/c", "a/c", "a")


@pytest.mark.parametrize("folder", ["..", "a/../../b", "../shop"])
def test_a_folder_outside_the_workspace_is_refused(folder: str) -> None:
    value = tree({"name": "out", "cwd": folder, "exec": ["true"]})
    assert wrong(value) == {"steps.0.cwd": "must not lead out of the workspace"}


def test_an_absolute_folder_is_refused() -> None:
    assert "relative path" in wrong(tree(cwd="/shop"))["cwd"]


@pytest.mark.parametrize("text", ["./build.sh --name 'big shop'", "test -s a && echo $HOME; true", "a 'b"])
def test_a_text_is_a_script_that_goes_on_when_a_command_fails(text: str) -> None:
    assert only({"exec": text}) == {"shell": "sh", "run": text}


def test_what_looks_like_an_expression_in_a_script_is_none() -> None:
    assert only({"exec": "echo '${{ x }}'"}) == {"exec": ["sh", "-c", "echo '$${{ x }}'"]}


def test_a_list_without_variables_stays_a_list() -> None:
    words = ["./build.sh", "a b", "$", "$5", "${}", "*", "~"]
    assert only({"exec": words})["exec"] == words


def test_what_looks_like_an_expression_is_no_expression() -> None:
    assert only({"exec": ["echo", "${{ x }}"]})["exec"] == ["echo", "$${{ x }}"]


def test_variables_are_replaced_within_their_argument_and_never_read_by_a_shell() -> None:
    quoted = "it's; $(exit 3) `exit 4` *"
    value = 'a  b"; exit 5 #'
    arguments = {
        "$A": value,
        "${A}-$B.x": f"{value}-$A.x",
        "$NONE": "$NONE",
        "${NONE}": "${NONE}",
        "${x$A}$A": "${x$A}" + value,
        "${x$A": "${x" + value,
        f'{quoted} "$A"': f'{quoted} "{value}"',
        "": "",
    }
    script = only({"exec": ["printf", "[%s]", *arguments]})["run"]
    done = subprocess.run(
        ["/bin/sh", "-c", script],
        env={"PATH": "/usr/bin:/bin", "A": value, "B": "$A"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "".join(f"[{argument}]" for argument in arguments.values())


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ([], "must name a program"),
        ("", "must name a program"),
        ([""], "must name a program"),
        (" ", "must name a program"),
        ([1], "must be a list of a program and its arguments"),
        ({"run": "x"}, "must be a list of a program and its arguments"),
    ],
)
def test_any_other_command_is_refused(command: Any, message: str) -> None:
    assert wrong(tree({"name": "step", "exec": command}))["steps.0.exec"].startswith(message)


def test_siblings_of_one_name_get_names_of_their_own() -> None:
    steps = [{"name": name, "exec": ["true"]} for name in ("pt/1", "pt_1", "pt 1", "pt 1", "setup")]
    document = read(tree(*steps, setup={"name": "s", "exec": ["true"]}))
    names = [step["name"] for step in document["steps"]]
    assert names == ["pt_1", "pt_1 (2)", "pt 1", "pt 1 (2)", "setup (2)"]


def test_a_node_has_either_a_command_or_steps() -> None:
    assert wrong(tree({"name": "x"}))["steps.0"] == "has neither exec nor steps; a node has one of them"
    assert "has both" in wrong(tree(exec=["true"]))[""]
    assert "not empty" in wrong({"name": "x", "steps": []})["steps"]


@pytest.mark.parametrize("pattern", ["(", "a{2,1}", "(?=x)", "x" * 501, 5, "(" * 499])
def test_a_pattern_that_is_none_is_refused(pattern: Any) -> None:
    assert wrong(tree(**{"if-changeset-matches": pattern}))["if-changeset-matches"].startswith(
        "must be a regular"
    )


def test_everything_wrong_is_told_at_once_with_its_place() -> None:
    text = """{
  "name": "shop",
  "order": "sorted",
  "steps": [
    {"name": "a", "exce": ["x"]},
    {"exec": "true", "if-changeset-match": "x"},
    {"name": "c", "exec": "true", "setup": {"name": "s", "timeout": "soon", "exec": "y"}}
  ]
}"""
    found = [(problem.line, problem.column, problem.field) for problem in problems(text, Dialect.NODE)]
    assert found == [
        (3, 12, "order"),
        (5, 19, "steps.0.exce"),
        (6, 5, "steps.1.name"),
        (6, 22, "steps.1.if-changeset-match"),
        (7, 69, "steps.2.setup.timeout"),
    ]
    told = messages(text, Dialect.NODE)
    assert told["order"] == 'must be ordered or unordered, not "sorted"'
    assert told["steps.0.exce"].endswith("did you mean `exec`?")
    assert told["steps.1.if-changeset-match"].endswith("did you mean `if-changeset-matches`?")


ENTRY: Value = {"repository": "https://git.example/shop.git", "exec": ["python3", "build.py"]}


def test_each_entry_of_an_orchestrator_becomes_a_pipeline_with_a_build_entry_point() -> None:
    entry = {**ENTRY, "ref": "main", "cwd": "./ci", "worker-tags": ["linux", "big", "linux"]}
    assert native({"shop": entry}, Dialect.NODE) == {
        "name": "shop",
        "repository": "https://git.example/shop.git",
        "on": {"push": {"branches": ["main"]}},
        "labels": ["linux", "big"],
        "steps": [{"name": "build", "cwd": "ci", "builder": ["python3", "build.py"]}],
    }


def test_a_worker_tag_that_is_no_label_is_refused() -> None:
    assert messages(json.dumps({"shop": {**ENTRY, "worker-tags": ["big iron"]}}), Dialect.NODE)[
        "shop.worker-tags.0"
    ].startswith("must be a label: 1 to 100 letters")


def test_entries_keep_their_order() -> None:
    documents = read_foreign(json.dumps({"b": ENTRY, "a": ENTRY}).encode()).documents
    assert [document["name"] for document in documents] == ["b", "a"]


def test_entries_keep_names_of_their_own() -> None:
    read_file = read_foreign(json.dumps({"a/b": ENTRY, "a_b": ENTRY}).encode())
    assert [document["name"] for document in read_file.documents] == ["a_b", "a_b (2)"]
    assert [(note.path, note.document) for note in read_file.notes] == [(("a/b",), 0), (("a_b",), 1)]


def test_a_tag_pattern_becomes_a_condition() -> None:
    entry = {**ENTRY, "tag-pattern": "^v[0-9]+", "ref": "main"}
    document = native({"release": entry}, Dialect.NODE)
    assert document["on"] == {"push": {"branches": [], "tags": ["**"]}}
    assert document["steps"][0]["if"] == 'tag.matches("^v[0-9]+")'
    assert "becomes a condition" in notes({"release": entry}, Dialect.NODE)["release.tag-pattern"]


def test_what_has_no_equivalent_is_left_out_and_noted() -> None:
    entry = {
        **ENTRY,
        "poll": {"interval": "1h"},
        "webhook": None,
        "x-webhook": {},
    }
    assert set(notes({"shop": entry}, Dialect.NODE)) == {
        "shop.poll",
        "shop.x-webhook",
    }


def test_notifications_say_who_is_told_of_what() -> None:
    mail = {
        "to": "a@b.example, c@d.example",
        "subject": "$PIPELINE_NAME\nfailed",
        "body": "<b>${TRACEID}</b>",
    }
    entry = {
        **ENTRY,
        "notifications": {
            "onFailure": {"email": mail},
            "onSuccess": {"email": {"to": ["webmaster@localhost"]}},
        },
    }
    assert native({"shop": entry}, Dialect.NODE)["notify"] == [
        {
            "email": {
                "to": ["a@b.example", "c@d.example"],
                "subject": "${{ pipeline.name }} failed",
                "body": "<b>${{ run.trace }}</b>",
                "html": True,
            }
        },
        {"on": ["succeeded"], "email": {"to": ["webmaster@localhost"]}},
    ]


@pytest.mark.parametrize("notifications", [{}, {"onFailure": {}}, {"onSuccess": {}}])
def test_notifications_that_tell_nobody_are_none(notifications: Value) -> None:
    assert "notify" not in native({"shop": {**ENTRY, "notifications": notifications}}, Dialect.NODE)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a $PIPELINE_NAME b", "a shop b"),
        ("${PIPELINE_NAME}", "shop"),
        ("$$PIPELINE_NAME", "$shop"),
        ("$$$PIPELINE_NAME$", "$$shop$"),
        ("$PIPELINE_NAMES ${PIPELINE_NAME", "$PIPELINE_NAMES ${PIPELINE_NAME"),
        ("${{ pipeline.name }} $PIPELINE_NAME", "${{ pipeline.name }} shop"),
        ("$TRACEID", "0190000000007000800000000000000a"),
        ("$HOME {{ }} '\"", "$HOME {{ }} '\""),
    ],
)
def test_only_the_variables_of_mails_are_put_in(text: str, value: str) -> None:
    entry = {**ENTRY, "notifications": {"onFailure": {"email": {"to": "a@b.example", "body": text}}}}
    body = native({"shop": entry}, Dialect.NODE)["notify"][0]["email"]["body"]
    seen = Scope(pipeline="shop", run_id="01900000-0000-7000-8000-00000000000a")
    assert parse_template(body).render(seen) == value


@pytest.mark.parametrize(
    ("notifications", "field"),
    [
        ({"onFailed": {}}, "shop.notifications.onFailed"),
        ({"onFailure": {"mail": {}}}, "shop.notifications.onFailure.mail"),
        ({"onFailure": {"email": {}}}, "shop.notifications.onFailure.email.to"),
        ({"onFailure": {"email": {"to": "nobody"}}}, "shop.notifications.onFailure.email.to"),
        ({"onFailure": {"email": {"to": []}}}, "shop.notifications.onFailure.email.to"),
        (
            {"onFailure": {"email": {"to": "a@b.example\nBcc: c@d.example"}}},
            "shop.notifications.onFailure.email.to",
        ),
    ],
)
def test_notifications_that_make_no_sense_are_refused(notifications: Value, field: str) -> None:
    assert set(wrong({"shop": {**ENTRY, "notifications": notifications}})) == {field}


def test_what_is_wrong_with_entries_is_told_at_once() -> None:
    told = wrong(
        {"a": {**ENTRY, "cwd": "../x", "worker-tag": []}, "b": {"repository": "ext::sh", "exec": []}}
    )
    assert set(told) == {"a.worker-tag", "b.repository", "b.exec"}
    assert wrong({"a": {**ENTRY, "cwd": "../x"}}) == {"a.cwd": "must not lead out of the repository"}


@pytest.mark.parametrize(
    ("changed", "runs"),
    [
        (("docs/a.md",), True),
        (("src/docs/a.md", "docs/a.mdx"), False),
        ((), True),
        (None, True),
    ],
)
def test_a_pattern_is_searched_in_each_changed_path_and_holds_where_none_are_known(
    changed: tuple[str, ...] | None, runs: bool
) -> None:
    condition = only({"exec": ["true"], "if-changeset-matches": r"^docs/.*\.md$"})["if"]
    assert parse(condition).value(scope(changed=changed)) is runs
