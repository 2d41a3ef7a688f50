"""The rules for schedules: a run of each must be able to begin."""

from lineshaft.definition.compiling.around import Keys
from lineshaft.definition.compiling.canonical import inputs_of
from lineshaft.definition.compiling.given import check_given
from lineshaft.definition.compiling.origin import Site


def check_schedules(keys: Keys, site: Site) -> None:
    """See whether what the schedules of a pipeline give is what it asks for."""
    asked = inputs_of(keys)
    for index, schedule in enumerate(keys.get("on", {}).get("schedule", ())):
        given = schedule.get("inputs", {})
        place = site.at("on", "schedule", index)
        check_given(asked, given, place, "schedule")
