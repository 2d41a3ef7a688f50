"""The rules for schedules: a run of each must be able to begin."""

from lineshaft.definition.compiling.around import Keys
from lineshaft.definition.compiling.canonical import inputs_of
from lineshaft.definition.compiling.inputs import fitted
from lineshaft.definition.compiling.origin import Site
from lineshaft.model.errors import InvalidInputError


def check_schedules(keys: Keys, site: Site) -> None:
    """See whether what the schedules of a pipeline give is what it asks for."""
    asked = inputs_of(keys)
    for index, schedule in enumerate(keys.get("on", {}).get("schedule", ())):
        given = schedule.get("inputs", {})
        place = site.at("on", "schedule", index)
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
                        advice="give it in `inputs` of the schedule, or give the input a default",
                    )
