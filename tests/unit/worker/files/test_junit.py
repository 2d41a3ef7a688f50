"""Reports in JUnit's format: all dialects, and what attackers write."""

import pytest

from lineshaft.model.test_case import TestCase, TestState
from lineshaft.sdk.masking.masker import Masker
from lineshaft.worker.files.junit import LONGEST_MESSAGE, LONGEST_NAME, BadReportError, read_junit

PASSED, FAILED, ERROR, SKIPPED = TestState


def read(text: str, *secrets: str) -> list[TestCase]:
    return read_junit(text.encode(), Masker(secrets))


def states(text: str) -> list[tuple[str, TestState]]:
    return [(case.name, case.state) for case in read(text)]


def test_pytest() -> None:
    cases = read(
        '<?xml version="1.0" encoding="utf-8"?><testsuites name="pytest tests"><testsuite name="pytest" '
        'errors="1" failures="1" skipped="1" tests="4" time="0.04" timestamp="2026-01-01T00:00:00">'
        '<testcase classname="tests.test_a" name="test_ok[1]" time="0.001" />'
        '<testcase classname="tests.test_a" name="test_bad" time="0.002">'
        '<failure message="assert 1 == 2">def test_bad():\n&gt; assert 1 == 2</failure></testcase>'
        '<testcase classname="tests.test_a" name="test_skip" time="0.000">'
        '<skipped type="pytest.skip" message="not here">a.py:3: not here</skipped></testcase>'
        '<testcase classname="tests.test_a" name="test_setup" time="0.1"><error message="failed on setup">x'
        "</error><system-out>printed</system-out></testcase></testsuite></testsuites>"
    )
    assert cases == [
        TestCase("pytest", "tests.test_a", "test_ok[1]", PASSED, 0.001),
        TestCase(
            "pytest",
            "tests.test_a",
            "test_bad",
            FAILED,
            0.002,
            "assert 1 == 2\ndef test_bad():\n> assert 1 == 2",
        ),
        TestCase("pytest", "tests.test_a", "test_skip", SKIPPED, 0.0, "not here\na.py:3: not here"),
        TestCase("pytest", "tests.test_a", "test_setup", ERROR, 0.1, "failed on setup\nx"),
    ]


def test_surefire_with_tests_that_were_tried_again() -> None:
    found = states(
        '<testsuite xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" name="com.shop.CartTest">'
        '<properties><property name="a" value="b"/></properties>'
        '<testcase name="flaky" classname="c" time="1,234.5"><flakyFailure message="once" type="E">'
        "<stackTrace>at x</stackTrace><system-out>o</system-out></flakyFailure></testcase>"
        '<testcase name="broken" classname="c"><failure message="m" type="E">first</failure>'
        "<rerunFailure><stackTrace>at y</stackTrace></rerunFailure></testcase>"
        '<testcase name="error" classname="c"><error type="E"/><rerunError/></testcase></testsuite>'
    )
    assert found == [("flaky", PASSED), ("broken", FAILED), ("error", ERROR)]


def test_go_junit_report() -> None:
    (case,) = read(
        '<testsuites tests="1" failures="1"><testsuite name="shop/cart" file="x"><testcase name="TestAdd" '
        'classname="shop/cart" time="0.010"><failure message="Failed" type=""><![CDATA[    a_test.go:9: no]]>'
        "</failure></testcase></testsuite></testsuites>"
    )
    assert (case.message, case.file) == ("Failed\na_test.go:9: no", "x")


def test_jest_junit_and_files_of_cases() -> None:
    (case,) = read(
        '<testsuites name="jest tests"><testsuite name="cart"><testcase classname="cart adds" '
        'name="cart adds" time="0.005" file="cart.test.js"></testcase></testsuite></testsuites>'
    )
    assert case == TestCase("cart", "cart adds", "cart adds", PASSED, 0.005, file="cart.test.js")


@pytest.mark.parametrize("said", ['status="notrun"', 'result="skipped"', 'status="disabled"'])
def test_gtest_says_in_an_attribute_what_was_not_run(said: str) -> None:
    assert states(f'<testsuite><testcase name="a" {said}/></testsuite>') == [("a", SKIPPED)]


