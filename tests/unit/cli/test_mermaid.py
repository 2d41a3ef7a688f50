from lineshaft.cli.mermaid import mermaid_text
from lineshaft.model.node import Group, Node, Order, Task
from lineshaft.model.tree import Tree
from lineshaft.model.work import RunWork


def task(name: str, *needs: str) -> Task:
    return Task(name, RunWork("true"), needs=needs)


def drawn(*children: Node, order: Order = Order.SEQUENCE) -> list[str]:
    text = mermaid_text(Tree(Group("shop", order, children)))
    return [line.strip() for line in text.splitlines()][1:]


def box(index: int, name: str) -> str:
    return f'n{index}["{name}<br/><small>run</small>"]'


def test_tasks_of_a_sequence_are_joined_one_behind_the_other() -> None:
    assert drawn(task("a"), task("b"), task("c")) == [
        *(box(1, "a"), box(2, "b"), box(3, "c")),
        *("n1 --> n2", "n2 --> n3"),
    ]


def test_a_group_is_a_frame_around_its_nodes() -> None:
    assert drawn(Group("test", Order.PARALLEL, (task("unit"), task("api"))), task("ship")) == [
        'subgraph n1["test"]',
        *(box(2, "unit"), box(3, "api")),
        "end",
        box(4, "ship"),
        "n1 --> n4",
    ]


def test_in_a_graph_arrows_lead_from_what_is_needed() -> None:
    lines = drawn(task("a"), task("b", "a"), task("c", "a", "b"), order=Order.GRAPH)
    assert lines[3:] == ["n1 --> n2", "n1 --> n3", "n2 --> n3"]


def test_a_setup_leads_to_what_begins_and_what_ends_last_to_the_teardown() -> None:
    body = (task("a"), task("b"))
    group = Group("ship", Order.SEQUENCE, body, setup=task("setup"), teardown=task("teardown"))
    assert drawn(group)[-3:] == ["n3 --> n4", "n2 --> n3", "n4 -.-> n5"]


def test_a_group_whose_nodes_are_not_known_yet_is_one_box() -> None:
    assert drawn(Group("later", Order.SEQUENCE, ())) == ['n1[["later"]]']


def test_names_cannot_leave_their_box() -> None:
    (line,) = drawn(task('"]; <b>#'))
    assert line == box(1, "#quot;]; #lt;b#gt;#35;")


def test_what_is_skipped_is_drawn_with_broken_lines() -> None:
    text = mermaid_text(Tree(Group("shop", Order.SEQUENCE, (task("a"), task("b")))), {2})
    assert text.splitlines()[-1].strip() == "class n2 skipped"
