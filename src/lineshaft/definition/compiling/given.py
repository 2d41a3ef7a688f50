"""What a trigger gives the runs that it starts, held against what their pipeline asks for."""

from collections.abc import Mapping, Sequence

from lineshaft.definition.compiling.inputs import fitted
from lineshaft.definition.compiling.origin import Site
from lineshaft.model.errors import InvalidInputError
from lineshaft.model.input import Input
from lineshaft.model.value import Value


def check_given(asked: Sequence[Input], given: Mapping[str, Value], place: Site, trigger: str) -> None:
    """See whether what is given is what is asked for.

    Args:
        asked: the inputs that are held against it.
        given: by name, as far as it is known.
        place: where the trigger stands, which gives it in `inputs`.
        trigger: what people call it, such as `schedule`.
    """
    try:
        fitted(asked, given)
    except InvalidInputError as error:
        for problem in error.problems:
            name = problem.field.removeprefix("inputs.")
            if name in given:
                place.at("inputs", name).wrong(problem.message, advice=problem.advice)
            else:
                place.wrong(
                    f"does not give the input `{name}`, which {problem.message}",
                    advice=f"give it in `inputs` of the {trigger}, or give the input a default",
                )