def test_suites_lie_in_suites_and_the_innermost_counts() -> None:
    cases = read(
        '<testsuites><testsuite name="outer"><testsuite name="inner"><testcase name="a"/></testsuite>'
        '<testcase name="b"/></testsuite><testsuite name="next"><testcase name="c"/></testsuite></testsuites>'
    )
    assert [(case.suite, case.name) for case in cases] == [("inner", "a"), ("outer", "b"), ("next", "c")]


def test_elements_may_have_a_namespace() -> None:
    assert states('<j:testsuite xmlns:j="urn:j"><j:testcase name="a"><j:failure/></j:testcase></j:testsuite>')


def test_a_suite_without_names_or_cases_is_read_as_well() -> None:
    assert read("<testsuites/>") == []
    assert read("<testsuite><testcase/></testsuite>") == [TestCase("", "", "", PASSED)]


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0.25", 0.25),
        ("1,234.5", 1234.5),
        ("", None),
        ("-1", None),
        ("nan", None),
        ("inf", None),
        ("soon", None),
        ("1" * 41, None),
    ],
)
def test_times_are_read_as_far_as_they_make_sense(text: str, seconds: float | None) -> None:
    (case,) = read(f'<testsuite><testcase name="a" time="{text}"/></testsuite>')
    assert case.seconds == seconds


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "iso-8859-1", "windows-1252"])
def test_other_encodings_are_read(encoding: str) -> None:
    text = f'<?xml version="1.0" encoding="{encoding}"?><testsuite><testcase name="\u00fc"/></testsuite>'
    (case,) = read_junit(text.encode(encoding), Masker())
    assert case.name == "\u00fc"


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("", "no element found"),
        ("<testsuite>", "line 1"),
        ("no xml", "syntax error"),
        ("<html/>", "begins with <html>"),
        ('<!DOCTYPE x [<!ENTITY a "b">]><testsuite/>', "document type"),
        ('<!DOCTYPE x SYSTEM "file:///etc/passwd"><testsuite/>', "document type"),
        (
            '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><testsuite name="&b;"/>',
            "document type",
        ),
        ("<testsuite>&undefined;</testsuite>", "undefined entity"),
        ("<testsuite>" * 101, "100 deep"),
        ('<?xml version="1.0" encoding="klingon"?><testsuite/>', "encoding"),
        ('<?xml version="1.0" encoding="utf-7"?><testsuite/>', "encoding"),
    ],
)
def test_what_is_hostile_or_no_report_is_refused(text: str, cause: str) -> None:
    with pytest.raises(BadReportError, match=cause):
        read(text)


def test_too_many_test_cases_are_refused() -> None:
    with pytest.raises(BadReportError, match="100,000"):
        read("<testsuite>" + "<testcase/>" * 100_001 + "</testsuite>")


def test_texts_are_cut() -> None:
    (case,) = read(
        f'<testsuite><testcase name="{"n" * 9000}"><failure>{"t" * 300_000}</failure></testcase></testsuite>'
    )
    assert (len(case.name), len(case.message)) == (LONGEST_NAME, LONGEST_MESSAGE)


def test_all_texts_are_masked() -> None:
    (case,) = read(
        '<testsuite name="s hunter2-hunter2"><testcase name="n hunter2-hunter2" file="f hunter2-hunter2" '
        'classname="c hunter2-hunter2"><failure message="m hunter2-hunter2"/></testcase></testsuite>',
        "hunter2-hunter2",
    )
    assert (case.suite, case.class_name, case.name) == ("s ***", "c ***", "n ***")
    assert (case.message, case.file) == ("m ***", "f ***")


@pytest.mark.parametrize("before", [LONGEST_MESSAGE - 5, 256 * 1024 - 5])
def test_no_cut_leaves_a_part_of_a_secret(before: int) -> None:
    filler = "s3cret-s3cret-" * 30_000 if before > LONGEST_MESSAGE else "x" * before
    text = f"{filler[:before]}hunter2-hunter2 and more"
    (case,) = read(
        f"<testsuite><testcase><failure>{text}</failure></testcase></testsuite>",
        "hunter2-hunter2",
        "s3cret-s3cret-",
    )
    assert "hunt" not in case.message
