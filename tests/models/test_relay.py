from shared.kernel.decision import Decision
from shared.kernel.errors import Taken
from tests.models.relay import Count, Publishing
from tests.models.schedule import patient, settings

TestPublishing = patient(Publishing.TestCase)
TestPublishing.settings = settings(40)


def test_two_who_are_the_first_to_change_something_both_change_it() -> None:
    model, refusals = Publishing(), list[Taken]()

    async def count(replica: int) -> None:
        counts = model.counts[replica]
        step = counts.changing("a", up, new=Count(id="a"))
        try:
            await counts.store.commit(model.cause(), step)
        except Taken as refusal:
            refusals.append(refusal)

    for replica, process in enumerate(model.processes):
        model.wire.start(process, lambda replica=replica: count(replica))  # type: ignore[misc]
    for _ in range(3):
        model.answer_all()
        model.wait(0.02)
    model.teardown()
    for refusal in refusals:
        raise refusal


def up(count: Count) -> Decision[Count]:
    return count.up(1)
