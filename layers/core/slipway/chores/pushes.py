"""Pushes and retags whose events were lost: found by comparing ECR's tags with the last sweep's."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Final

from slipway.chores.job import Admit, Job, JobResult, rotation, share_of_turn
from slipway.chores.waiting import EVENT_PATIENCE
from slipway.domain.catalog import Catalog, Push
from slipway.domain.deployment import Origin
from slipway.domain.errors import ControlPlaneError, Rejected
from slipway.domain.lane import Lane
from slipway.domain.release import Release
from slipway.domain.seen import SeenTags, lost_events
from slipway.ports.records import Records
from slipway.ports.registry import ImageRegistry
from slipway.requests.wish import Wish
from slipway.requests.wishes import push_wish

# With a sweep every minute, 500 repositories have their turn within four.
_LOOKED_AT: Final = 125
# Documents of up to 64 KB in one transaction of 4 MB at most.
_WRITTEN_AT_ONCE: Final = 25


@dataclass(frozen=True)
class _FedLane:
    """A lane that pushes feed, as it was when the chore began, and which ones."""

    lane: Lane
    push: Push


@dataclass
class _Look:
    """One look at one repository, and what it must not remember as judged."""

    repository: str
    seen: SeenTags | None
    now: datetime
    open: set[Release] = field(default_factory=set)


def lost_pushes(
    catalog: Catalog,
    *,
    registry: ImageRegistry,
    records: Records,
    admit: Admit,
    now: datetime,
    turn: int | None,
) -> Iterator[Job]:
    """Admit what nobody has, one repository after the other, a part of them each turn.

    What was judged is written after it was admitted: a crash in between finds the same again.
    """
    feeding = _push_rules(catalog)
    turns = -(-len(feeding) // _LOOKED_AT)
    repositories = share_of_turn(sorted(feeding), turn, turns) if feeding else []
    if not repositories:
        return
    known = {one.repository: one for one in records.seen_tags(repositories)}
    fed = _fed_lanes([one for name in repositories for one in feeding[name]], records)
    judged: list[SeenTags] = []
    for name in rotation(repositories, now):
        look = _Look(name, known.get(name), now)
        yield partial(_look_at_repository, look, fed[name], registry, records, admit, judged)
        yield partial(_write_judged, judged, _WRITTEN_AT_ONCE, records)
    yield partial(_write_judged, judged, 1, records)


def _push_rules(catalog: Catalog) -> dict[str, list[tuple[str, Push]]]:
    """The lanes that each repository feeds, with the rule."""
    found: dict[str, list[tuple[str, Push]]] = {}
    for application, name, environment in catalog.environments():
        if environment.fed_by is not None:
            place = f"{application}/{name}", environment.fed_by
            found.setdefault(environment.fed_by.repository, []).append(place)
    return found


def _fed_lanes(places: Sequence[tuple[str, Push]], records: Records) -> dict[str, list[_FedLane]]:
    lanes = {lane.lane_id: lane for lane in records.lanes([lane_id for lane_id, _ in places])}
    found: dict[str, list[_FedLane]] = {}
    for lane_id, push in places:
        found.setdefault(push.repository, []).append(_FedLane(lanes[lane_id], push))
    return found


def _look_at_repository(
    look: _Look,
    fed: Sequence[_FedLane],
    registry: ImageRegistry,
    records: Records,
    admit: Admit,
    judged: list[SeenTags],
) -> JobResult:
    until = look.now - EVENT_PATIENCE
    tagged = [one for one in registry.tagged(look.repository) if one.pushed_at <= until]
    for one in fed:
        yield from _admit_lost(one, look, tagged, records, admit)
    before = look.seen or SeenTags(repository=look.repository, until=until)
    after = before.after(
        [one for one in tagged if one not in look.open],
        {one.lane.lane_id for one in fed},
        until,
    )
    if after.worth_writing_over(look.seen) or _hides_retags(fed, before):
        judged.append(after)


def _hides_retags(fed: Sequence[_FedLane], seen: SeenTags) -> bool:
    """Whether a candidate is younger than the look on record: a retag after it would seem older."""
    newest = (one.lane.newest for one in fed)
    return any(one is not None and one.order >= seen.until for one in newest)


def _admit_lost(
    fed: _FedLane, look: _Look, tagged: Sequence[Release], records: Records, admit: Admit
) -> JobResult:
    """What one lane has missed: its newest push, or all of that moment, and the newest retag."""
    eligible = [one for one in tagged if fed.push.matches(one.repository, one.tag)]
    lane = fed.lane
    missed = lost_events(eligible, look.seen, lane.lane_id, lane.newest, look.now)
    wishes = {one: _wish(lane, one) for one in (*missed.pushes, *missed.retags)}
    known = _admitted_ids(lane, wishes.values(), records)
    pushes = [(one, wishes[one]) for one in missed.pushes]
    yield from _admit_first(pushes, known, look, admit)
    if look.seen is not None:
        retags = _retags(missed.retags, known, lane, look.seen.until)
        yield from _admit_first(retags, frozenset(), look, admit)


def _wish(lane: Lane, release: Release) -> Wish:
    return push_wish(lane.application, lane.environment, release, Origin.SWEEP)


def _admitted_ids(lane: Lane, wishes: Iterable[Wish], records: Records) -> frozenset[str]:
    """The wishes that were admitted; the lane itself says so of its newest candidate."""
    newest = lane.newest.digest if lane.newest else None
    served = {one.wish_id for one in wishes if one.release.digest == newest}
    unsure = sorted({one.wish_id for one in wishes} - served)
    return frozenset(served | (records.admitted(unsure) if unsure else set()))


def _retags(
    retags: Iterable[Release], known: frozenset[str], lane: Lane, until: datetime
) -> list[tuple[Release, Wish]]:
    """The wishes behind tags that moved after ``until``, which is all that is known of the time.

    A digest that was admitted before is wished for again, unless something else has been since.
    """
    found = []
    for release in retags:
        wish = _wish(lane, release.model_copy(update={"pushed_at": until}))
        if wish.wish_id in known:
            if lane.newest is None or lane.newest.order >= until:
                continue
            if lane.newest.digest == release.digest:
                continue
            moved = f"{wish.wish_id}:moved after {until.isoformat()}"
            wish = wish.model_copy(update={"wish_id": moved})
        found.append((release, wish))
    return found


def _admit_first(
    missed: Sequence[tuple[Release, Wish]],
    known: frozenset[str],
    look: _Look,
    admit: Admit,
) -> JobResult:
    """Admit the first that is not refused, and those of its moment: the newest come first."""
    served: datetime | None = None
    for place, (release, wish) in enumerate(missed):
        if served is not None and release.pushed_at < served:
            return
        if wish.wish_id in known:
            served = release.pushed_at
            continue
        try:
            yield "admitted", admit(wish).deployment_id
            served = release.pushed_at
        except Rejected:
            # What is refused, an artifact for example, stays so: the one before it counts.
            continue
        except ControlPlaneError as error:
            # What was admitted long ago is none of it: unremembered, it would look like a retag.
            look.open.update(one for one, wish in missed[place:] if wish.wish_id not in known)
            yield "problems", str(error)
            return


def _write_judged(judged: list[SeenTags], at_least: int, records: Records) -> JobResult:
    """Write down what was judged, once there is enough for one write."""
    if len(judged) >= at_least:
        documents, judged[:] = list(judged), []
        records.write(documents)
    return ()
