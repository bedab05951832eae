"""One cluster for all tests of it: starting nodes is what takes their time."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from gru_tune.executors import cluster
from gru_tune.executors.cluster import Share
from gru_tune.executors.ray import Ray
from gru_tune.executors.worker import Start
from tests.executors import clusters, standins
from tests.executors.clusters import Nodes


@pytest.fixture(scope="session")
def nodes() -> Iterator[Nodes]:
    pytest.importorskip("ray", reason="gru-tune[ray] is not installed")
    with clusters.nodes(2) as started:
        yield started


@pytest.fixture
def on_ray(nodes: Nodes) -> Iterator[Ray]:
    with cluster.joined(nodes.address) as joined:
        assert joined is not None
        place = Ray(standins.train, joined, Share(), Start())
        yield place
        place.close(kill=True)
