"""Changes that are only to happen at one revision, or only once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait

import pytest
from filelock import FileLock

from tests.answers import exactly, problem
from tests.patience import patience
from tests.serving import Server
from tests.standing import StandingServer, of_the_account

POSTS = (
    ("/virtual_balance", {"deposit": 5}),
    ("/virtual_balance/reset", {"balance": 5}),
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for all; each test has keys of its own."""
    with StandingServer(tmp_path_factory.mktemp("conditions") / "account") as running:
        yield running


def state(server: Server) -> tuple[int, float]:
    snapshot = server.get().json()
    return snapshot["revision"], snapshot["balance"]


class TestIfMatch:
    """``If-Match``: refuse unless the account is at this revision."""

    @pytest.mark.parametrize(("path", "body"), POSTS)
    @pytest.mark.parametrize("form", ["{}", '"{}"', " {} ", '"{}-abc.0"', "{tag}", "*"])
    def test_lets_a_change_through_at_its_revision(
        self, server: Server, path: str, body: dict[str, float], form: str
    ) -> None:
        read = server.get()
        revision, tag = read.json()["revision"], read.headers["ETag"]
        answer = server.post(
            body, path, headers={"If-Match": form.format(revision, tag=tag).strip()}
        )
        assert answer.status_code == 200
        assert answer.json()["revision"] == revision + 1

    @pytest.mark.parametrize(("path", "body"), POSTS)
    @pytest.mark.parametrize("form", ["{}", '"{}"', '"{}-abc.0"'])
    @pytest.mark.parametrize("off", [-1, 1, 1_000])
    def test_stops_a_change_at_another_revision_and_says_which_it_is(
        self, server: Server, path: str, body: dict[str, float], form: str, off: int
    ) -> None:
        revision = server.post({"deposit": 1}).json()["revision"]
        before = state(server)
        answer = server.post(body, path, headers={"If-Match": form.format(revision + off)})
        members = problem(answer, 412)
        assert members["expected"] == revision + off
        assert members["actual"] == revision
        assert f"revision {revision}, not {revision + off}" in members["detail"]
        assert state(server) == before

    def test_never_takes_a_weak_tag_for_the_strong_one(self, server: Server) -> None:
        tag = server.get().headers["ETag"]
        before = state(server)
        problem(server.post({"deposit": 5}, headers={"If-Match": f"W/{tag}"}), 412)
        assert state(server) == before

    @pytest.mark.parametrize(
        "header", ["x", "", '"', "-1", "1.5", '"1" "2"', "1e3", "\xb2", "9" * 400, "null", "* *"]
    )
    def test_that_is_no_etag_is_400(self, server: Server, header: str) -> None:
        before = state(server)
        answer = server.post({"deposit": 5}, headers={"If-Match": header.encode("latin-1")})
        assert "If-Match" in problem(answer, 400)["detail"]
        assert state(server) == before

    @pytest.mark.parametrize("header", ['"abc"', '""', '"1", "2"', 'W/"1", "x"', f'"{"9" * 400}"'])
    def test_with_other_etags_stops_a_change(self, server: Server, header: str) -> None:
        before = state(server)
        problem(server.post({"deposit": 5}, headers={"If-Match": header}), 412)
        assert state(server) == before

    @pytest.mark.parametrize("form", ['"abc", {tag}', '"1",{tag} , "999999"', '{tag}, W/"2"'])
    def test_lets_a_change_through_where_one_of_its_etags_fits(
        self, server: Server, form: str
    ) -> None:
        header = form.format(tag=server.get().headers["ETag"])
        assert server.post({"deposit": 5}, headers={"If-Match": header}).status_code == 200

    def test_with_the_tag_weakened_in_a_list_stops_a_change(self, server: Server) -> None:
        header = f'"1", W/{server.get().headers["ETag"]}'
        problem(server.post({"deposit": 5}, headers={"If-Match": header}), 412)

    def test_lets_one_of_many_at_once_through(self, server: Server) -> None:
        revision = state(server)[0]
        barrier = threading.Barrier(8)

        def attempt(_: int) -> int:
            barrier.wait()
            headers = {"If-Match": str(revision)}
            return server.post({"deposit": 1}, headers=headers).status_code

        with ThreadPoolExecutor(8) as pool:
            codes = sorted(pool.map(attempt, range(8)))
        assert codes == [200] + [412] * 7
        assert state(server)[0] == revision + 1


