from lineshaft.cli.annotation import annotation
from lineshaft.model.errors import Problem


def test_a_problem_stands_at_its_place_in_the_file() -> None:
    problem = Problem("steps.0.rnu", "is no key of a node", 4, 5, 3, "Write `run`.")
    assert annotation(problem, "ci/lineshaft.yml") == (
        "::error file=ci/lineshaft.yml,line=4,col=5,endColumn=8,title=steps.0.rnu::"
        "steps.0.rnu is no key of a node%0AWrite `run`."
    )


def test_a_problem_of_the_whole_file_names_the_file_alone() -> None:
    assert annotation(Problem("", "is empty"), "a.yml") == "::error file=a.yml::is empty"


def test_what_a_file_says_cannot_become_a_command() -> None:
    line = annotation(Problem("a,b:c", "has 100%\n::stop-commands::x"), "a,b.yml")
    assert "\n" not in line
    assert line == "::error file=a%2Cb.yml,title=a%2Cb%3Ac::a,b:c has 100%25%0A::stop-commands::x"
