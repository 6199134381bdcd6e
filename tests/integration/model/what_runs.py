"""What happens in the clusters of a walk, and what the bot has to tell of it by the record of who ran what."""

from abc import abstractmethod
from collections.abc import Coroutine
from datetime import timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from bot.domain.bases.change import Cause
from tests.integration.model.clusters import CLUSTERS, publish_cve
from tests.integration.model.fleet import Fleet
from tests.integration.store.filling import ASPNET

workers = st.integers(0, 1)
repositories = st.integers(0, 2)
clusters = st.sampled_from(CLUSTERS)


class RunningPlaces(RuleBasedStateMachine):
    """A part of a walk, or all of one: its fleet is made elsewhere."""

    fleet: Fleet

    @abstractmethod
    def run(self, work: Coroutine[Any, Any, Any]) -> Any: ...

    @rule(cluster=clusters, number=repositories, stays=st.booleans())
    def somebody_rolls_out(self, cluster: str, number: int, stays: bool) -> None:
        """The pods that ran before go, or both run beside each other for a while."""
        self.run(self.fleet.roll_out(cluster, number, stays=stays))

    @rule(cluster=clusters, number=repositories, worker=workers)
    def a_patch_is_built_and_rolled_out(self, cluster: str, number: int, worker: int) -> None:
        self.run(self.fleet.publish(ASPNET, Cause.OS_UPDATE))
        self.fleet.has_built(number)
        self.somebody_rolls_out(cluster, number, False)
        self.what_runs_is_looked_at(worker, 6)

    @rule(cluster=clusters, number=repositories)
    def pods_are_restarted(self, cluster: str, number: int) -> None:
        self.fleet.clusters.restart(cluster, number)

    @rule(cluster=clusters, number=repositories)
    def a_service_is_taken_away(self, cluster: str, number: int) -> None:
        self.fleet.clusters.remove(cluster, number)

    @rule(cluster=clusters, number=repositories)
    def a_pod_waits_for_its_image(self, cluster: str, number: int) -> None:
        self.fleet.clusters.wait(cluster, number)

    @rule(cluster=clusters, is_down=st.booleans(), hidden=st.frozensets(repositories, max_size=2))
    def a_cluster_tells_in_part(self, cluster: str, is_down: bool, hidden: frozenset[int]) -> None:
        self.fleet.clusters.disturb(cluster, is_down=is_down, hidden=hidden)

    @rule()
    def clusters_tell_all_again(self) -> None:
        self.fleet.clusters.heal()

    @rule(worker=workers, minutes=st.sampled_from([6, 6, 25, 60 * 8]))
    def what_runs_is_looked_at(self, worker: int, minutes: int) -> None:
        self.fleet.clock.advance(timedelta(minutes=minutes))
        self.run(self.fleet.look(worker))

    @rule()
    def a_cve_is_published(self) -> None:
        self.run(publish_cve(self.fleet.workers[0]))

    @rule(worker=workers)
    def somebody_asks_where_it_runs(self, worker: int) -> None:
        wrong = self.run(self.fleet.clusters.wrong(self.fleet.workers[worker]))
        assert not wrong, wrong
