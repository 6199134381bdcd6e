from bot.fleet.act.issue.dead_schedules import dead_schedules


def test_each_workflow_is_told_with_what_is_wrong_and_the_way_out() -> None:
    section = dead_schedules([("build.yml", "it has_no trigger: add one"), ("other.yml", "somebody disabled it")])
    assert section.title == "Images that are not rebuilt in time"
    assert section.text == (
        "- `build.yml`: it has\\_no trigger: add one\n- `other.yml`: somebody disabled it\n\n"
        "This goes away by itself once that is mended."
    )
    assert section.told == "build.yml: it has_no trigger: add one; other.yml: somebody disabled it"
    assert section.opens


def test_of_many_workflows_twenty_are_told() -> None:
    section = dead_schedules([(f"{number}.yml", "it is disabled") for number in range(23)])
    assert (section.text.count("it is disabled"), section.told.count("it is disabled")) == (20, 20)
    assert ("19.yml" in section.told, "20.yml" in section.told) == (True, False)
