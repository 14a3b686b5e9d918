"""tests/ports.py: what is given to the servers of two workers, and to nobody else."""

import pytest

from tests.ports import FIRST, free_ports, share


@pytest.mark.parametrize("first_of_clients", [32_768, 16_000])
def test_workers_share_the_ports_below_those_of_clients(first_of_clients: int) -> None:
    one, other = (share(worker, 2, first_of_clients) for worker in (0, 1))

    assert other.stop == one.start
    assert one.stop == first_of_clients
    assert other.start >= FIRST


def test_where_clients_have_nearly_all_ports_workers_still_share_none() -> None:
    assert [share(worker, 2, 1_024) for worker in (0, 1)] == [range(16_000, 22_000), range(10_000, 16_000)]


def test_no_port_is_given_twice() -> None:
    given = [port for _ in range(20) for port in free_ports(2)]

    assert len(set(given)) == 40
