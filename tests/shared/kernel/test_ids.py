import re
import time
from uuid import RFC_4122, UUID

from hypothesis import given
from hypothesis import strategies as st

from shared.kernel.ids import new_file_number, new_id, new_trace

# All that a clock, right or wrong, can have put into an id until the year 10889, with room for one id after it.
ids = st.builds(
    lambda milliseconds, upper, lower: str(
        UUID(int=milliseconds << 80 | 0x7 << 76 | upper << 64 | 0x2 << 62 | lower),
    ),
    st.integers(0, 2**48 - 1),
    st.integers(0, 2**12 - 1),
    st.integers(0, 2**62 - 2),
)


def test_an_id_is_a_uuid_of_version_7() -> None:
    made = UUID(new_id())
    assert (made.version, made.variant) == (7, RFC_4122)


def test_an_id_begins_with_the_time_in_milliseconds() -> None:
    before = time.time_ns() // 1_000_000
    made = UUID(new_id()).int >> 80
    assert before <= made <= time.time_ns() // 1_000_000


def test_a_thousand_ids_in_a_row_are_sorted_and_different() -> None:
    made = [""]
    for _ in range(1000):
        made.append(new_id(after=made[-1]))
    assert made == sorted(set(made))


def test_a_thousand_ids_of_the_same_millisecond_are_different() -> None:
    assert len({new_id() for _ in range(1000)}) == 1000


@given(ids)
def test_an_id_is_greater_than_the_one_before_whatever_the_clock_says(before: str) -> None:
    assert new_id(after=before) > before


@given(ids)
def test_an_id_after_one_of_the_future_is_still_of_version_7(before: str) -> None:
    made = UUID(new_id(after=before))
    assert (made.version, made.variant) == (7, RFC_4122)


def test_a_trace_is_a_w3c_traceparent() -> None:
    assert re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-01", new_trace())


def test_two_traces_differ() -> None:
    assert new_trace() != new_trace()


def test_a_file_number_can_be_read_out_over_the_telephone() -> None:
    assert re.fullmatch(r"KV-2023-[0-9A-HJKMNP-TV-Z]{6}", new_file_number("KV", 2023))
