"""What happens to agreements, in any order, by anybody."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from services.membership.api.rights import require_party, require_party_or_lpr
from services.membership.domain.agreement import Agreement
from services.membership.domain.drafting import AgreementExists, Terms, record
from services.membership.domain.ending import earliest_end
from services.membership.domain.parties import DEFAULT_PARTIES
from services.membership.domain.signatures import Decline, Signature
from services.membership.domain.template import STANDARD
from services.membership.domain.term import OPEN, Notice, Stage
from services.membership.records import Agreements
from services.membership.use_cases import agreements as use_cases
from shared.kernel.cause import Cause
from shared.kernel.errors import Refused
from shared.web.rights import Actor, Role
from tests.membership.alliance.memory import run
from tests.membership.alliance.municipalities import Act, Municipalities, any_of
from tests.membership.alliance.people import ACTING_FOR, EVERYBODY, LPR, ago, kinds, number, somebody, town, towns
from tests.membership.alliance.world import OPERATORS
from tests.membership.examples import TODAY, signature

terms = st.builds(
    Terms,
    required=st.one_of(st.just(DEFAULT_PARTIES), kinds),
    ordered=st.booleans(),
    notice_months=st.sampled_from([0, 1, 3]),
)
ends_in = st.sampled_from([None, None, None, 0, 1, 35, 100, 400])
"""So many days from today; None for no term."""
sign_in = st.sampled_from([None, None, None, -1, 0, 10, 30])


def there_is(*stages: Stage) -> Callable[[Municipalities], bool]:
    """Whether an agreement is in one of these stages."""
    return lambda self: any(one["stage"] in stages for one in self.world.memory.documents["agreements"].values())


class Alliance(Municipalities):
    """Agreements besides all that happens to municipalities."""

    def bound(self) -> set[str]:
        """The municipalities that have an active agreement, as the log tells."""
        raise NotImplementedError

    @precondition(lambda self: self.world.today == TODAY)
    @rule(ags=town, ago=ago)
    def enter(self, ags: str, ago: int) -> None:
        """The operators enter an agreement of old when they set the system up."""
        one, since = self.world.municipality(ags), self.world.today - timedelta(days=max(ago, 0))
        if one.valid_to is None and ags not in self.bound():
            entered = record(f"KV-2023-{len(self.world.agreements)}", one, since)
            run(self.world.records.agreements.add(*entered, self.world.cause(OPERATORS)))

    @rule(towns=towns, terms=terms, days=ends_in, by=somebody)
    def draft(self, towns: list[str], terms: Terms, days: int | None, by: Actor | None) -> None:
        self._draft(towns, replace(terms, ends_on=self._in(days)), by)

    @rule(towns=towns, terms=terms, days=ends_in, sign_in=sign_in, signers=st.sampled_from([0, 1, 2, 9, 9, 9]))
    def accede(self, towns: list[str], terms: Terms, days: int | None, sign_in: int | None, signers: int) -> None:
        """All that it takes, or some of it, on one day."""
        known = {one.id for one in self.world.agreements}
        free = [ags for ags in towns if ags not in self.bound()]
        self._draft(free or towns, replace(terms, ends_on=self._in(days)), None)
        for one in self.world.agreements:
            if one.id not in known:
                self._make_ready(one.id, 0, sign_in, None)
                self._sign_in_turn(one.id, signers)

    @precondition(there_is(Stage.DRAFT))
    @rule(n=number, by=somebody)
    def adapt_text(self, n: int, by: Actor | None) -> None:
        id = self._pick(n, Stage.DRAFT).id
        self._lpr(by, lambda cause: use_cases.adapt_text(self._all, id, f"Fassung {n}", cause, expected=None))

    @precondition(there_is(Stage.DRAFT))
    @rule(n=number, ago=ago, sign_in=sign_in, by=somebody)
    def make_ready(self, n: int, ago: int, sign_in: int | None, by: Actor | None) -> None:
        self._make_ready(self._pick(n, Stage.DRAFT).id, ago, sign_in, by)

    @precondition(there_is(*OPEN))
    @rule(n=number, party=number, ago=ago, in_turn=st.booleans())
    def sign(self, n: int, party: int, ago: int, in_turn: bool) -> None:
        """A party signs; everybody else has tried to sign for it before, and it tries once more."""
        one = self._pick(n, *OPEN)
        signer = any_of((in_turn and one.turn) or one.parties, party)
        for who in EVERYBODY:
            if who is not ACTING_FOR[signer]:
                assert self._sign(one, signer, ago, who), "nobody signs for another"
        before = (self.world.today - (one.ready_on or self.world.today)).days + 1
        assert self._sign(one, signer, before, None), "nobody signs before readiness"
        assert self._sign(one, signer, -1, None), "nobody signs tomorrow"
        self._sign(one, signer, ago, None)
        assert self._sign(one, signer, ago, None), "nobody signs twice, and who was refused is refused again"

    @precondition(there_is(*OPEN))
    @rule(n=number, signers=st.sampled_from([1, 2, 9]))
    def sign_in_turn(self, n: int, signers: int) -> None:
        self._sign_in_turn(self._pick(n, *OPEN).id, signers)

    @precondition(there_is(Stage.PARTIALLY_SIGNED))
    @rule(n=number, party=number, ago=ago, by=somebody)
    def correct(self, n: int, party: int, ago: int, by: Actor | None) -> None:
        one = self._pick(n, Stage.PARTIALLY_SIGNED)
        new = self._signature(any_of([each.party for each in one.signatures] or one.parties, party), ago)
        self._party(
            one, new.party, by, lambda cause: use_cases.correct_signature(self._all, one.id, new, "verlesen", cause)
        )

    @precondition(there_is(*OPEN))
    @rule(n=number, party=number, ago=ago, by=somebody)
    def decline(self, n: int, party: int, ago: int, by: Actor | None) -> None:
        one, day = self._pick(n, *OPEN), self.world.today - timedelta(days=ago)
        declined = Decline(party=any_of(one.turn or one.parties, party), declined_on=day, reason="Kosten")
        self._party(
            one, declined.party, by, lambda cause: use_cases.decline_agreement(self._all, one.id, declined, cause)
        )

    @precondition(there_is(Stage.DRAFT, *OPEN))
    @rule(n=number, by=somebody)
    def withdraw(self, n: int, by: Actor | None) -> None:
        id = self._pick(n, Stage.DRAFT, *OPEN).id
        self._lpr(by, lambda cause: use_cases.withdraw_agreement(self._all, id, "Neuwahl", cause))

    @precondition(there_is(Stage.IN_FORCE))
    @rule(n=number, days=st.sampled_from([None, 0, 20, 100, 500]), by=somebody)
    def renew(self, n: int, days: int | None, by: Actor | None) -> None:
        one = self._pick(n, Stage.IN_FORCE)
        ends_on = None if days is None else (one.ends_on or self.world.today) + timedelta(days=days)
        self._lpr(by, lambda cause: use_cases.renew_agreement(self._all, one.id, ends_on, cause))

    @precondition(there_is(Stage.IN_FORCE))
    @rule(n=number, party=number, ago=ago, more=st.sampled_from([0, 0, -1, 40]), by=somebody)
    def give_notice(self, n: int, party: int, ago: int, more: int, by: Actor | None) -> None:
        one, given_on = self._pick(n, Stage.IN_FORCE), self.world.today - timedelta(days=ago)
        ends_on = earliest_end(one, given_on) + timedelta(days=more)
        notice = Notice(party=any_of(one.parties, party), given_on=given_on, ends_on=ends_on)
        self._party(one, notice.party, by, lambda cause: _give_notice(self._all, one.id, notice, cause))

    def _draft(self, towns: list[str], terms: Terms, by: Actor | None) -> None:
        refusal = self._lpr(
            by, lambda cause: use_cases.draft_agreement(self.world.records, towns, terms, STANDARD, cause)
        )
        if isinstance(refusal, AgreementExists):
            assert self.bound() & set(towns), "it is refused where one is active, and nowhere else"

    def _make_ready(self, id: str, ago: int, sign_in: int | None, by: Actor | None) -> None:
        ready_on, sign_by = self.world.today - timedelta(days=ago), self._in(sign_in)
        self._lpr(by, lambda cause: use_cases.make_agreement_ready(self._all, id, ready_on, sign_by, cause))

    def _sign(self, one: Agreement, party: str, ago: int, by: Actor | None) -> Refused | None:
        who, given = by or ACTING_FOR[party], self._signature(party, ago)
        return self.world.ask(
            who,
            lambda: require_party(who, party, one),
            lambda cause: use_cases.sign_agreement(self._all, one.id, given, None, cause),
        )

    def _sign_in_turn(self, id: str, signers: int) -> None:
        for _ in self.world.agreement(id).missing[:signers]:
            one = self.world.agreement(id)
            self._sign(one, (one.turn or one.parties)[0], 0, None)

    @property
    def _all(self) -> Agreements:
        return self.world.records.agreements

    def _lpr(self, by: Actor | None, act: Callable[[Cause], Act]) -> Refused | None:
        who = by or LPR
        return self.world.ask(who, lambda: who.require(Role.LPR), act)

    def _party(self, one: Agreement, party: str, by: Actor | None, act: Callable[[Cause], Act]) -> None:
        who = by or ACTING_FOR[party]
        self.world.ask(who, lambda: require_party_or_lpr(who, party, one), act)

    def _signature(self, party: str, ago: int) -> Signature:
        return signature(party, self.world.today - timedelta(days=ago))

    def _pick(self, n: int, *stages: Stage) -> Agreement:
        """One in these stages, and sometimes any other."""
        fitting = [one for one in self.world.agreements if one.stage in stages]
        choices = fitting if fitting and n % 4 else self.world.agreements
        return choices[n % len(choices)]

    def _in(self, days: int | None) -> date | None:
        return None if days is None else self.world.today + timedelta(days=days)


async def _give_notice(agreements: Agreements, id: str, notice: Notice, cause: Cause) -> object:
    return await use_cases.give_notice(
        agreements, id, notice.party, notice.given_on, cause, ends_on=notice.ends_on, reason=notice.reason
    )
