from lineshaft.integrations.git.listing import Listing, read_listing

ONE, TWO, THREE = "1" * 40, "2" * 40, "3" * 40


def test_a_listing_leads_by_tags_to_what_they_are_of() -> None:
    answer = (
        f"ref: refs/heads/main\tHEAD\n{ONE}\tHEAD\n{ONE}\trefs/heads/main\n"
        f"{TWO}\trefs/tags/v1\n{THREE}\trefs/tags/v1^{{}}\n"
    )
    assert read_listing(answer.encode()) == Listing(
        {"HEAD": ONE, "refs/heads/main": ONE, "refs/tags/v1": THREE}, {"HEAD": "refs/heads/main"}
    )


def test_lines_of_another_form_are_passed_over() -> None:
    assert read_listing(b"warning: something\n\n") == Listing({}, {})


def test_names_that_are_no_utf_8_are_kept_apart() -> None:
    listing = read_listing(
        f"{ONE}\trefs/heads/".encode() + b"\xff\n" + f"{TWO}\trefs/heads/".encode() + b"\xfe\n"
    )
    assert len(listing.commits) == 2


def test_the_branch_of_a_name_is_told_where_it_is_one() -> None:
    listing = Listing({"HEAD": ONE, "refs/heads/main": ONE, "refs/tags/v1": ONE}, {"HEAD": "refs/heads/main"})
    assert [listing.branch_of(name) for name in ("HEAD", "refs/heads/main", "refs/tags/v1", "x")] == [
        "main",
        "main",
        "",
        "",
    ]
