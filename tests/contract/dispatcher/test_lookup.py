"""What every adapter of `Lookup` promises."""

import socket

import pytest

from services.dispatcher.deliver.pool import Lookup, look_up
from tests.support.resolving import FakeLookup


@pytest.fixture(params=["fake", "real"])
def lookup(request: pytest.FixtureRequest) -> Lookup:
    return FakeLookup() if request.param == "fake" else look_up


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_addresses_are_such_as_a_socket_takes_when_the_host_is_known(lookup: Lookup, host: str) -> None:
    found = [(family, kind, address) for family, kind, _, _, address in lookup(host, 8080)]
    assert (socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", 8080)) in found
    assert {kind for _, kind, _ in found} == {socket.SOCK_STREAM}


def test_error_has_its_number_when_the_name_has_no_address(lookup: Lookup) -> None:
    with pytest.raises(socket.gaierror) as caught:
        lookup("does-not-exist.invalid", 443)
    # Without any network the real one cannot tell.
    assert caught.value.errno in {socket.EAI_NONAME, socket.EAI_NODATA, socket.EAI_AGAIN}
