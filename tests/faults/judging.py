"""From a scenario's audit to its line of the table; what must hold in every scenario is asserted here."""

from collections.abc import Collection, Sequence

from tests.faults.audit import Audit, audit
from tests.faults.reporting import Result
from tests.faults.scenarios import Scenario
from tests.support.stand import Stand


async def judge(stand: Stand, accepted: Collection[int], paths: Sequence[str]) -> Audit:
    """Audit, and assert what no fault may break.

    Every accepted event has its deliveries, each delivery arrived or has a recorded reason, and each request carries
    the hook id of the one delivery it belongs to.
    """
    audited = await audit(stand, accepted, paths)
    assert audited.unplanned == 0, "accepted events have no delivery"
    assert audited.unexplained == 0, "deliveries neither arrived nor have a recorded reason"
    assert audited.phantoms == 0, "deliveries are recorded as delivered and never arrived"
    assert audited.strangers == 0, "requests carry a hook id that is not their delivery's"
    return audited


def result_of(
    scenario: Scenario,
    accepted: Collection[int],
    audited: Audit,
    *,
    in_flight: int,
    recovery_s: float,
    limit_s: float,
    times: int = 1,
) -> Result:
    """Return the line of a scenario."""
    return Result(
        scenario=scenario,
        events=len(accepted),
        deliveries=audited.owed,
        arrived=audited.arrived,
        lost=audited.lost,
        duplicates=audited.duplicates,
        in_flight=in_flight,
        recovery_s=recovery_s,
        limit_s=limit_s,
        times=times,
    )