class TestIdempotencyKey:
    """``Idempotency-Key``: what was done is not done again."""

    @pytest.mark.parametrize(("path", "body"), [*POSTS, ("/virtual_balance/reset", None)])
    def test_that_comes_again_gets_the_first_answer_and_changes_nothing(
        self, server: Server, path: str, body: dict[str, float] | None
    ) -> None:
        headers = {"Idempotency-Key": f"again {path} {body}"}
        first = server.post(body, path, headers=headers)
        server.post({"adjust": 1})
        between = state(server)
        again = server.post(body, path, headers=headers)
        assert first.status_code == again.status_code == 200
        assert "Idempotency-Replayed" not in first.headers
        assert again.headers["Idempotency-Replayed"] == "true"
        assert exactly(again) == exactly(first)
        assert state(server) == between

    @pytest.mark.parametrize(
        ("path", "body"),
        [
            ("/virtual_balance", {"deposit": 6}),
            ("/virtual_balance", {"withdraw": 5}),
            ("/virtual_balance", {"balance": 5}),
            ("/virtual_balance", {"deposit": 5, "note": "other"}),
            ("/virtual_balance/reset", {"balance": 5}),
            ("/virtual_balance/reset", None),
        ],
    )
    def test_that_comes_with_another_request_is_422(
        self, server: Server, path: str, body: dict[str, float] | None
    ) -> None:
        headers = {"Idempotency-Key": "for a deposit of five"}
        server.post({"deposit": 5}, headers=headers)
        before = state(server)
        detail = problem(server.post(body, path, headers=headers), 422)["detail"]
        assert "'for a deposit of five' was used before" in detail
        assert state(server) == before

    def test_tells_amounts_that_are_booked_alike_as_the_same(self, server: Server) -> None:
        headers = {"Idempotency-Key": "written in two ways", "Content-Type": "application/json"}
        first = server.post(data=b'{"deposit": 5}', headers=headers)
        again = server.post(data=b'{"deposit": 5.00}', headers=headers)
        assert exactly(again) == exactly(first)

    def test_of_a_refused_request_is_still_free(self, server: Server) -> None:
        headers = {"Idempotency-Key": "too much at first"}
        problem(server.post({"withdraw": 10**9}, headers=headers), 422)
        server.post({"deposit": 10**9})
        assert server.post({"withdraw": 10**9}, headers=headers).status_code == 200

    def test_is_answered_before_if_match_is_looked_at(self, server: Server) -> None:
        # whoever repeats a request whose answer was lost sends it as it was
        headers = {"Idempotency-Key": "with both", "If-Match": str(state(server)[0])}
        first = server.post({"deposit": 5}, headers=headers)
        again = server.post({"deposit": 5}, headers=headers)
        assert first.status_code == again.status_code == 200
        assert exactly(again) == exactly(first)

    @pytest.mark.parametrize("key", [b"", b"x" * 201, b"\x80", b"a\tb"])
    def test_that_can_not_be_one_is_422(self, server: Server, key: bytes) -> None:
        before = state(server)
        answer = server.post({"deposit": 5}, headers={"Idempotency-Key": key})
        assert "Idempotency-Key" in problem(answer, 422)["detail"]
        assert state(server) == before

    def test_whose_first_request_is_under_way_is_409(self, server: Server) -> None:
        before = state(server)
        headers = {"Idempotency-Key": "under way"}
        with ThreadPoolExecutor(2) as pool:
            # whichever comes first waits for the lock
            with FileLock(server.folder / "virtual_balance.lock"):
                asked = [pool.submit(server.post, {"deposit": 5}, headers=headers) for _ in "ab"]
                (refused,), (waiting,) = wait(
                    asked, timeout=patience(), return_when=FIRST_COMPLETED
                )
                detail = problem(refused.result(), 409)["detail"]
            first = waiting.result()
        assert "'under way' is still being worked on" in detail
        assert first.status_code == 200
        assert state(server) == (before[0] + 1, before[1] + 5)
        again = server.post({"deposit": 5}, headers=headers)
        assert exactly(again) == exactly(first)

    def test_of_many_at_once_is_done_once(self, server: Server) -> None:
        before = state(server)
        barrier = threading.Barrier(8)

        def attempt(_: int) -> int:
            barrier.wait()
            headers = {"Idempotency-Key": "many at once"}
            return server.post({"deposit": 1}, headers=headers).status_code

        with ThreadPoolExecutor(8) as pool:
            codes = set(pool.map(attempt, range(8)))
        assert codes <= {200, 409}
        assert state(server) == (before[0] + 1, before[1] + 1)


def test_a_key_still_gets_its_first_answer_from_a_server_that_was_started_anew(
    start_server: Callable[..., Server],
) -> None:
    headers = {"Idempotency-Key": "before the restart"}
    first = start_server()
    told = exactly(first.post({"deposit": 5, "note": "once"}, headers=headers))
    first.post({"deposit": 6}, headers={"Idempotency-Key": "another"})
    first.stop()
    second = start_server()
    again = second.post({"deposit": 5, "note": "once"}, headers=headers)
    assert again.headers["Idempotency-Replayed"] == "true"
    # but for who it is that answers, and at what prices, it is the same
    assert of_the_account(exactly(again)) == of_the_account(told)
    problem(second.post({"deposit": 6, "note": "once"}, headers=headers), 422)
    assert second.balance() == 10_011
